// Space that is kept for a full database. SQLite reuses the pages that a deletion frees, within the same transaction too; so a
// batch that begins by deleting a part of the reserve has space where another one has none.
import { gt, inArray, sql } from 'drizzle-orm';
import type { Db } from './database.ts';
import { storageFailureOf } from './storage-failure.ts';
import { reserve } from './tables.ts';

/** A part is 32 KB: an export writes it in hexadecimal, and D1 takes statements of 100 KB. All of it is 4 MB. */
const PARTS = 128;
const PART_BYTES = 32_768;
/** How many parts a batch gives up: each attempt that still finds no space takes more. */
const ATTEMPTS = [1, 4, 16];

/**
 * The same database for what has to work when it is full: switching off, deleting, signing in to do so. A batch that fails for
 * lack of space is tried again with a part of the reserve given up in the same transaction.
 */
export function withReserve(db: Db): Db {
  const batch: Db['batch'] = async (statements) => {
    try {
      return await db.batch(statements);
    } catch (error) {
      return retry(error, statements, 0);
    }
  };
  const retry = async (
    error: unknown,
    statements: Parameters<Db['batch']>[0],
    attempt: number,
  ): Promise<never> => {
    const parts = ATTEMPTS[attempt];
    if (parts === undefined || storageFailureOf(error) !== 'full') throw error;
    const oldest = db.select({ id: reserve.id }).from(reserve).orderBy(reserve.id).limit(parts);
    try {
      const [, ...results] = await db.batch([
        db.delete(reserve).where(inArray(reserve.id, oldest)),
        ...statements,
      ]);
      // The results of the same statements, in the same order.
      return results as never;
    } catch (again) {
      return retry(again, statements, attempt + 1);
    }
  };
  return Object.create(db, { batch: { value: batch } }) as Db;
}

/** Makes the reserve whole, or as large as the space allows. Other failures are thrown. */
export async function fillReserve(db: Db): Promise<void> {
  // After a failure half as many parts are tried, and then the half of these, until nothing fits: eight statements.
  for (let parts = PARTS; parts >= 1; parts = Math.floor(parts / 2)) {
    if (await addParts(db, parts)) return;
  }
}

/** Adds missing parts, `most` at most, and answers whether the reserve is whole. */
async function addParts(db: Db, most: number): Promise<boolean> {
  const missing = sql`WITH RECURSIVE part (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM part WHERE id < ${PARTS})
    SELECT id, zeroblob(${PART_BYTES}) FROM part WHERE id NOT IN (SELECT ${reserve.id} FROM ${reserve}) LIMIT ${most}`;
  try {
    await db.run(sql`INSERT INTO ${reserve} (id, filling) ${missing}`);
    return most === PARTS;
  } catch (error) {
    if (storageFailureOf(error) !== 'full') throw error;
    return false;
  }
}

/** How much of the reserve is left, in bytes. */
export async function sizeOfReserve(db: Db): Promise<number> {
  const [row] = await db
    .select({ parts: sql<number>`count(*)` })
    .from(reserve)
    .where(gt(reserve.id, 0));
  return (row?.parts ?? 0) * PART_BYTES;
}
