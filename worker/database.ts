// Opens the truth: D1, or libSQL where LIBSQL_URL is set. One Db type for every store; no query lives here.
import { drizzle } from 'drizzle-orm/d1';
import type { DrizzleD1Database } from 'drizzle-orm/d1';
import type { BaseSQLiteDatabase } from 'drizzle-orm/sqlite-core';

/** Rows and batches are the same in both; what a statement without rows answers is not, and nobody may read it. */
export type Db = BaseSQLiteDatabase<'async', unknown> & Pick<DrizzleD1Database, 'batch'>;

export type DatabaseEnv = { DB: D1Database; LIBSQL_URL?: string; LIBSQL_AUTH_TOKEN?: string };

/** For one request. libSQL's client is loaded only where it is asked for. */
export async function openDatabase(env: DatabaseEnv): Promise<Db> {
  const { LIBSQL_URL: url, LIBSQL_AUTH_TOKEN: authToken } = env;
  if (!url) return drizzle(env.DB);
  const { openLibsqlDatabase } = await import('./libsql/database.ts');
  return openLibsqlDatabase({ url, authToken });
}
