// The one place that chooses where the truth lives: D1, or libSQL where LIBSQL_URL is set, whose client is loaded by the
// first question that reaches it.
import { d1Lookups } from './lookup.ts';
import type { HubTruth } from './hub-truth.ts';
import type { Lookups } from './record.ts';

export type TruthEnv = { DB: D1Database; LIBSQL_URL?: string; LIBSQL_AUTH_TOKEN?: string };

/** What a call asks of the truth; hubs open all of it (hub-truth.ts). */
export function openLookups(env: TruthEnv): Lookups {
  const libsql = libsqlOf(env);
  if (libsql === null) return d1Lookups(env.DB);
  return {
    read: async (hashes) => (await libsql()).read(hashes),
    changesFrom: async (seq, limit) => (await libsql()).changesFrom(seq, limit),
  };
}

/** Opens the truth in libSQL, or null where D1 holds it. */
export function libsqlOf({
  LIBSQL_URL: url,
  LIBSQL_AUTH_TOKEN: authToken,
}: TruthEnv): (() => Promise<HubTruth>) | null {
  if (!url) return null;
  return async () => (await import('../libsql/truth.ts')).libsqlTruth({ url, authToken });
}
