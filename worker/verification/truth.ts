// The one place that chooses where the truth lives: D1, or libSQL where LIBSQL_URL is set, whose client is loaded by the
// first question that reaches it.
import { d1Truth } from './lookup.ts';
import type { Truth } from './record.ts';

export type TruthEnv = { DB: D1Database; LIBSQL_URL?: string; LIBSQL_AUTH_TOKEN?: string };

export function openTruth(env: TruthEnv): Truth {
  const { LIBSQL_URL: url, LIBSQL_AUTH_TOKEN: authToken } = env;
  if (!url) return d1Truth(env.DB);
  const libsql = async () => (await import('../libsql/truth.ts')).libsqlTruth({ url, authToken });
  return {
    read: async (hash) => (await libsql()).read(hash),
    changesFrom: async (seq, limit) => (await libsql()).changesFrom(seq, limit),
    newestChanges: async (limit) => (await libsql()).newestChanges(limit),
    addUsage: async (rows) => (await libsql()).addUsage(rows),
  };
}
