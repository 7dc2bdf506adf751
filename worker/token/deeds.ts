// What a member can do to a token, and what the operator can (`Authority`). Each function first checks and commits in one batch (store.ts, rotation.ts), then publishes.
// Only `createToken` and `replaceSecret` answer a secret.
import type { Cause, ExposedBy } from '../activity/events.ts';
import type { Db } from '../database.ts';
import { publishUnlessSettled } from '../organisation/store.ts';
import type { Publish, AccessRefusal } from '../organisation/store.ts';
import { withReserve } from '../reserve.ts';
import { endExposed } from './exposure.ts';
import type { Exposure } from './exposure.ts';
import type { Retire } from './retirement.ts';
import { retireSecret, rotateToken } from './rotation.ts';
import type { NewSecret, Retirement, Rotation } from './rotation.ts';
import { hashOfSecret, mintSecret, previewOfSecret } from './secret.ts';
import type { TagKeyRing } from './secret.ts';
import { updateToken } from './change.ts';
import type { TokenChange, Updated } from './change.ts';
import { addToken, removeToken } from './store.ts';
import type { Authority, Idempotency, Place } from './guards.ts';
import { switchTogether } from './together.ts';
import type { Creation, Token, TokenFields } from './store.ts';

/** Two secrets of one organisation share a preview once in 238,000 draws. */
const DRAWS = 5;

export type Created =
  | { ok: true; token: Token; secret: string }
  | Exclude<Creation, { ok: true } | { reason: 'preview-taken' }>;

/** Creates a token with a new secret. No other secret of the organisation has the same preview. */
export async function createToken(
  db: Db,
  ring: TagKeyRing,
  place: Place,
  fields: TokenFields,
  cause: Cause,
  idempotency: Idempotency | null,
): Promise<Created> {
  return drawSecret<Created>(ring, async (secret, drawn) => {
    const token = { ...fields, ...drawn, id: crypto.randomUUID() };
    const creation = await addToken(db, place, token, cause, idempotency);
    if (creation.ok) return { ok: true, token: creation.token, secret };
    return creation.reason === 'preview-taken' ? null : creation;
  });
}

/** Mints secrets until `store` takes one. It answers null where the preview is taken. */
async function drawSecret<Stored>(
  ring: TagKeyRing,
  store: (secret: string, drawn: NewSecret) => Promise<Stored | null>,
): Promise<Stored> {
  for (let draw = 0; draw < DRAWS; draw++) {
    const secret = mintSecret(ring);
    const stored = await store(secret, { hash: hashOfSecret(secret), preview: previewOfSecret(secret) });
    if (stored !== null) return stored;
  }
  throw new Error('no free preview in five draws');
}

export type Changed = { ok: true; token: Token; effectiveAt: string } | Exclude<Updated, { ok: true }>;

/** Switches, renames or limits a token. Resolves when the change is in effect everywhere; `effectiveAt` says since when (RFC 3339). */
export async function changeToken(
  db: Db,
  publish: Publish,
  place: Authority,
  id: string,
  change: TokenChange,
  cause: Cause,
): Promise<Changed> {
  // A full database must not prevent a token from being switched off.
  const changed = await updateToken(change.active === false ? withReserve(db) : db, place, id, change, cause);
  if (!changed.ok) return changed;
  const { token, head, hashes, changedAt } = changed;
  // Verification does not use the name.
  const isVerified = Object.keys(change).some((field) => field !== 'name');
  const last = isVerified ? changedAt : null;
  return { ok: true, token, ...(await publishUnlessSettled(publish, { head, hashes }, last, cause.at)) };
}

export type AllSwitched =
  | { ok: true; tokens: Token[]; effectiveAt: string }
  | { ok: false; reason: AccessRefusal };

/**
 * Switches off all active tokens of the organisation together, or switches those on again (`active` true). Resolves when the change
 * is in effect everywhere; `effectiveAt` says since when (RFC 3339). `tokens`: those that this call has switched; none for a repeat.
 */
export async function switchAllTokens(
  db: Db,
  publish: Publish,
  place: Place,
  active: boolean,
  cause: Cause,
): Promise<AllSwitched> {
  // A full database must not prevent tokens from being switched off.
  const done = await switchTogether(active ? db : withReserve(db), place, active, cause);
  if (!done.ok) return done;
  const { switched, hashes, head, changedAt } = done;
  // What this call has switched is new, whatever the clock of the database says.
  const last = switched.length > 0 ? cause.at : changedAt;
  const published = await publishUnlessSettled(publish, { head, hashes }, last, cause.at);
  return { ok: true, tokens: switched, ...published };
}

export type Deleted =
  | { ok: true; effectiveAt: string }
  | { ok: false; reason: 'token-not-found' | AccessRefusal };

/**
 * Deletes a token for good. Resolves when the token is refused everywhere. This also holds for `token-not-found` where an earlier
 * call has deleted the token.
 */
export async function deleteToken(
  db: Db,
  publish: Publish,
  place: Authority,
  id: string,
  cause: Cause,
): Promise<Deleted> {
  const removed = await removeToken(withReserve(db), place, id, cause);
  if (removed.ok) return { ok: true, ...(await publish({ head: removed.head, hashes: removed.hashes })) };
  if (removed.reason === 'token-not-found') {
    // An id that the organisation never had needs no publish.
    const { deletedAt, head } = removed;
    await publishUnlessSettled(publish, { head, hashes: [] }, deletedAt, cause.at);
  }
  return { ok: false, reason: removed.reason };
}

export type Replaced =
  | { ok: true; token: Token; secret: string; effectiveAt: string }
  /** The same key was used before. `effectiveAt` is that of the first answer, or later. */
  | { ok: false; reason: 'repeated'; token: Token | null; sameBody: boolean; effectiveAt: string }
  | Exclude<Rotation, { ok: true } | { reason: 'preview-taken' | 'repeated' }>;

/**
 * Replaces the secret of a token, active or inactive. Resolves when every place knows when the earlier secret ends; `effectiveAt`
 * says since when (RFC 3339).
 */
export async function replaceSecret(
  db: Db,
  publish: Publish,
  ring: TagKeyRing,
  place: Place,
  id: string,
  wanted: { retire: Retire; expected: string | null },
  cause: Cause,
  idempotency: Idempotency | null,
): Promise<Replaced> {
  return drawSecret<Replaced>(ring, async (secret, drawn) => {
    const rotation = await rotateToken(db, place, id, drawn, wanted, cause, idempotency);
    if (rotation.ok) {
      const { token, hashes, head } = rotation;
      return { ok: true, token, secret, ...(await publish({ head, hashes })) };
    }
    if (rotation.reason === 'repeated') {
      const { usedAt, head, ...repeated } = rotation;
      const last = new Date(usedAt).toISOString();
      return {
        ...repeated,
        ...(await publishUnlessSettled(publish, { head, hashes: [] }, last, cause.at)),
      };
    }
    return rotation.reason === 'preview-taken' ? null : rotation;
  });
}

export type EndedSecret = { ok: true; token: Token; effectiveAt: string } | Exclude<Retirement, { ok: true }>;

/**
 * Ends the retiring secret of a token. Resolves when that secret is refused everywhere; `effectiveAt` says since when (RFC 3339).
 * The same holds for a secret that an earlier call has ended.
 */
export async function endRetiring(
  db: Db,
  publish: Publish,
  place: Place,
  id: string,
  expected: string | null,
  cause: Cause,
): Promise<EndedSecret> {
  // A full database must not prevent the end of a secret.
  const retired = await retireSecret(withReserve(db), place, id, expected, cause);
  if (!retired.ok) return retired;
  const { token, hash, changedAt, head } = retired;
  if (hash === null) return { ok: true, token, effectiveAt: new Date().toISOString() };
  const published = await publishUnlessSettled(publish, { head, hashes: [hash] }, changedAt, cause.at);
  return { ok: true, token, ...published };
}

/** The most secrets of one batch. */
const EXPOSED_AT_ONCE = 100;

/**
 * Ends secrets that others have seen, and answers whether anything was put on record. When it resolves, all of it is committed;
 * `later` has the promise of its publish, which never rejects. It may be repeated.
 */
export async function endExposedSecrets(
  db: Db,
  publish: Publish,
  later: (published: Promise<unknown>) => void,
  exposures: readonly Exposure[],
  by: ExposedBy,
  cause: Cause,
): Promise<boolean> {
  // A full database must not prevent the end of a secret.
  const reserved = withReserve(db);
  let isOnRecord = false;
  for (let from = 0; from < exposures.length; from += EXPOSED_AT_ONCE) {
    const ended = await endExposed(reserved, exposures.slice(from, from + EXPOSED_AT_ONCE), by, cause);
    isOnRecord ||= ended.isOnRecord;
    // It rejects if the database belongs to another deployment. Every later answer then says so.
    if (ended.change !== null) later(publish(ended.change).catch(() => undefined));
  }
  return isOnRecord;
}
