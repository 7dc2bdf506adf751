// The answer to "may this secret call?". THE HOT PATH: no Hono, no Drizzle, no schema library.
// A first, strict form: one D1 statement per genuine secret, so that it is true by construction.
import type { Plan } from '../organisation/organisation.ts';
import { hashOfSecret, isGenuineSecret, readTagKeyRing } from '../token/secret.ts';

export type Verification =
  | { ok: true; tokenId: string; organisationId: string; plan: Plan }
  | { ok: false; reason: 'enterprise-plan-required'; tokenId: string; organisationId: string; plan: Plan }
  | { ok: false; reason: 'invalid-token' }
  /** The truth cannot be reached and nothing current is held; `retryAfter` in seconds. */
  | { ok: false; reason: 'verification-unavailable'; retryAfter: number };

/** What verification needs of the deployment. */
export type VerifyEnv = {
  DB: D1Database;
  TOKEN_CACHE: KVNamespace;
  CHANGE_HUB: DurableObjectNamespace;
  TAG_KEYS?: string;
  TAG_KEY_CURRENT?: string;
  REVOCATION_LEASE_MS: string;
  HUB_LEASE_MS: string;
};

/** Where the call came in, and what may outlive its answer. */
export type VerifyContext = { waitUntil(promise: Promise<unknown>): void; cf?: unknown };

export async function verify(secret: string, env: VerifyEnv, _context: VerifyContext): Promise<Verification> {
  const keys = readTagKeyRing(env.TAG_KEYS, env.TAG_KEY_CURRENT);
  if (!keys.ok) throw new Error(keys.reason);
  if (!isGenuineSecret(keys.ring, secret)) return { ok: false, reason: 'invalid-token' };
  const row = await env.DB.prepare(
    `SELECT tokens.id AS tokenId, organisations.id AS organisationId, organisations.plan AS plan
     FROM tokens JOIN organisations ON organisations.id = tokens.organisation_id
     WHERE tokens.hash = ? AND tokens.active = 1`,
  )
    .bind(hashOfSecret(secret))
    .first<{ tokenId: string; organisationId: string; plan: Plan }>();
  if (row === null) return { ok: false, reason: 'invalid-token' };
  if (row.plan !== 'enterprise') return { ok: false, reason: 'enterprise-plan-required', ...row };
  return { ok: true, ...row };
}
