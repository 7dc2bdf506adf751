// One Db type for every store, and batches by name. No query of a store lives here.
import type { DrizzleD1Database } from 'drizzle-orm/d1';
import type { BaseSQLiteDatabase } from 'drizzle-orm/sqlite-core';

/** Rows and batches are the same in both databases. The answer of a statement without rows differs, so no code may read it. */
export type Db = BaseSQLiteDatabase<'async', unknown> & Pick<DrizzleD1Database, 'batch'>;

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
