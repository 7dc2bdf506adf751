// The questions of bench:large. Together they send every statement of calls, pages, the operator, hubs and the hourly run.
import { hashOfSecret } from '../worker/token/secret.ts';
import { TEN_MINUTES_CRON } from '../worker/upkeep/run.ts';
import { CHANGES_FROM, READ, NEWEST_CHANGES, OWNER } from '../worker/verification/source/statements.ts';
import { usageStatements } from '../worker/verification/source/usage-statements.ts';
import { countedOf } from './counted.ts';
import { SETTINGS } from './fleet.ts';
import { COOKIE, EXPIRED, HOUR, OURS, OWNER_EMAIL, SECRETS, plantExpired } from './large-fill.ts';
import { median } from './statistics.ts';
import { tokenIdOf } from './tokens.ts';
import type { Database } from './tokens.ts';

const ROUNDS = 11;

/** The answer of peers/measured.ts. */
export type Answer = {
  status: number;
  bytes: number;
  sent: { sql: string; rowsRead: number; rowsWritten: number }[];
};
type Row = { rowsRead: number; rowsWritten: number; statements: number; ms: number };

const OPERATOR = { authorization: `Bearer ${SETTINGS.OPERATOR_SECRET}` };
const MEMBER = { cookie: `local-session=${COOKIE}` };
const ZONE = '/api/organisations/acme';

/** One of the two databases, with its own Worker. */
export type Side = { db: Database; send(path: string, init?: RequestInit): Promise<Answer> };

/**
 * Asks both databases every question, in turns, so that other work of the machine slows down both. Answers a row for each question,
 * and the texts of all statements.
 */
export async function ask(
  small: Side,
  large: Side,
): Promise<{ rows: Map<string, { small: Row; large: Row }>; statements: Set<string> }> {
  const rows = new Map<string, { small: Row; large: Row }>();
  const statements = new Set<string>();
  async function row(
    title: string,
    question: (side: Side, round: number) => Promise<Answer['sent']>,
    rounds = ROUNDS,
  ): Promise<void> {
    const sides = [small, large].map((side) => ({ side, took: [] as number[], sent: [] as Answer['sent'] }));
    for (let round = 0; round < rounds; round++) {
      for (const one of round % 2 === 0 ? sides : sides.toReversed()) {
        const startedAt = performance.now();
        one.sent = await question(one.side, round);
        one.took.push(performance.now() - startedAt);
        for (const { sql } of one.sent) statements.add(sql);
      }
    }
    const [first, second] = sides.map(({ took, sent }) => ({
      rowsRead: sent.reduce((sum, each) => sum + each.rowsRead, 0),
      rowsWritten: sent.reduce((sum, each) => sum + each.rowsWritten, 0),
      statements: sent.length,
      ms: median(took),
    }));
    if (first !== undefined && second !== undefined) rows.set(title, { small: first, large: second });
  }
  const request =
    (path: string, init?: RequestInit, status = 200) =>
    async (side: Side) => {
      const answer = await side.send(path, init);
      if (answer.status !== status) throw new Error(`${path}: ${answer.status}`);
      return answer.sent;
    };
  /** A statement of a hub. */
  const asked = (sql: string, ...values: unknown[]) =>
    request('/statement', { method: 'POST', body: JSON.stringify({ sql, values }) });

  await row(
    'a call with a token that no isolate remembers',
    (side, round) =>
      request('/v1/ping', { headers: { authorization: `Bearer ${SECRETS[round] ?? ''}` } })(side),
    OURS.tokens,
  );
  await row('the same statement for 10 tokens', asked(READ, JSON.stringify(SECRETS.map(hashOfSecret))));
  await row('a hub: what is new', async (side) => {
    const head = (await side.db.prepare('SELECT max(seq) AS seq FROM changes').first<number>('seq')) ?? 0;
    return asked(CHANGES_FROM, head, 5000)(side);
  });
  await row('a hub: whose the database is', asked(OWNER));
  for (const callers of [1, 20]) {
    const title = `a hub: the counts of 10 tokens, of ${callers === 1 ? 'one caller' : `${callers} callers`} each`;
    await row(title, async (side) => {
      const counted = SECRETS.map((secret, index) =>
        countedOf(tokenIdOf(index), hashOfSecret(secret), HOUR, callers),
      );
      const answers = [];
      for (const { sql, json } of usageStatements(counted)) answers.push(...(await asked(sql, json)(side)));
      return answers;
    });
  }
  await row('the same with a refused call each', async (side) => {
    const at = new Date().toISOString();
    const counted = SECRETS.map((secret, index) =>
      Object.assign(countedOf(tokenIdOf(index), hashOfSecret(secret), HOUR, 1), {
        refused: 1,
        reasons: { network: 1 },
        addresses: ['203.0.113.7/32'],
        addressesAt: at,
      }),
    );
    const answers = [];
    for (const { sql, json } of usageStatements(counted)) answers.push(...(await asked(sql, json)(side)));
    return answers;
  });
  await row('a page: the session', request('/api/session', { headers: MEMBER }));
  await row('a page: the tokens', request(`${ZONE}/tokens`, { headers: MEMBER }));
  await row('a page: 30 days of calls', request(`${ZONE}/usage`, { headers: MEMBER }));
  await row(
    'a page: who calls with a token',
    request(`${ZONE}/tokens/${tokenIdOf(0)}/calls`, { headers: MEMBER }),
  );
  await row(
    'a page: 30 ended secrets that are called',
    request(`${ZONE}/still-calling`, { headers: MEMBER }),
  );
  await row('a page: the activity', request(`${ZONE}/activity`, { headers: MEMBER }));
  await row(
    'the activity of one action',
    request(`${ZONE}/activity?action=token.created`, { headers: MEMBER }),
  );
  await row(
    'the activity of one person',
    request(`${ZONE}/activity?actor=${OWNER_EMAIL}`, { headers: MEMBER }),
  );
  await row('the people of the activity', request(`${ZONE}/activity/people`, { headers: MEMBER }));
  await row('the export of 1,000 events', request(`${ZONE}/activity.jsonl`, { headers: MEMBER }));
  await row('/operator/status', request('/operator/status', { headers: OPERATOR }), 3);
  await row(
    '/operator/events?since=, 1,000 events',
    request('/operator/events?since=2026-09-01T00:00:00Z', { headers: OPERATOR }),
  );
  await row('/operator/webhook', request('/operator/webhook', { headers: OPERATOR }));
  await row(
    '/operator/organisations?plan=&since=',
    request('/operator/organisations?plan=enterprise&since=2026-05-01T00:00:00Z', { headers: OPERATOR }),
  );
  const wanted = [{ id: 'acme', name: 'Acme', plan: 'enterprise' }];
  for (let index = 0; wanted.length < 20; index++) {
    wanted.push({
      id: `org-${String(index).padStart(5, '0')}`,
      name: 'Organisation',
      plan: index % 4 === 0 ? 'pro' : 'enterprise',
    });
  }
  const headers = { ...OPERATOR, 'content-type': 'application/json' };
  await row(
    'the nightly PUT of 20 that changes nothing',
    request('/operator/organisations', {
      method: 'PUT',
      headers,
      body: JSON.stringify({ organisations: wanted }),
    }),
  );
  // The first run fills the reserve.
  for (const side of [small, large]) {
    await side.send('/scheduled');
    await plantExpired(side.db);
  }
  await row(`the hourly run that removes ${EXPIRED.toLocaleString('en')} rows`, request('/scheduled'), 1);
  await row('the hourly run that finds nothing', request('/scheduled'), 3);
  await row(
    'the run of ten minutes that finds nothing',
    request(`/scheduled?cron=${encodeURIComponent(TEN_MINUTES_CRON)}`),
    3,
  );
  await row('a hub: its first load, the last 50,000 changes', asked(NEWEST_CHANGES, 50_000), 3);
  return { rows, statements };
}
