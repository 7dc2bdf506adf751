// The statements that replace and retire secrets. The current secret is in the row of its token. Replaced secrets are in
// `replaced_secrets`; at most one of a token is retiring. As in store.ts, each change is one batch: first its events, under the
// same condition as the change; then the change; then rows that tell why it was refused.
import { and, asc, eq, exists, gt, isNull, lt, lte, not, sql } from 'drizzle-orm';
import type { SQL } from 'drizzle-orm';
import { eventColumns } from '../activity/store.ts';
import type { Action, Cause } from '../activity/events.ts';
import { batch } from '../database.ts';
import type { Db } from '../database.ts';
import { judgeStanding, selectStanding } from '../organisation/store.ts';
import type { ChangeHead, AccessRefusal } from '../organisation/store.ts';
import { events, idempotencyKeys, replacedSecrets, tokens } from '../tables.ts';
import { endOf, justBefore } from './retirement.ts';
import type { Retire } from './retirement.ts';
import { hashOfRow } from './secret.ts';
import type { TokenHash } from './secret.ts';
import { isHash, keepKey, mayManage, previewIsTaken, sameKey } from './guards.ts';
import { recordForToken, tokenColumns } from './store.ts';
import type { Idempotency, Place } from './guards.ts';
import type { Token } from './store.ts';

export type NewSecret = { hash: TokenHash; preview: string };

export type Rotation =
  /** `hashes`: the secrets whose verification has changed. */
  | { ok: true; token: Token; hashes: TokenHash[]; head: ChangeHead }
  /** The same key was used before, at `usedAt` in ms. The token is null if it was deleted since. */
  | {
      ok: false;
      reason: 'repeated';
      token: Token | null;
      sameBody: boolean;
      usedAt: number;
      head: ChangeHead;
    }
  | { ok: false; reason: 'preview-taken' }
  /** The secret is not the one that the member saw. `preview` is that of the current one. `isLate`: it was replaced a moment ago. */
  | { ok: false; reason: 'secret-changed'; preview: string; isLate: boolean }
  | { ok: false; reason: 'token-not-found' | AccessRefusal };

/**
 * Gives the token a new secret. The current secret retires as `retire` says; a secret that was retiring is retired now.
 * `expected`: the preview of the current secret, if the member sent it. A full organisation may replace a secret. An inactive
 * token stays inactive, unless its exposure switched it off and the exposed secret ends now. The end of the exposed secret takes
 * the mark away.
 */
export async function rotateToken(
  db: Db,
  place: Place,
  id: string,
  secret: NewSecret,
  { retire, expected }: { retire: Retire; expected: string | null },
  cause: Cause,
  idempotency: Idempotency | null,
): Promise<Rotation> {
  const here = and(eq(tokens.id, id), eq(tokens.organisationId, place.organisationId));
  const usedKey = sameKey(place, idempotency);
  const taken = previewIsTaken(db, place.organisationId, secret.preview);
  const justReplaced = exists(
    db
      .select({ one: sql`1` })
      .from(replacedSecrets)
      .where(and(eq(replacedSecrets.tokenId, id), gt(replacedSecrets.replacedAt, justBefore(cause.at)))),
  );
  const granted = and(
    here,
    mayManage(db, place),
    not(exists(db.select().from(idempotencyKeys).where(usedKey))),
    not(exists(taken)),
    not(justReplaced),
    expected === null ? undefined : eq(tokens.preview, expected),
  );
  const ofGranted = exists(
    db
      .select({ one: sql`1` })
      .from(tokens)
      .where(granted),
  );
  const retiring = and(eq(replacedSecrets.tokenId, id), isNull(replacedSecrets.retiredAt));
  const { retiresAt, until } = endOf(retire, cause.at);
  const endsNow = retire === 'now';
  /** An event of the token with its new secret. */
  const recordNew = (action: Action, detail: SQL | string, guard?: SQL) =>
    db.insert(events).select(
      db
        .select(
          eventColumns(action, cause, {
            organisationId: place.organisationId,
            tokenId: id,
            preview: secret.preview,
            detail,
          }),
        )
        .from(tokens)
        .where(and(granted, guard)),
    );
  const {
    retired,
    replaced,
    standing: [standing],
    used: [used],
    found: [row],
    taken: clash,
  } = await batch(db, {
    retiredEvent: recordRetirement(
      db,
      cause,
      sql`iif(${replacedSecrets.retiresAt} <= ${cause.at}, 'time', 'replaced')`,
      and(retiring, ofGranted),
    ),
    event: recordNew('token.rotated', sql`tokens.preview || ${`: ${retire}`}`),
    ...(endsNow && {
      endedEvent: recordForToken(db, 'token.retired', cause, place, 'now', granted),
      activatedEvent: recordNew('token.activated', 'rotated', eq(tokens.exposedPaused, true)),
    }),
    retired: db
      .update(replacedSecrets)
      .set({ retiredAt: sql`min(${replacedSecrets.retiresAt}, ${cause.at})` })
      .where(and(retiring, ofGranted))
      .returning({ hash: replacedSecrets.hash }),
    replaced: db
      .insert(replacedSecrets)
      .select(
        db
          .select({
            hash: sql`tokens.hash`.as('hash'),
            tokenId: sql`tokens.id`.as('token_id'),
            organisationId: sql`tokens.organisation_id`.as('organisation_id'),
            preview: sql`tokens.preview`.as('preview'),
            replacedAt: sql`${cause.at}`.as('replaced_at'),
            retiresAt: sql`${retiresAt}`.as('retires_at'),
            until: sql`${until}`.as('until'),
            retiredAt: sql`${endsNow ? cause.at : null}`.as('retired_at'),
            lastUsedAt: sql`tokens.last_used_at`.as('last_used_at'),
            successorUsedAt: sql`NULL`.as('successor_used_at'),
          })
          .from(tokens)
          .where(granted),
      )
      .returning({ hash: replacedSecrets.hash }),
    // A current secret is in `replaced_secrets` only if the statement before this one put it there.
    rotated: db
      .update(tokens)
      .set({
        hash: secret.hash,
        preview: secret.preview,
        lastUsedAt: null,
        ...(endsNow && {
          active: sql`iif(${tokens.exposedPaused}, 1, ${tokens.active})`,
          exposedAt: null,
          exposedBy: null,
          exposedWhere: null,
          exposedPaused: false,
        }),
      })
      .where(
        and(
          here,
          exists(
            db
              .select({ one: sql`1` })
              .from(replacedSecrets)
              .where(sql`replaced_secrets.hash = tokens.hash`),
          ),
        ),
      ),
    key: keepKey(db, place, idempotency, isHash(tokens.hash, secret.hash)),
    standing: selectStanding(db, place.organisationId, place.email),
    used: db
      .select({
        bodyHash: idempotencyKeys.bodyHash,
        // D1 answers the columns of a batch by name, and a token has a `created_at` too.
        usedAt: sql<number>`${idempotencyKeys.createdAt}`.as('used_at'),
        token: tokenColumns(cause.at),
      })
      .from(idempotencyKeys)
      .leftJoin(tokens, eq(tokens.id, idempotencyKeys.tokenId))
      .where(usedKey),
    found: db
      .select({ token: tokenColumns(cause.at), isLate: sql<number>`${justReplaced}` })
      .from(tokens)
      .where(here),
    taken,
  });
  const access = judgeStanding(standing);
  if (!access.ok) return access;
  const { head } = access;
  if (replaced.length > 0 && row !== undefined) {
    const hashes = [...replaced, ...retired].map(hashOfRow);
    return { ok: true, token: row.token, hashes, head };
  }
  if (used !== undefined && idempotency !== null) {
    const sameBody = used.bodyHash === idempotency.bodyHash;
    return { ok: false, reason: 'repeated', token: used.token, sameBody, usedAt: used.usedAt, head };
  }
  if (row === undefined) return { ok: false, reason: 'token-not-found' };
  const { preview } = row.token;
  const isLate = row.isLate === 1;
  if (isLate || (expected !== null && preview !== expected))
    return { ok: false, reason: 'secret-changed', preview, isLate };
  if (clash.length > 0) return { ok: false, reason: 'preview-taken' };
  throw new Error('a rotation was refused without a reason');
}

export type Retirement =
  /** `hash`: the secret that was retired now. If none was retiring: the one that was replaced last; null if none was. */
  | { ok: true; token: Token; hash: TokenHash | null; changedAt: string | null; head: ChangeHead }
  /** The retiring secret is not the one that the member saw, or no secret has that preview. */
  | { ok: false; reason: 'secret-changed'; preview: string | null }
  | { ok: false; reason: 'token-not-found' | AccessRefusal };

/**
 * Ends the retiring secret now. Changes nothing if no secret is retiring: an earlier call may have ended it. `expected`: the
 * preview of the secret to end, if the member sent it.
 */
export async function retireSecret(
  db: Db,
  place: Place,
  id: string,
  expected: string | null,
  cause: Cause,
): Promise<Retirement> {
  const here = and(eq(tokens.id, id), eq(tokens.organisationId, place.organisationId));
  const granted = and(
    eq(replacedSecrets.tokenId, id),
    eq(replacedSecrets.organisationId, place.organisationId),
    isNull(replacedSecrets.retiredAt),
    expected === null ? undefined : eq(replacedSecrets.preview, expected),
    mayManage(db, place),
  );
  const {
    standing: [standing],
    found: [row],
    replaced,
  } = await batch(db, {
    event: recordRetirement(db, cause, sql`'now'`, granted),
    retired: db
      .update(replacedSecrets)
      .set({ retiredAt: sql`min(${replacedSecrets.retiresAt}, ${cause.at})` })
      .where(granted),
    standing: selectStanding(db, place.organisationId, place.email),
    found: db
      .select({ token: tokenColumns(cause.at) })
      .from(tokens)
      .where(here),
    replaced: db
      .select({
        hash: replacedSecrets.hash,
        preview: replacedSecrets.preview,
        retiredAt: replacedSecrets.retiredAt,
      })
      .from(replacedSecrets)
      .where(and(eq(replacedSecrets.tokenId, id), eq(replacedSecrets.organisationId, place.organisationId)))
      .orderBy(sql`replaced_at DESC`)
      .limit(1),
  });
  const access = judgeStanding(standing);
  if (!access.ok) return access;
  if (row === undefined) return { ok: false, reason: 'token-not-found' };
  const [last] = replaced;
  if (last?.retiredAt === null || (expected !== null && expected !== last?.preview))
    return { ok: false, reason: 'secret-changed', preview: last?.preview ?? null };
  return {
    ok: true,
    token: row.token,
    hash: last === undefined ? null : hashOfRow(last),
    changedAt: last?.retiredAt ?? null,
    head: access.head,
  };
}

/** Which secrets the upkeep retires. */
export type Due =
  /** Their `retiresAt` has passed. Every place already refuses them, by its own clock. */
  | { reason: 'time' }
  /** They are silent: they were last used before `before` (RFC 3339), and the secret after them was used. */
  | { reason: 'silent'; before: string };

/** A secret that was never used counts as used when it was replaced. */
const LAST_USE = sql`coalesce(${replacedSecrets.lastUsedAt}, ${replacedSecrets.replacedAt})`;

function isDue(due: Due, at: string): SQL | undefined {
  return due.reason === 'time'
    ? and(isNull(replacedSecrets.retiredAt), lte(replacedSecrets.retiresAt, at))
    : and(
        isNull(replacedSecrets.retiredAt),
        // A literal, because SQLite then uses the partial index.
        sql`${replacedSecrets.until} = 'silent'`,
        sql`${replacedSecrets.successorUsedAt} IS NOT NULL`,
        lt(LAST_USE, due.before),
      );
}

/** Whether any secret is due at the instant `at`. */
export async function isAnyDue(db: Db, due: Due, at: string): Promise<boolean> {
  const rows = await db
    .select({ one: sql`1` })
    .from(replacedSecrets)
    .where(isDue(due, at))
    .limit(1);
  return rows.length > 0;
}

/**
 * Retires up to `most` secrets that are due, each with its event, and answers how many. The next run does not find them again.
 */
export async function retireDue(db: Db, due: Due, cause: Cause, most: number): Promise<number> {
  const chosen = db
    .select({ hash: replacedSecrets.hash })
    .from(replacedSecrets)
    .where(isDue(due, cause.at))
    .orderBy(due.reason === 'time' ? asc(replacedSecrets.retiresAt) : asc(LAST_USE))
    .limit(most);
  const guard = sql`${replacedSecrets.hash} IN ${chosen}`;
  const { retired } = await batch(db, {
    event: recordRetirement(db, cause, sql`${due.reason}`, guard),
    retired: db
      .update(replacedSecrets)
      .set({ retiredAt: sql`min(${replacedSecrets.retiresAt}, ${cause.at})` })
      .where(guard)
      .returning({ hash: replacedSecrets.hash }),
  });
  return retired.length;
}

/** Writes one event for each replaced secret for which `guard` holds. */
function recordRetirement(db: Db, cause: Cause, reason: SQL, guard: SQL | undefined) {
  return db.insert(events).select(
    db
      .select(
        eventColumns('token.retired', cause, {
          organisationId: sql`replaced_secrets.organisation_id`,
          tokenId: sql`replaced_secrets.token_id`,
          preview: sql`replaced_secrets.preview`,
          detail: reason,
        }),
      )
      .from(replacedSecrets)
      .where(guard),
  );
}
