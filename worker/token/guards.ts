// Conditions that the stores share (store.ts, rotation.ts): who may change a token, and whether a secret may be made.
import { and, eq, exists, sql } from 'drizzle-orm';
import type { AnyColumn, SQL } from 'drizzle-orm';
import type { Db } from '../database.ts';
import { hasOpenPlan } from '../organisation/store.ts';
import { idempotencyKeys, members, organisations, replacedSecrets, tokens } from '../tables.ts';
import type { TokenHash } from './secret.ts';

/** The organisation in which a change is made, and the member who makes it. */
export type Place = { organisationId: string; email: string };
/** Likewise, or the operator (`email` null), who may manage the tokens of every organisation, whatever its plan. */
export type Authority = Omit<Place, 'email'> & { email: string | null };

/** The key of a call that makes a secret, the SHA-256 of its body, and the time of the call in ms. */
export type Idempotency = { key: string; bodyHash: string; now: number };

/** Whether a column holds the hash: that of a limited token is written in capitals (migrations/0009_limits.sql). */
export function isHash(column: SQL | AnyColumn, hash: TokenHash) {
  return sql`${column} IN (${hash}, ${hash.toUpperCase()})`;
}

/** Whether the organisation's tokens may be managed now: a condition for the WHERE of a statement. */
export function mayManage(db: Db, { organisationId, email }: Authority) {
  if (email === null) return eq(tokens.organisationId, organisationId);
  return exists(
    db
      .select({ one: sql`1` })
      .from(members)
      .innerJoin(organisations, eq(organisations.id, members.organisationId))
      .where(membership({ organisationId, email })),
  );
}

/** The same condition, for a statement whose FROM already has members and organisations. */
export function membership(place: Place) {
  return and(eq(members.email, place.email), eq(members.organisationId, place.organisationId), hasOpenPlan);
}

/** Whether the member has used the key of the call in this organisation. Without a key: never. */
export function sameKey(place: Place, idempotency: Idempotency | null) {
  return and(
    eq(idempotencyKeys.organisationId, place.organisationId),
    eq(idempotencyKeys.actor, place.email),
    eq(idempotencyKeys.key, idempotency?.key ?? ''),
  );
}

/** Stores the key of the call, if it has one, with the token that `made` finds. `made` finds a token only if the call made its secret. */
export function keepKey(db: Db, place: Place, idempotency: Idempotency | null, made: SQL) {
  return db.insert(idempotencyKeys).select(
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
      .where(and(made, sql`${idempotency?.key ?? null} IS NOT NULL`)),
  );
}

/** Selects a row if a secret of the organisation has the preview. Retired secrets that are still shown count too. */
export function previewIsTaken(db: Db, organisationId: string, preview: string) {
  const one = { one: sql<number>`1` };
  return db
    .select(one)
    .from(tokens)
    .where(and(eq(tokens.organisationId, organisationId), eq(tokens.preview, preview)))
    .unionAll(
      db
        .select(one)
        .from(replacedSecrets)
        .where(and(eq(replacedSecrets.organisationId, organisationId), eq(replacedSecrets.preview, preview))),
    );
}
