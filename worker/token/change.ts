// Changes of a token at rest: its switch, its name and its limits. As in store.ts, each change is one batch.
import { and, eq, or, sql } from 'drizzle-orm';
import type { AnyColumn, SQL } from 'drizzle-orm';
import type { Cause } from '../activity/events.ts';
import { batch } from '../database.ts';
import type { Db } from '../database.ts';
import { judgeStanding, selectStanding } from '../organisation/store.ts';
import type { ChangeHead, AccessRefusal } from '../organisation/store.ts';
import { tokens } from '../tables.ts';
import { mayManage } from './guards.ts';
import type { Authority } from './guards.ts';
import { isNarrower } from './limits.ts';
import { hashOfRow } from './secret.ts';
import type { TokenHash } from './secret.ts';
import { changedAt, recordForToken, selectRetiring, tokenColumns } from './store.ts';
import type { Recorded, Token, TokenFields } from './store.ts';

export type Updated =
  /** `hashes`: those of its secrets that are not retired. */
  | { ok: true; token: Token; hashes: TokenHash[]; head: ChangeHead; changedAt: string | null }
  /** The token would be allowed more than now: `field` is `access` or `paths`. */
  | { ok: false; reason: 'wider'; field: 'access' | 'paths' }
  /** The end of the token is in the past. */
  | { ok: false; reason: 'past' }
  | { ok: false; reason: 'token-not-found' | AccessRefusal };

export type TokenChange = Partial<TokenFields & { active: boolean }>;

/**
 * Switches, renames and limits in one batch. A wider access, a wider list of paths, or an end in the past is refused, and then nothing is
 * changed.
 * A token that is switched either way, or off again, is not one of those that were switched off together any more. `changedAt`: see
 * store.ts. `head` is not before any change of this token that has been committed.
 */
export async function updateToken(
  db: Db,
  place: Authority,
  id: string,
  change: TokenChange,
  cause: Cause,
): Promise<Updated> {
  const here = and(eq(tokens.id, id), eq(tokens.organisationId, place.organisationId));
  const next = wantedColumns(change);
  const { active, name, expiresAt, access: wantedAccess, paths, networks, origins } = change;
  const isNarrowing = wantedAccess !== undefined || paths !== undefined;
  const differs = {
    // A token that is off together with all others is switched off for itself now.
    active:
      active === false
        ? sql`(${tokens.active} OR ${tokens.pausedTogetherAt} IS NOT NULL)`
        : sql`${tokens.active} <> ${next.active}`,
    name: sql`${tokens.name} IS NOT ${next.name}`,
    expiresAt: sql`${tokens.expiresAt} IS NOT ${next.expiresAt}`,
    access: sql`${tokens.access} <> ${next.access}`,
    paths: sql`${tokens.paths} <> ${next.paths}`,
    networks: sql`${tokens.networks} <> ${next.networks}`,
    origins: sql`${tokens.origins} <> ${next.origins}`,
  };
  const isPast = typeof expiresAt === 'string' && expiresAt <= cause.at;
  const allowed = and(here, isPast ? sql`0` : undefined, isNarrowing ? isOnlyNarrowed(next) : undefined);
  const recordWhere = (action: Recorded, detail: SQL | string | null, differing: SQL | undefined) =>
    recordForToken(db, action, cause, place, detail, and(allowed, differing));
  const {
    standing: [standing],
    found: [row],
    retiring,
  } = await batch(db, {
    ...(active !== undefined && {
      switchEvent: recordWhere(active ? 'token.activated' : 'token.deactivated', null, differs.active),
    }),
    ...(name !== undefined && { renameEvent: recordWhere('token.renamed', name, differs.name) }),
    ...(expiresAt !== undefined && {
      expiryEvent: recordWhere('token.expiry-changed', expiresAt ?? 'never', differs.expiresAt),
    }),
    ...(isNarrowing && {
      narrowEvent: recordWhere('token.narrowed', narrowedDetail(next), or(differs.access, differs.paths)),
    }),
    ...(networks !== undefined && {
      networksEvent: recordWhere('token.networks-changed', listDetail(networks), differs.networks),
    }),
    ...(origins !== undefined && {
      originsEvent: recordWhere('token.origins-changed', listDetail(origins), differs.origins),
    }),
    changed: db
      .update(tokens)
      .set(next)
      .where(and(allowed, or(...Object.values(differs)), mayManage(db, place))),
    standing: selectStanding(db, place.organisationId, place.email),
    found: db
      .select({ token: tokenColumns(cause.at), hash: tokens.hash, changedAt })
      .from(tokens)
      .where(here),
    retiring: selectRetiring(db, here),
  });
  const access = judgeStanding(standing);
  if (!access.ok) return access;
  if (row === undefined) return { ok: false, reason: 'token-not-found' };
  if (isPast) return { ok: false, reason: 'past' };
  const { token } = row;
  if (wantedAccess === 'full' && token.access === 'read')
    return { ok: false, reason: 'wider', field: 'access' };
  if (paths !== undefined && !isNarrower(paths, token.paths))
    return { ok: false, reason: 'wider', field: 'paths' };
  const hashes = [row, ...retiring].map(hashOfRow);
  return { ok: true, token, hashes, head: access.head, changedAt: row.changedAt };
}

/** What the columns are to hold. What is not to be changed is compared with itself, and set to itself. */
function wantedColumns({ active, name, expiresAt, access, paths, networks, origins }: TokenChange) {
  const list = (entries: string[] | undefined, column: AnyColumn): SQL =>
    entries === undefined ? sql`${column}` : sql`${JSON.stringify(entries)}`;
  return {
    active: active === undefined ? sql`${tokens.active}` : sql`${Number(active)}`,
    ...(active === undefined ? {} : { pausedTogetherAt: null, pausedTogetherBy: null }),
    name: name === undefined ? sql`${tokens.name}` : sql`${name}`,
    expiresAt: expiresAt === undefined ? sql`${tokens.expiresAt}` : sql`${expiresAt}`,
    access: access === undefined ? sql`${tokens.access}` : sql`${access}`,
    paths: list(paths, tokens.paths),
    networks: list(networks, tokens.networks),
    origins: list(origins, tokens.origins),
  };
}

type Wanted = ReturnType<typeof wantedColumns>;

/** Whether the token may do nothing afterwards that it may not do now. The trigger `tokens_narrow` stands behind it. */
function isOnlyNarrowed({ access, paths }: Pick<Wanted, 'access' | 'paths'>): SQL {
  return sql`(${tokens.access} = 'full' OR ${access} = 'read') AND (${tokens.paths} = '[]' OR (${paths} <> '[]' AND NOT EXISTS (
    SELECT 1 FROM json_each(${paths}) AS wanted WHERE NOT EXISTS (SELECT 1 FROM json_each(${tokens.paths}) AS had
    WHERE wanted.value = had.value OR substr(wanted.value, 1, length(had.value) + 1) = had.value || '/'))))`;
}

/** Access and paths as they are afterwards. */
function narrowedDetail({ access, paths }: Pick<Wanted, 'access' | 'paths'>): SQL {
  return sql`concat_ws('; ', iif(${access} = 'read', 'read only', NULL), (SELECT group_concat(value, ', ') FROM json_each(${paths}) AS wanted))`;
}

function listDetail(entries: string[]): string {
  return entries.length === 0 ? 'any' : entries.join(', ');
}
