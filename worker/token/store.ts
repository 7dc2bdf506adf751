// Tokens at rest. Each mutation is one batch: the audit event first, under the same guard as the change; then the
// change itself, with ownership, membership, plan and limit in its own statement; then what tells a refusal's reason.
import { and, desc, eq, exists, lt, not, or, sql } from 'drizzle-orm';
import type { SQL } from 'drizzle-orm';
import { eventColumns, selectDeletion } from '../activity/store.ts';
import type { Cause } from '../activity/events.ts';
import { batch } from '../database.ts';
import type { Db } from '../database.ts';
import { TOKEN_LIMIT } from '../organisation/organisation.ts';
import { judgeStanding, selectStanding } from '../organisation/store.ts';
import type { ChangeHead, Refusal } from '../organisation/store.ts';
import { changes, events, idempotencyKeys, members, organisations, tokens } from '../tables.ts';
import type { TokenHash } from './secret.ts';

/** The row that the table shows, and the whole of what leaves the Worker: a hash cannot leak through it. */
export type Token = {
  id: string;
  preview: string;
  name: string | null;
  active: boolean;
  createdBy: string;
  createdAt: string;
  lastUsedAt: string | null;
};

/** Where a mutation happens and who asks for it. */
export type Place = { organisationId: string; email: string };

const columns = {
  id: tokens.id,
  preview: tokens.preview,
  name: tokens.name,
  active: tokens.active,
  createdBy: tokens.createdBy,
  createdAt: tokens.createdAt,
  lastUsedAt: tokens.lastUsedAt,
};

/** The organisation's tokens, newest first, or why they are not shown. */
export async function listTokens(
  db: Db,
  place: Place,
): Promise<{ ok: true; tokens: Token[] } | { ok: false; reason: Refusal }> {
  const {
    standing: [standing],
    listed,
  } = await batch(db, {
    standing: selectStanding(db, place.organisationId, place.email),
    listed: db
      .select(columns)
      .from(tokens)
      .where(and(eq(tokens.organisationId, place.organisationId), mayManage(db, place)))
      .orderBy(desc(tokens.createdAt), tokens.id),
  });
  const access = judgeStanding(standing);
  return access.ok ? { ok: true, tokens: listed } : access;
}

export function findToken(db: Db, id: string) {
  return db.select(columns).from(tokens).where(eq(tokens.id, id));
}

/** How many tokens the organisation has, and how many of them are active. */
export function countTokens(db: Db, organisationId: string) {
  return db
    .select({ total: sql<number>`count(*)`, active: sql<number>`count(*) FILTER (WHERE ${tokens.active})` })
    .from(tokens)
    .where(eq(tokens.organisationId, organisationId));
}

/** The key of a create, the SHA-256 of its body, and the time of the call in ms. */
export type Idempotency = { key: string; bodyHash: string; now: number };
export type NewToken = { id: string; hash: TokenHash; preview: string; name: string | null };
export type Creation =
  | { ok: true; token: Token }
  /** The same key was used before: its token (null when deleted since), and whether the body was the same. */
  | { ok: false; reason: 'repeated'; token: Token | null; sameBody: boolean }
  | { ok: false; reason: 'preview-taken' }
  | { ok: false; reason: 'token-limit-reached' | Refusal };

/**
 * Creates a token unless the organisation has ten, the plan is another, or the idempotency key was used before. The
 * trigger `tokens_limit` stands behind the guard.
 */
export async function addToken(
  db: Db,
  place: Place,
  token: NewToken,
  cause: Cause,
  idempotency: Idempotency | null,
): Promise<Creation> {
  const count = sql`(SELECT count(*) FROM ${tokens} WHERE ${tokens.organisationId} = ${place.organisationId})`;
  const sameKey = and(
    eq(idempotencyKeys.organisationId, place.organisationId),
    eq(idempotencyKeys.actor, place.email),
    eq(idempotencyKeys.key, idempotency?.key ?? ''),
  );
  const usedKey = db.select().from(idempotencyKeys).where(sameKey);
  const samePreview = db
    .select({ one: sql`1` })
    .from(tokens)
    .where(and(eq(tokens.organisationId, place.organisationId), eq(tokens.preview, token.preview)));
  const asked = and(membership(place), not(exists(usedKey)));
  const granted = and(asked, lt(count, TOKEN_LIMIT), not(exists(samePreview)));
  const {
    created: [created],
    standing: [standing],
    used: [used],
    full,
    taken,
  } = await batch(db, {
    refusalEvent: record(
      db,
      'token.limit-refused',
      cause,
      place,
      {},
      and(asked, not(lt(count, TOKEN_LIMIT))),
    ),
    event: record(
      db,
      'token.created',
      cause,
      place,
      { tokenId: token.id, preview: token.preview, detail: token.name },
      granted,
    ),
    created: db
      .insert(tokens)
      .select(
        db
          .select({
            id: sql`${token.id}`.as('id'),
            organisationId: sql`${place.organisationId}`.as('organisation_id'),
            hash: sql`${token.hash}`.as('hash'),
            preview: sql`${token.preview}`.as('preview'),
            name: sql`${token.name}`.as('name'),
            active: sql`1`.as('active'),
            createdBy: sql`${place.email}`.as('created_by'),
            createdAt: sql`${cause.at}`.as('created_at'),
            lastUsedAt: sql`NULL`.as('last_used_at'),
          })
          .from(members)
          .innerJoin(organisations, eq(organisations.id, members.organisationId))
          .where(granted),
      )
      .returning(columns),
    key: db.insert(idempotencyKeys).select(
      db
        .select({
          organisationId: sql`${tokens.organisationId}`.as('organisation_id'),
          actor: sql`${place.email}`.as('actor'),
          key: sql`${idempotency?.key ?? ''}`.as('key'),
          bodyHash: sql`${idempotency?.bodyHash ?? ''}`.as('body_hash'),
          tokenId: sql`${tokens.id}`.as('token_id'),
          createdAt: sql`${idempotency?.now ?? 0}`.as('created_at'),
        })
        .from(tokens)
        .where(and(eq(tokens.id, token.id), sql`${idempotency?.key ?? null} IS NOT NULL`)),
    ),
    standing: selectStanding(db, place.organisationId, place.email),
    used: db
      .select({ bodyHash: idempotencyKeys.bodyHash, token: columns })
      .from(idempotencyKeys)
      .leftJoin(tokens, eq(tokens.id, idempotencyKeys.tokenId))
      .where(sameKey),
    full: db
      .select({ one: sql`1` })
      .from(sql`(SELECT 1)`)
      .where(not(lt(count, TOKEN_LIMIT))),
    taken: samePreview,
  });
  if (created !== undefined) return { ok: true, token: created };
  const access = judgeStanding(standing);
  if (!access.ok) return access;
  if (used !== undefined && idempotency !== null) {
    return {
      ok: false,
      reason: 'repeated',
      token: used.token,
      sameBody: used.bodyHash === idempotency.bodyHash,
    };
  }
  if (full.length > 0 || taken.length === 0) return { ok: false, reason: 'token-limit-reached' };
  return { ok: false, reason: 'preview-taken' };
}

export type Updated =
  | { ok: true; token: Token; hash: TokenHash; head: ChangeHead; changedAt: string | null }
  | { ok: false; reason: 'token-not-found' | Refusal };

/**
 * Switches and renames in one batch. `changedAt`: when the token's verification changed last (RFC 3339, the database's clock), null
 * where that is a day ago or more. `head` is at or after every change of this token that has been committed.
 */
export async function updateToken(
  db: Db,
  place: Place,
  id: string,
  change: { active?: boolean; name?: string | null },
  cause: Cause,
): Promise<Updated> {
  const { active, name } = change;
  const here = and(eq(tokens.id, id), eq(tokens.organisationId, place.organisationId));
  // What is not to be changed is compared with itself, and set to itself.
  const newActive = active === undefined ? sql`${tokens.active}` : sql`${Number(active)}`;
  const newName = name === undefined ? sql`${tokens.name}` : sql`${name}`;
  const switched = sql`${tokens.active} <> ${newActive}`;
  const renamed = sql`${tokens.name} IS NOT ${newName}`;
  const changedAt = sql<
    string | null
  >`(SELECT max(${changes.at}) FROM ${changes} WHERE ${changes.tokenHash} = ${tokens.hash})`;
  const {
    standing: [standing],
    found: [row],
  } = await batch(db, {
    switchEvent: recordForToken(
      db,
      active === true ? 'token.activated' : 'token.deactivated',
      cause,
      place,
      null,
      and(here, switched),
    ),
    renameEvent: recordForToken(db, 'token.renamed', cause, place, name ?? null, and(here, renamed)),
    changed: db
      .update(tokens)
      .set({ active: newActive, name: newName })
      .where(and(here, or(switched, renamed), mayManage(db, place))),
    standing: selectStanding(db, place.organisationId, place.email),
    found: db.select({ token: columns, hash: tokens.hash, changedAt }).from(tokens).where(here),
  });
  const access = judgeStanding(standing);
  if (!access.ok) return access;
  if (row === undefined) return { ok: false, reason: 'token-not-found' };
  // The column holds nothing but SHA-256 in hex (migrations/).
  const hash = row.hash as TokenHash;
  return { ok: true, token: row.token, hash, head: access.head, changedAt: row.changedAt };
}

export type Removed =
  | { ok: true; hash: TokenHash; head: ChangeHead }
  /** `deletedAt`: when it was deleted in this organisation (RFC 3339), or null: it never was here. */
  | { ok: false; reason: 'token-not-found'; head: ChangeHead; deletedAt: string | null }
  | { ok: false; reason: Refusal };

/** Deletes for good. `head` is at or after every change that has been committed, also when there was nothing to delete. */
export async function removeToken(db: Db, place: Place, id: string, cause: Cause): Promise<Removed> {
  const here = and(eq(tokens.id, id), eq(tokens.organisationId, place.organisationId));
  const {
    deleted: [row],
    standing: [standing],
    earlier: [earlier],
  } = await batch(db, {
    event: recordForToken(db, 'token.deleted', cause, place, null, here),
    deleted: db
      .delete(tokens)
      .where(and(here, mayManage(db, place)))
      .returning({ hash: tokens.hash }),
    standing: selectStanding(db, place.organisationId, place.email),
    earlier: selectDeletion(db, place.organisationId, id).limit(1),
  });
  const access = judgeStanding(standing);
  if (!access.ok) return access;
  const { head } = access;
  if (row === undefined) {
    return { ok: false, reason: 'token-not-found', head, deletedAt: earlier?.at ?? null };
  }
  // The column holds nothing but SHA-256 in hex (migrations/).
  return { ok: true, hash: row.hash as TokenHash, head };
}

/** Whether the member may manage the organisation's tokens now, as part of a statement's own WHERE. */
export function mayManage(db: Db, place: Place) {
  return exists(
    db
      .select({ one: sql`1` })
      .from(members)
      .innerJoin(organisations, eq(organisations.id, members.organisationId))
      .where(membership(place)),
  );
}

/** The same, where members and organisations are already in the FROM. */
function membership(place: Place) {
  return and(
    eq(members.email, place.email),
    eq(members.organisationId, place.organisationId),
    eq(organisations.plan, 'enterprise'),
  );
}

type Recorded =
  | 'token.created'
  | 'token.limit-refused'
  | 'token.activated'
  | 'token.deactivated'
  | 'token.renamed'
  | 'token.deleted';

function record(
  db: Db,
  action: Recorded,
  cause: Cause,
  place: Place,
  subject: { tokenId?: string; preview?: string; detail?: string | null },
  guard: SQL | undefined,
) {
  return db.insert(events).select(
    db
      .select(eventColumns(action, cause, { organisationId: place.organisationId, ...subject }))
      .from(members)
      .innerJoin(organisations, eq(organisations.id, members.organisationId))
      .where(guard),
  );
}

function recordForToken(
  db: Db,
  action: Recorded,
  cause: Cause,
  place: Place,
  detail: string | null,
  guard: SQL | undefined,
) {
  return db.insert(events).select(
    db
      .select(
        eventColumns(action, cause, {
          organisationId: place.organisationId,
          tokenId: sql`${tokens.id}`,
          preview: sql`${tokens.preview}`,
          detail,
        }),
      )
      .from(tokens)
      .where(and(guard, mayManage(db, place))),
  );
}
