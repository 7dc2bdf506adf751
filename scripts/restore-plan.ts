// The plan after a database was restored to an earlier instant: the events since then show which changes took access away, and
// the plan repeats those changes. Pure: events in, SQL and sentences out.
import type { OperatorEvent } from '../worker/activity/store.ts';
import { OPEN_PLANS, isPlan, opensDeveloperZone } from '../worker/organisation/organisation.ts';

/** A line of `restore -- fetch`, and of `GET /operator/events`. */
export type RestoreEvent = OperatorEvent;

export type RestorePlan = {
  /** In the order in which they must run; each may run again without effect. */
  statements: string[];
  /** A sentence for each statement. */
  replayed: string[];
  /** Tasks for a person or another system, because no statement can do them. */
  open: string[];
};

/**
 * An event has the time at which its request began, and its row is written when the request ends. So the file also holds the events
 * of the minute before the instant. A change whose event is in the restored database is not repeated: a change and its event are
 * one transaction.
 */
const OVERLAP_MS = 60_000;

/** A page of the events that the plan needs, oldest first. `since`: the instant of the restore; `after`: the last id of the page before. */
export function eventsQuery(since: Date, after: string, limit: number): string {
  const from = new Date(since.getTime() - OVERLAP_MS).toISOString();
  return sql`SELECT CAST(id AS TEXT) AS id, at, organisation_id AS organisationId, actor, action, token_id AS tokenId, preview, request_id AS requestId, ip, user_agent AS userAgent, detail FROM events WHERE at >= ${from} AND id > ${Number(after)} ORDER BY events.id LIMIT ${limit}`;
}

/**
 * The statements end every session and sign-in first, and put the events themselves on record again last. None of these is mailed,
 * and no mail that waits in the restored database: it was sent since, or it is old.
 */
export function planRestore(events: readonly RestoreEvent[]): RestorePlan {
  const plan: RestorePlan = {
    statements: [sql`DELETE FROM sessions;`, sql`DELETE FROM sign_ins;`, sql`DELETE FROM notices;`],
    replayed: ['End every session and every sign-in under way.', 'Drop the mails that wait.'],
    open: [],
  };
  // One report may name both values of a token. Only the current one is that of the pause.
  const exposureOf = ({ requestId, tokenId, preview }: RestoreEvent) => `${requestId} ${tokenId} ${preview}`;
  const pauses = new Set(
    events
      .filter(({ action, detail }) => action === 'token.deactivated' && detail === 'exposed')
      .map(exposureOf),
  );
  for (const event of lastOfEach(events)) replay(plan, event, pauses.has(exposureOf(event)));
  for (const event of events) plan.statements.push(recordAgain(event));
  if (events.length > 0) plan.replayed.push(`Put ${events.length} events on record again.`);
  plan.statements.push(
    sql`UPDATE mail_progress SET event_id = (SELECT coalesce(max(id), 0) FROM events) WHERE id = 1;`,
  );
  plan.replayed.push('Let no event until now be mailed.');
  return plan;
}

/**
 * For each token, membership and plan, the last event decides. A deleted organisation is deleted again, also when another one was
 * created under its id later, because the restored one has the old members, tokens and plan.
 */
function lastOfEach(events: readonly RestoreEvent[]): RestoreEvent[] {
  const last = new Map<string, RestoreEvent>();
  for (const event of events) {
    const subject = subjectOf(event);
    if (subject === null) continue;
    // Keeps the order of the last events of all subjects.
    last.delete(subject);
    last.set(subject, event);
    // A member resumed the token. A replacement is lost, and the exposed value is the current one again.
    if (event.action === 'token.activated' && event.detail !== 'rotated')
      for (const key of last.keys()) if (key.startsWith(exposuresOf(event))) last.delete(key);
    if (event.action === 'organisation.deleted') last.delete(`organisation ${event.organisationId}`);
  }
  return [...last.values()];
}

/** How the subjects of all exposures of the token begin. */
function exposuresOf({ tokenId }: Pick<RestoreEvent, 'tokenId'>): string {
  return `exposure of token ${tokenId}: `;
}

function subjectOf({ action, organisationId, tokenId, preview, detail }: RestoreEvent): string | null {
  switch (action) {
    case 'token.created':
      return `created ${tokenId}`;
    case 'token.activated':
    case 'token.deactivated':
    case 'token.deleted':
      return `token ${tokenId}`;
    case 'token.exposed':
      return exposuresOf({ tokenId }) + preview;
    case 'token.renamed':
      return `name of token ${tokenId}`;
    case 'token.rotated':
      return `value of token ${tokenId}`;
    case 'token.expiry-changed':
      return `expiry of token ${tokenId}`;
    case 'token.expiring':
      return `warning of ${detail} for token ${tokenId}`;
    case 'token.narrowed':
      return `scope of token ${tokenId}`;
    case 'token.networks-changed':
      return `networks of token ${tokenId}`;
    case 'token.origins-changed':
      return `websites of token ${tokenId}`;
    case 'token.retired':
      return `end of ${preview} of token ${tokenId}`;
    case 'member.added':
    case 'member.removed':
      return `member ${detail} of ${organisationId}`;
    case 'plan.changed':
      return `plan of ${organisationId}`;
    case 'organisation.created':
      return `organisation ${organisationId}`;
    case 'organisation.deleted':
      return `end of organisation ${organisationId}`;
    case 'organisation.renamed':
      return `name of ${organisationId}`;
    case 'organisation.paused':
    case 'organisation.resumed':
      return `pause of ${organisationId}`;
    case 'sign-in':
    case 'sign-out':
    case 'access.refused':
    case 'token.limit-refused':
    case 'plan.change-ignored':
    case 'webhook.stopped':
    case 'webhook.moved':
      // They change nothing that outlives the sessions, or nothing of an organisation.
      return null;
    default:
      // Of a later release.
      action satisfies never;
      return null;
  }
}

/** `isPause`: the request of the event switched its token off because of an exposure. */
function replay(plan: RestorePlan, event: RestoreEvent, isPause: boolean): void {
  const { action, organisationId, tokenId, detail } = event;
  const token = `${event.preview ?? tokenId} of ${organisationId}`;
  const todo = (statement: string, sentence: string): void => {
    plan.statements.push(`${statement} AND ${isNotOnRecord(event)};`);
    plan.replayed.push(sentence);
  };
  switch (action) {
    case 'token.exposed': {
      if (!isPause) break;
      const [by = '', ...where] = (detail ?? '').split(': ');
      return todo(
        sql`UPDATE tokens SET active = 0, exposed_at = ${event.at}, exposed_by = ${by}, exposed_where = ${where.join(': ') || null}, exposed_paused = active WHERE id = ${tokenId} AND preview = ${event.preview} AND exposed_at IS NULL`,
        `Mark the token ${token} as exposed (${detail}), and deactivate it.`,
      );
    }
    case 'token.deactivated':
      if (detail === 'all')
        return todo(
          sql`UPDATE tokens SET active = 0, paused_together_at = ${event.at}, paused_together_by = ${event.actor} WHERE id = ${tokenId} AND active = 1`,
          `Deactivate the token ${token}, as one of all tokens.`,
        );
      return todo(
        sql`UPDATE tokens SET active = 0, paused_together_at = NULL, paused_together_by = NULL WHERE id = ${tokenId}`,
        `Deactivate the token ${token}.`,
      );
    case 'token.retired': {
      const { at, preview } = event;
      todo(
        sql`UPDATE replaced_secrets SET retired_at = ${at} WHERE token_id = ${tokenId} AND preview = ${preview} AND retired_at IS NULL`,
        `End the value ${token}.`,
      );
      todo(
        sql`UPDATE tokens SET active = 0 WHERE id = ${tokenId} AND preview = ${preview}`,
        `Deactivate the token of ${token} where that is its only value again.`,
      );
      return todo(
        sql`UPDATE tombstones SET ended_by = ${event.actor} WHERE token_id = ${tokenId} AND preview = ${preview} AND kind = 'retired' AND ended_by IS NULL`,
        `Say by whom the value ${token} was ended.`,
      );
    }
    case 'token.expiry-changed':
      if (detail === 'never') break;
      return todo(
        sql`UPDATE tokens SET expires_at = ${detail} WHERE id = ${tokenId} AND coalesce(expires_at, '9999') > ${detail}`,
        `End the token ${token} at ${detail}, unless it ends earlier.`,
      );
    case 'token.expiring':
      // After the end of the token is set again, which plans its warnings anew.
      return todo(
        sql`UPDATE expiry_warnings SET given_by = ${event.requestId} WHERE token_id = ${tokenId} AND days = ${Number(detail)} AND due_at <= ${event.at} AND given_by IS NULL`,
        `Count the warning of ${detail} days for the token ${token} as given.`,
      );
    case 'token.narrowed': {
      const [first = '', second] = (detail ?? '').split('; ');
      const isReadOnly = first === 'read only';
      const paths = isReadOnly ? second : first;
      const access = isReadOnly ? 'read' : 'full';
      return todo(
        sql`UPDATE tokens SET access = ${access}, paths = ${listOf(paths)} WHERE id = ${tokenId}`,
        `Narrow the token ${token} (${detail}).`,
      );
    }
    case 'token.networks-changed':
      if (detail === 'any') break;
      todo(
        sql`UPDATE tokens SET networks = ${listOf(detail)} WHERE id = ${tokenId} AND (networks = '[]' OR NOT EXISTS (SELECT 1 FROM json_each(${listOf(detail)}) AS wanted WHERE wanted.value NOT IN (SELECT value FROM json_each(networks))))`,
        `Limit the token ${token} to the networks ${detail}, unless that adds one.`,
      );
      break;
    case 'token.origins-changed':
      if (detail === 'any') break;
      todo(
        sql`UPDATE tokens SET origins = ${listOf(detail)} WHERE id = ${tokenId} AND (origins = '[]' OR NOT EXISTS (SELECT 1 FROM json_each(${listOf(detail)}) AS wanted WHERE wanted.value NOT IN (SELECT value FROM json_each(origins))))`,
        `Limit the token ${token} to the websites ${detail}, unless that adds one.`,
      );
      break;
    case 'token.deleted':
      todo(sql`DELETE FROM tokens WHERE id = ${tokenId}`, `Delete the token ${token}.`);
      return todo(
        sql`UPDATE tombstones SET ended_at = ${event.at}, ended_by = ${event.actor} WHERE token_id = ${tokenId} AND kind = 'deleted' AND ended_by IS NULL`,
        `Say by whom and when the token ${token} was deleted.`,
      );
    case 'member.removed':
      return todo(
        sql`DELETE FROM members WHERE organisation_id = ${organisationId} AND email = ${detail}`,
        `Remove ${detail} from ${organisationId}.`,
      );
    case 'organisation.deleted':
      return todo(
        sql`DELETE FROM organisations WHERE id = ${organisationId}`,
        `Delete the organisation ${organisationId}.`,
      );
    case 'organisation.paused':
      return todo(
        sql`UPDATE organisations SET paused_at = ${event.at} WHERE id = ${organisationId} AND paused_at IS NULL`,
        `Pause the organisation ${organisationId}.`,
      );
    case 'plan.changed': {
      const wanted = detail?.split(' → ')[1] ?? '';
      if (isPlan(wanted) && opensDeveloperZone(wanted)) break;
      return todo(
        sql`UPDATE organisations SET plan = ${wanted} WHERE id = ${organisationId} AND plan IN (SELECT value FROM json_each(${JSON.stringify(OPEN_PLANS)}))`,
        `Take the Enterprise plan from ${organisationId} (${wanted}).`,
      );
    }
  }
  plan.open.push(`${event.at} ${sentenceOf(event, token)}`);
}

/** The entries of a list in an event, as JSON. */
function listOf(detail: string | null | undefined): string {
  return JSON.stringify(detail ? detail.split(', ') : []);
}

function sentenceOf({ action, organisationId, detail }: RestoreEvent, token: string): string {
  switch (action) {
    case 'token.created':
      return `The token ${token} was created. It is gone: its holder needs a new one.`;
    case 'token.exposed':
      return `The value ${token} was exposed (${detail ?? ''}). Where its token still has it, a member should replace it.`;
    case 'token.activated':
      return `The token ${token} was activated. It is as it was before; a member may switch it on.`;
    case 'token.rotated':
      return `The value of the token ${token} was replaced (${detail ?? ''}). The new value is gone, and the old one has no end: a member has to replace it again.`;
    case 'token.expiry-changed':
      return `The end of the token ${token} was taken away. It has the end of before; a member may change it.`;
    case 'token.networks-changed':
    case 'token.origins-changed':
      return `The token ${token} was limited otherwise (${action}: ${detail ?? ''}). Where that allows more than before, it is as it was before; a member may change it.`;
    case 'token.renamed':
      return `The token ${token} was renamed to ${detail ?? 'nothing'}. It has its old name.`;
    case 'member.added':
      return `${detail} was added to ${organisationId}. The platform has to add them again.`;
    case 'organisation.resumed':
      return `The pause of ${organisationId} was ended. Where it is paused again now, the operator has to end the pause again.`;
    case 'plan.changed':
      return `${organisationId} came to Enterprise. The billing system has to say so again.`;
    default:
      return `${organisationId}: ${action} (${detail ?? ''}). The billing system has to say so again.`;
  }
}

/** The event gets a new number and keeps its time. An event that the database already has is not written again. */
function recordAgain(event: RestoreEvent): string {
  const { at, organisationId, actor, action, tokenId, preview, requestId, ip, userAgent, detail } = event;
  const insertion = sql`INSERT INTO events (at, organisation_id, actor, action, token_id, preview, request_id, ip, user_agent, detail) SELECT ${at}, ${organisationId}, ${actor}, ${action}, ${tokenId}, ${preview}, ${requestId}, ${ip}, ${userAgent}, ${detail}`;
  return `${insertion} WHERE ${isNotOnRecord(event)};`;
}

function isNotOnRecord(event: RestoreEvent): string {
  const { at, organisationId, action, tokenId, preview, requestId, detail } = event;
  return sql`NOT EXISTS (SELECT 1 FROM events WHERE at = ${at} AND request_id = ${requestId} AND action = ${action} AND organisation_id IS ${organisationId} AND token_id IS ${tokenId} AND preview IS ${preview} AND detail IS ${detail})`;
}

/** Values become literals: wrangler runs files, which have no parameters. */
export function sql(parts: TemplateStringsArray, ...values: (string | number | null)[]): string {
  return parts.reduce((text, part, index) => text + literal(values[index - 1] ?? null) + part);
}

/** Text that is not plain ASCII travels as its bytes, so that no quote, line or statement ends early. */
function literal(value: string | number | null): string {
  if (value === null) return 'NULL';
  if (typeof value === 'number') return String(value);
  return /^[ !#-&(-:<-~]*$/.test(value)
    ? `'${value}'`
    : `CAST(X'${Buffer.from(value).toString('hex')}' AS TEXT)`;
}
