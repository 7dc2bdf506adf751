// Opens the database: D1, or libSQL where LIBSQL_URL is set. One Db type for every store; no query of a store lives here.
import { sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import type { DrizzleD1Database } from 'drizzle-orm/d1';
import type { BaseSQLiteDatabase } from 'drizzle-orm/sqlite-core';
import { libsql } from '#libsql';
import { namingFailures } from './storage-failure.ts';
import type { Databases } from './verification/source/source.ts';

/** Rows and batches are the same in both databases. The answer of a statement without rows differs, so no code may read it. */
export type Db = BaseSQLiteDatabase<'async', unknown> & Pick<DrizzleD1Database, 'batch'>;

/** For one request. Whatever the database rejects with has a name in storage-failure.ts. */
export async function openDatabase({ d1, libsql: address }: Databases): Promise<Db> {
  return address === null ? drizzle(namingFailures(d1)) : libsql.openDatabase(address);
}

type Statement = Parameters<Db['batch']>[0][number];

/**
 * Runs the statements as one transaction, in the order in which they are named, and answers their results under the same
 * names. Rejects when one of them fails; then none has an effect.
 */
export async function batch<T extends Record<string, Statement>>(
  db: Db,
  statements: T,
): Promise<{ [Name in keyof T]: T[Name]['_']['result'] }> {
  const [first, ...rest] = Object.values(statements);
  const results: unknown[] = first === undefined ? [] : await db.batch([first, ...rest]);
  const named = Object.keys(statements).map((name, index) => [name, results[index]] as const);
  // A batch answers in the order of its statements, which is the order of the names.
  return Object.fromEntries(named) as { [Name in keyof T]: T[Name]['_']['result'] };
}

/** The size of the database in bytes. D1 refuses the pragmas and tells it with every answer. */
export async function readDatabaseSize({ d1, libsql: address }: Databases, db: Db): Promise<number> {
  if (address === null) {
    const { meta } = await namingFailures(d1).prepare('SELECT 1').run();
    return meta.size_after;
  }
  const [row] = await db.all<{ bytes: number }>(
    sql`SELECT page_count * page_size AS bytes FROM pragma_page_count(), pragma_page_size()`,
  );
  return row?.bytes ?? 0;
}
