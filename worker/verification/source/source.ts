// The one place that chooses the database: D1, or libSQL where LIBSQL_URL is set, whose client is loaded by the
// first question that reaches it.
import { d1Lookups } from './lookup.ts';
import type { HubSource, Lookups } from '../record.ts';

export type SourceEnv = { DB: D1Database; LIBSQL_URL?: string; LIBSQL_AUTH_TOKEN?: string };

/** What a call asks of the database; hubs open all of it (hub-source.ts). */
export function openLookups(env: SourceEnv): Lookups {
  const libsql = libsqlOf(env);
  if (libsql === null) return d1Lookups(env.DB);
  return {
    read: async (hashes) => (await libsql()).read(hashes),
    changesFrom: async (seq, limit) => (await libsql()).changesFrom(seq, limit),
  };
}

/** Opens libSQL, or null in a deployment on D1. */
export function libsqlOf({
  LIBSQL_URL: url,
  LIBSQL_AUTH_TOKEN: authToken,
}: SourceEnv): (() => Promise<HubSource>) | null {
  if (!url) return null;
  return async () => (await import('../../libsql/source.ts')).libsqlSource({ url, authToken });
}
