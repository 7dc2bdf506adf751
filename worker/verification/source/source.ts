// Chooses the database that verification reads: D1, or libSQL where LIBSQL_URL is set.
import { libsql } from '#libsql';
import type { HubSource, Lookups } from '../record.ts';
import { d1Lookups } from './lookup.ts';

export type SourceEnv = { DB: D1Database; LIBSQL_URL?: string; LIBSQL_AUTH_TOKEN?: string };

/** What a call asks of the database; hubs open all of it (hub-source.ts). */
export function openLookups(env: SourceEnv): Lookups {
  return libsqlOf(env) ?? d1Lookups(env.DB);
}

/** The source in libSQL, or null in a deployment on D1. */
export function libsqlOf({ LIBSQL_URL: url, LIBSQL_AUTH_TOKEN: authToken }: SourceEnv): HubSource | null {
  return url ? libsql.openSource({ url, authToken }) : null;
}
