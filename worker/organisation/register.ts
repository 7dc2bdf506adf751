// The statements by which the operator creates, changes, deletes and lists organisations. Each change is one batch, with its events
// first. The triggers of migrations/ write the rows that verification reads.
import { and, asc, eq, exists, gt, gte, inArray, isNull, ne, not, sql } from 'drizzle-orm';
import type { SQL } from 'drizzle-orm';
import type { Action, Cause } from '../activity/events.ts';
import { eventColumns } from '../activity/store.ts';
import { batch } from '../database.ts';
import type { Db } from '../database.ts';
import { events, members, organisations, replacedSecrets, sessions, tokens } from '../tables.ts';
import { hashOfRow } from '../token/secret.ts';
import type { TokenHash } from '../token/secret.ts';
import { LIST_PAGE } from './organisation.ts';
import type { Organisation, Plan } from './organisation.ts';
import { countTokens, newestChange } from './store.ts';
import type { ChangeHead } from './store.ts';

/** An organisation as the operator sees it. `version` is the counter of the billing system, if it sends one. */
export type Registered = Organisation & { version: number | null; createdAt: string };

export const registeredColumns = {
  id: organisations.id,
  name: organisations.name,
  plan: organisations.plan,
  pausedAt: organisations.pausedAt,
  version: organisations.version,
  createdAt: organisations.createdAt,
};
const planSince = sql<string>`coalesce(${organisations.planChangedAt}, ${organisations.createdAt})`;

/** An organisation as the operator wants it. */
export type Wanted = { id: string; name: string; plan: Plan; version?: number };

/** An organisation as it is, and since when it has its plan (RFC 3339; by the clock of the database, or its creation). */
export type Standing = { organisation: Registered; planSince: string };

/** Those of these organisations that exist, by id: one statement, for 100 ids at most. */
export async function readStandings(db: Db, ids: [string, ...string[]]): Promise<Map<string, Standing>> {
  const [first, ...more] = ids;
  const rows = await db
    .select({ ...registeredColumns, planSince })
    .from(organisations)
    .where(more.length === 0 ? eq(organisations.id, first) : inArray(organisations.id, ids));
  return new Map(
    rows.map(({ planSince: since, ...organisation }) => [
      organisation.id,
      { organisation, planSince: since },
    ]),
  );
}

/** Whether nothing about the organisation is to be written. */
export function isAsWanted({ organisation }: Standing, wanted: Wanted): boolean {
  return (
    organisation.name === wanted.name &&
    organisation.plan === wanted.plan &&
    (wanted.version === undefined || organisation.version === wanted.version)
  );
}

export type Put =
  | {
      ok: true;
      outcome: 'created' | 'changed' | 'unchanged';
      standing: Standing;
      hashes: TokenHash[];
      head: ChangeHead;
    }
  /** A newer version was applied before, and stays. */
  | { ok: false; reason: 'stale-version'; version: number };

/**
 * Creates the organisation or changes it. A `version` below the one that was applied last changes nothing, and the attempt is
 * recorded. `hashes` are those of its tokens' secrets, twenty at most. `head` is not before any change of them.
 */
export async function putOrganisation(db: Db, wanted: Wanted, cause: Cause): Promise<Put> {
  const { id, name, plan, version } = wanted;
  const here = eq(organisations.id, id);
  // Without a version the organisation is always changed: a comparison with NULL is never true.
  const overtaken = sql`${organisations.version} > ${version ?? null}`;
  const fresh = sql`(${overtaken}) IS NOT TRUE`;
  const {
    before: [before],
    after: [after],
    hashes,
  } = await batch(db, {
    before: db
      .select({ ...registeredColumns, planSince })
      .from(organisations)
      .where(here),
    createdEvent: db.insert(events).select(
      db
        .select(
          eventColumns('organisation.created', cause, { organisationId: id, detail: `${name} (${plan})` }),
        )
        .from(sql`(SELECT 1)`)
        .where(
          not(
            exists(
              db
                .select({ one: sql`1` })
                .from(organisations)
                .where(here),
            ),
          ),
        ),
    ),
    ignoredEvent: record(db, 'plan.change-ignored', cause, sql`${plan}`, and(here, overtaken)),
    planEvent: record(
      db,
      'plan.changed',
      cause,
      sql`${organisations.plan} || ${' → '} || ${plan}`,
      and(here, ne(organisations.plan, plan), fresh),
    ),
    renamedEvent: record(
      db,
      'organisation.renamed',
      cause,
      sql`${name}`,
      and(here, ne(organisations.name, name), fresh),
    ),
    put: db
      .insert(organisations)
      .values({ id, name, plan, version: version ?? null, createdAt: cause.at })
      .onConflictDoUpdate({
        target: organisations.id,
        set: { name, plan, ...(version === undefined ? {} : { version }) },
        setWhere: fresh,
      }),
    after: db
      .select({ ...registeredColumns, planSince, head: newestChange })
      .from(organisations)
      .where(here),
    hashes: selectHashes(db, id),
  });
  const applied = before?.version ?? null;
  if (version !== undefined && applied !== null && version < applied) {
    return { ok: false, reason: 'stale-version', version: applied };
  }
  if (after === undefined) throw new Error('an organisation that was just put is not there');
  const { head, planSince: since, ...organisation } = after;
  const standing = { organisation, planSince: since };
  const isUnchanged = before !== undefined && isAsWanted({ ...standing, organisation: before }, wanted);
  const outcome = before === undefined ? 'created' : isUnchanged ? 'unchanged' : 'changed';
  return { ok: true, outcome, standing, hashes: hashes.map(hashOfRow), head };
}

/**
 * Deletes the organisation with its members, tokens and usage, and ends the sessions of those who belong to no other.
 * Changes and records nothing if there is no such organisation.
 */
export async function removeOrganisation(
  db: Db,
  id: string,
  cause: Cause,
): Promise<{ hashes: TokenHash[]; head: ChangeHead }> {
  const here = eq(organisations.id, id);
  const {
    hashes,
    newest: [newest],
  } = await batch(db, {
    hashes: selectHashes(db, id),
    tokenEvents: db.insert(events).select(
      db
        .select(
          eventColumns('token.deleted', cause, {
            organisationId: id,
            tokenId: sql`${tokens.id}`,
            preview: sql`${tokens.preview}`,
          }),
        )
        .from(tokens)
        .where(eq(tokens.organisationId, id)),
    ),
    event: record(db, 'organisation.deleted', cause, sql`${organisations.name}`, here),
    sessions: db.delete(sessions).where(
      and(
        inArray(
          sessions.email,
          db.select({ email: members.email }).from(members).where(eq(members.organisationId, id)),
        ),
        not(
          exists(
            db
              .select({ one: sql`1` })
              .from(members)
              .where(and(eq(members.email, sessions.email), ne(members.organisationId, id))),
          ),
        ),
      ),
    ),
    deleted: db.delete(organisations).where(here),
    newest: db.select({ head: newestChange }).from(sql`(SELECT 1)`),
  });
  if (newest === undefined) throw new Error('changes: no row at all');
  return { hashes: hashes.map(hashOfRow), head: newest.head };
}

/** The organisation and how many tokens it has, or null. */
export async function readRegistered(
  db: Db,
  id: string,
): Promise<(Registered & { tokens: { active: number; total: number } }) | null> {
  const {
    organisation: [row],
    counts: [count],
  } = await batch(db, {
    organisation: db.select(registeredColumns).from(organisations).where(eq(organisations.id, id)),
    counts: countTokens(db, id),
  });
  if (row === undefined) return null;
  return { ...row, tokens: { active: count?.active ?? 0, total: count?.total ?? 0 } };
}

/** The number of the newest change. */
export async function readHead(db: Db): Promise<number> {
  const [row] = await db.select({ head: newestChange }).from(sql`(SELECT 1)`);
  return row?.head.seq ?? 0;
}

export type Listing = { after?: string; plan?: Plan; since?: string };

/**
 * A page of organisations. All of them come in the order of their ids. Those of a plan, and those created at or after `since`
 * (RFC 3339), come in the order of their creation. `next` is the cursor of the page after, or null.
 */
export async function listOrganisations(
  db: Db,
  { after, plan, since }: Listing = {},
): Promise<{ organisations: Registered[]; next: string | null }> {
  const isByCreation = plan !== undefined || since !== undefined;
  const { id, createdAt } = organisations;
  const [afterTime = '', afterId = ''] = (after ?? '').split(' ');
  const rows = await db
    .select(registeredColumns)
    .from(organisations)
    .where(
      isByCreation
        ? and(
            plan === undefined ? undefined : eq(organisations.plan, plan),
            // The cursor is at or after `since`, so one bound is enough. An index can use only one.
            after === undefined
              ? gte(createdAt, since ?? '')
              : sql`(${createdAt}, ${id}) > (${afterTime}, ${afterId})`,
          )
        : gt(id, after ?? ''),
    )
    .orderBy(...(isByCreation ? [asc(createdAt), asc(id)] : [asc(id)]))
    .limit(LIST_PAGE + 1);
  const shown = rows.slice(0, LIST_PAGE);
  const last = shown.at(-1);
  if (last === undefined || rows.length <= LIST_PAGE) return { organisations: shown, next: null };
  return { organisations: shown, next: isByCreation ? `${last.createdAt} ${last.id}` : last.id };
}

function record(db: Db, action: Action, cause: Cause, detail: SQL, guard: SQL | undefined) {
  return db.insert(events).select(
    db
      .select(eventColumns(action, cause, { organisationId: sql`${organisations.id}`, detail }))
      .from(organisations)
      .where(guard),
  );
}

/** The secrets of the organisation's tokens that are not retired. */
export function selectHashes(db: Db, id: string) {
  return db
    .select({ hash: tokens.hash })
    .from(tokens)
    .where(eq(tokens.organisationId, id))
    .unionAll(
      db
        .select({ hash: replacedSecrets.hash })
        .from(tokens)
        .innerJoin(replacedSecrets, eq(replacedSecrets.tokenId, tokens.id))
        .where(and(eq(tokens.organisationId, id), isNull(replacedSecrets.retiredAt))),
    );
}
