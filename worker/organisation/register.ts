// Organisations as the platform keeps them: created, changed, deleted and listed by the operator. Each mutation is one
// batch with its audit events first; the triggers of migrations/ write what verification has to learn.
import { and, asc, eq, exists, gt, inArray, ne, not, sql } from 'drizzle-orm';
import type { SQL } from 'drizzle-orm';
import type { Action, Cause } from '../activity/events.ts';
import { eventColumns } from '../activity/store.ts';
import type { Db } from '../database.ts';
import { events, members, organisations, sessions, tokens } from '../tables.ts';
import type { TokenHash } from '../token/secret.ts';
import type { Plan } from './organisation.ts';
import { newestChange } from './store.ts';
import type { ChangeHead } from './store.ts';

/** As the operator sees it; `version` is the billing system's own counter, where it sends one. */
export type Registered = { id: string; name: string; plan: Plan; version: number | null; createdAt: string };

const columns = {
  id: organisations.id,
  name: organisations.name,
  plan: organisations.plan,
  version: organisations.version,
  createdAt: organisations.createdAt,
};

export type Put =
  | { ok: true; created: boolean; organisation: Registered; hashes: TokenHash[]; head: ChangeHead }
  /** A newer version was applied before; that one stands. */
  | { ok: false; reason: 'stale-version'; version: number };

/**
 * Creates the organisation or changes it. With a `version` below the one that was applied last nothing changes, and
 * the attempt is on record. `hashes` are all of its tokens, ten at most; `head` is at or after every change of them.
 */
export async function putOrganisation(
  db: Db,
  wanted: { id: string; name: string; plan: Plan; version?: number },
  cause: Cause,
): Promise<Put> {
  const { id, name, plan, version } = wanted;
  const here = eq(organisations.id, id);
  // Without a version nothing is overtaken: a comparison with NULL is never true.
  const overtaken = sql`${organisations.version} > ${version ?? null}`;
  const fresh = sql`(${overtaken}) IS NOT TRUE`;
  const [[before], , , , , , [after], rows] = await db.batch([
    db.select({ version: organisations.version }).from(organisations).where(here),
    db.insert(events).select(
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
    record(db, 'plan.change-ignored', cause, sql`${plan}`, and(here, overtaken)),
    record(
      db,
      'plan.changed',
      cause,
      sql`${organisations.plan} || ${' → '} || ${plan}`,
      and(here, ne(organisations.plan, plan), fresh),
    ),
    record(db, 'organisation.renamed', cause, sql`${name}`, and(here, ne(organisations.name, name), fresh)),
    db
      .insert(organisations)
      .values({ id, name, plan, version: version ?? null, createdAt: cause.at })
      .onConflictDoUpdate({
        target: organisations.id,
        set: { name, plan, ...(version === undefined ? {} : { version }) },
        setWhere: fresh,
      }),
    db
      .select({ ...columns, head: newestChange })
      .from(organisations)
      .where(here),
    db.select({ hash: tokens.hash }).from(tokens).where(eq(tokens.organisationId, id)),
  ]);
  const applied = before?.version ?? null;
  if (version !== undefined && applied !== null && version < applied) {
    return { ok: false, reason: 'stale-version', version: applied };
  }
  if (after === undefined) throw new Error('an organisation that was just put is not there');
  const { head, ...organisation } = after;
  return { ok: true, created: before === undefined, organisation, hashes: rows.map(hashOf), head };
}

/**
 * Deletes the organisation with its members, tokens and usage, and ends the sessions of those who belong to no other.
 * Deleting what is not there changes nothing and records nothing.
 */
export async function deleteOrganisation(
  db: Db,
  id: string,
  cause: Cause,
): Promise<{ hashes: TokenHash[]; head: ChangeHead }> {
  const here = eq(organisations.id, id);
  const [rows, , , , , [last]] = await db.batch([
    db.select({ hash: tokens.hash }).from(tokens).where(eq(tokens.organisationId, id)),
    db.insert(events).select(
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
    record(db, 'organisation.deleted', cause, sql`${organisations.name}`, here),
    db.delete(sessions).where(
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
    db.delete(organisations).where(here),
    db.select({ head: newestChange }).from(sql`(SELECT 1)`),
  ]);
  if (last === undefined) throw new Error('changes: no row at all');
  return { hashes: rows.map(hashOf), head: last.head };
}

/** The organisation and how many tokens it has, or null. */
export async function readOrganisation(
  db: Db,
  id: string,
): Promise<(Registered & { tokens: { active: number; total: number } }) | null> {
  const [[row], [count]] = await db.batch([
    db.select(columns).from(organisations).where(eq(organisations.id, id)),
    db
      .select({ active: sql<number>`total(${tokens.active})`, total: sql<number>`count(*)` })
      .from(tokens)
      .where(eq(tokens.organisationId, id)),
  ]);
  if (row === undefined) return null;
  return { ...row, tokens: { active: count?.active ?? 0, total: count?.total ?? 0 } };
}

const PAGE = 100;

/** A page of all organisations in the order of their ids; `next` is the cursor of the page after, or null. */
export async function listOrganisations(
  db: Db,
  after = '',
): Promise<{ organisations: Registered[]; next: string | null }> {
  const rows = await db
    .select(columns)
    .from(organisations)
    .where(gt(organisations.id, after))
    .orderBy(asc(organisations.id))
    .limit(PAGE + 1);
  const shown = rows.slice(0, PAGE);
  return { organisations: shown, next: rows.length > PAGE ? (shown.at(-1)?.id ?? null) : null };
}

function record(db: Db, action: Action, cause: Cause, detail: SQL, guard: SQL | undefined) {
  return db.insert(events).select(
    db
      .select(eventColumns(action, cause, { organisationId: sql`${organisations.id}`, detail }))
      .from(organisations)
      .where(guard),
  );
}

function hashOf(row: { hash: string }): TokenHash {
  // The column holds nothing but SHA-256 in hex (migrations/).
  return row.hash as TokenHash;
}
