// The statements for tokens. Each change is one batch: first its event, under the same condition as the change; then the change,
// whose statement checks ownership, membership, plan and limit; then rows that tell why it was refused.
import { and, desc, eq, exists, isNull, lt, not, sql } from 'drizzle-orm';
import type { SQL } from 'drizzle-orm';
import { eventColumns, selectDeletion } from '../activity/store.ts';
import type { Action, Cause, ExposedBy } from '../activity/events.ts';
import { batch } from '../database.ts';
import type { Db } from '../database.ts';
import { TOKEN_LIMIT } from '../organisation/organisation.ts';
import { judgeStanding, selectStanding } from '../organisation/store.ts';
import type { ChangeHead, AccessRefusal } from '../organisation/store.ts';
import {
  changes,
  events,
  idempotencyKeys,
  members,
  organisations,
  replacedSecrets,
  tokens,
} from '../tables.ts';
import { keepKey, mayManage, membership, previewIsTaken, sameKey } from './guards.ts';
import type { Authority, Idempotency, Place } from './guards.ts';
import type { Access } from './limits.ts';
import type { Until } from './retirement.ts';
import { hashOfRow } from './secret.ts';
import type { TokenHash } from './secret.ts';

/** A token as answers show it. It has no hash, so that no answer can leak one. */
export type Token = {
  id: string;
  preview: string;
  name: string | null;
  active: boolean;
  createdBy: string;
  createdAt: string;
  /** Of the current secret, as `preview` is. */
  lastUsedAt: string | null;
  /** From then on the token is refused; null: it has no end. */
  expiresAt: string | null;
  access: Access;
  /** An empty list restrains nothing. */
  paths: string[];
  networks: string[];
  origins: string[];
  /** Set where the token is off because a member switched off all tokens at once. Switching the token either way clears it. */
  pausedTogether: PausedTogether | null;
  /** The secret before the current one, while it still works. */
  retiring: Retiring | null;
  /** The secrets that were retired in the last 30 days, the newest ten of them, newest first. */
  retired: Retired[];
  /** What marks the token while its current secret counts as exposed; such a token is inactive. */
  exposed: Exposed | null;
};
/** `at` in RFC 3339; `by`: the address of the member. */
export type PausedTogether = { at: string; by: string };
/** `retiresAt`: the latest end if `until` is `silent`. */
export type Retiring = { preview: string; retiresAt: string; lastUsedAt: string | null; until: Until };
/** `by`: who said so. `where`: the address at which the secret was seen. `paused`: whether the exposure switched the token off. */
export type Exposed = { at: string; by: ExposedBy; where: string | null; paused: boolean };
export type Retired = { preview: string; retiredAt: string; lastUsedAt: string | null };

const columns = {
  id: tokens.id,
  preview: tokens.preview,
  name: tokens.name,
  active: tokens.active,
  createdBy: tokens.createdBy,
  createdAt: tokens.createdAt,
  lastUsedAt: tokens.lastUsedAt,
  expiresAt: tokens.expiresAt,
  access: tokens.access,
  paths: tokens.paths,
  networks: tokens.networks,
  origins: tokens.origins,
};
/** What a new token has in the columns that its INSERT does not answer. */
const AS_CREATED = { pausedTogether: null, retiring: null, retired: [], exposed: null };

/** The columns of a `Token` at the instant `now`. A secret whose `retiresAt` has passed is retired, even if no row says so yet. */
export function tokenColumns(now: string) {
  const secrets = sql`SELECT * FROM replaced_secrets WHERE replaced_secrets.token_id = tokens.id`;
  const isRetiring = sql`retired_at IS NULL AND retires_at > ${now}`;
  return {
    ...columns,
    pausedTogether:
      sql`iif(${tokens.pausedTogetherAt} IS NULL, NULL, json_object('at', ${tokens.pausedTogetherAt}, 'by', ${tokens.pausedTogetherBy}))`.mapWith(
        (json: string): PausedTogether | null => JSON.parse(json) as PausedTogether,
      ),
    retiring:
      sql`(SELECT json_object('preview', preview, 'retiresAt', retires_at, 'lastUsedAt', last_used_at, 'until', until)
      FROM (${secrets} AND ${isRetiring}))`.mapWith(
        (json: string): Retiring | null => JSON.parse(json) as Retiring,
      ),
    retired:
      sql`(SELECT json_group_array(json_object('preview', preview, 'retiredAt', coalesce(retired_at, retires_at), 'lastUsedAt', last_used_at))
      FROM (${secrets} AND NOT (${isRetiring}) ORDER BY replaced_at DESC LIMIT 10))`.mapWith(
        (json: string): Retired[] => JSON.parse(json) as Retired[],
      ),
    exposed:
      sql`iif(${tokens.exposedAt} IS NULL, NULL, json_object('at', ${tokens.exposedAt}, 'by', ${tokens.exposedBy}, 'where', ${tokens.exposedWhere},
      'paused', json(iif(${tokens.exposedPaused}, 'true', 'false'))))`.mapWith(
        (json: string): Exposed | null => JSON.parse(json) as Exposed,
      ),
  };
}

/** The organisation's tokens at the instant `now`, newest first, or why they are not shown. */
export async function listTokens(
  db: Db,
  place: Authority,
  now = new Date().toISOString(),
): Promise<{ ok: true; tokens: Token[] } | { ok: false; reason: AccessRefusal }> {
  const {
    standing: [standing],
    listed,
  } = await batch(db, {
    standing: selectStanding(db, place.organisationId, place.email),
    listed: db
      .select(tokenColumns(now))
      .from(tokens)
      .where(and(eq(tokens.organisationId, place.organisationId), mayManage(db, place)))
      .orderBy(desc(tokens.createdAt), tokens.id),
  });
  const access = judgeStanding(standing);
  return access.ok ? { ok: true, tokens: listed } : access;
}

/** The token at the instant `now`. */
export function findToken(db: Db, id: string, now = new Date().toISOString()) {
  return db.select(tokenColumns(now)).from(tokens).where(eq(tokens.id, id));
}

/** What a member decides of a token; `expiresAt` in RFC 3339, UTC, milliseconds. */
export type TokenFields = Pick<Token, 'name' | 'expiresAt' | 'access' | 'paths' | 'networks' | 'origins'>;
export type NewToken = TokenFields & { id: string; hash: TokenHash; preview: string };
export type Creation =
  | { ok: true; token: Token }
  /** The same key was used before. `token`: the one that it made, null if it was deleted since. */
  | { ok: false; reason: 'repeated'; token: Token | null; sameBody: boolean }
  | { ok: false; reason: 'preview-taken' }
  /** The end of the token is in the past. */
  | { ok: false; reason: 'past' }
  | { ok: false; reason: 'token-limit-reached' | AccessRefusal };

/**
 * Creates a token, unless the organisation has ten tokens or another plan, or the idempotency key was used before. The trigger
 * `tokens_limit` refuses an eleventh token too.
 */
export async function addToken(
  db: Db,
  place: Place,
  token: NewToken,
  cause: Cause,
  idempotency: Idempotency | null,
): Promise<Creation> {
  const count = sql`(SELECT count(*) FROM ${tokens} WHERE ${tokens.organisationId} = ${place.organisationId})`;
  const usedKey = sameKey(place, idempotency);
  const samePreview = previewIsTaken(db, place.organisationId, token.preview);
  const asked = and(membership(place), not(exists(db.select().from(idempotencyKeys).where(usedKey))));
  const isPast = token.expiresAt !== null && token.expiresAt <= cause.at;
  const granted = isPast ? sql`0` : and(asked, lt(count, TOKEN_LIMIT), not(exists(samePreview)));
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
            expiresAt: sql`${token.expiresAt}`.as('expires_at'),
            access: sql`${token.access}`.as('access'),
            paths: sql`${JSON.stringify(token.paths)}`.as('paths'),
            networks: sql`${JSON.stringify(token.networks)}`.as('networks'),
            origins: sql`${JSON.stringify(token.origins)}`.as('origins'),
            exposedAt: sql`NULL`.as('exposed_at'),
            exposedBy: sql`NULL`.as('exposed_by'),
            exposedWhere: sql`NULL`.as('exposed_where'),
            exposedPaused: sql`0`.as('exposed_paused'),
            pausedTogetherAt: sql`NULL`.as('paused_together_at'),
            pausedTogetherBy: sql`NULL`.as('paused_together_by'),
          })
          .from(members)
          .innerJoin(organisations, eq(organisations.id, members.organisationId))
          .where(granted),
      )
      .returning(columns),
    key: keepKey(db, place, idempotency, eq(tokens.id, token.id)),
    standing: selectStanding(db, place.organisationId, place.email),
    used: db
      .select({ bodyHash: idempotencyKeys.bodyHash, token: tokenColumns(cause.at) })
      .from(idempotencyKeys)
      .leftJoin(tokens, eq(tokens.id, idempotencyKeys.tokenId))
      .where(usedKey),
    full: db
      .select({ one: sql`1` })
      .from(sql`(SELECT 1)`)
      .where(not(lt(count, TOKEN_LIMIT))),
    taken: samePreview,
  });
  if (created !== undefined) return { ok: true, token: { ...created, ...AS_CREATED } };
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
  // Told last: a repeat may come after the end.
  if (isPast) return { ok: false, reason: 'past' };
  if (full.length > 0 || taken.length === 0) return { ok: false, reason: 'token-limit-reached' };
  return { ok: false, reason: 'preview-taken' };
}

/** When the verification of the token changed last (RFC 3339, the database's clock), or null if that is a day or more ago: a column. */
export const changedAt = sql<
  string | null
>`(SELECT max(${changes.at}) FROM ${changes} WHERE ${changes.tokenHash} = lower(${tokens.hash}))`;

/** The retiring secrets of these tokens. */
export function selectRetiring(db: Db, here: SQL | undefined) {
  return db
    .select({ hash: replacedSecrets.hash, tokenId: replacedSecrets.tokenId })
    .from(tokens)
    .innerJoin(replacedSecrets, eq(replacedSecrets.tokenId, tokens.id))
    .where(and(here, isNull(replacedSecrets.retiredAt)));
}

export type Removed =
  /** `hashes`: those of its secrets that were not retired. */
  | { ok: true; hashes: TokenHash[]; head: ChangeHead }
  /** `deletedAt`: when this organisation deleted the token (RFC 3339), or null if it never had it. */
  | { ok: false; reason: 'token-not-found'; head: ChangeHead; deletedAt: string | null }
  | { ok: false; reason: AccessRefusal };

/** Deletes a token for good. `head` is not before any change that has been committed, even if there was nothing to delete. */
export async function removeToken(db: Db, place: Authority, id: string, cause: Cause): Promise<Removed> {
  const here = and(eq(tokens.id, id), eq(tokens.organisationId, place.organisationId));
  const {
    deleted: [row],
    standing: [standing],
    earlier: [earlier],
    retiring,
  } = await batch(db, {
    retiring: selectRetiring(db, here),
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
  return { ok: true, hashes: [row, ...retiring].map(hashOfRow), head };
}

/** What is on record of a token. */
export type Recorded = Extract<Action, `token.${string}`>;

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

export function recordForToken(
  db: Db,
  action: Recorded,
  cause: Cause,
  place: Authority,
  detail: SQL | string | null,
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
