// Counts the rows that the next pruning will find, for the operator's status.
import { sql } from 'drizzle-orm';
import type { Db } from '../database.ts';
import { EXPIRED, EXPIRED_TABLES } from './expired.ts';
import type { Table } from './expired.ts';

/** A count stops at this number, because a status must not read a whole table. */
export const BACKLOG_COUNTED = 10_000;

export type Backlog = Record<Table, number>;

/** How many rows have run out at `now` (ms) and are still there, by table, up to BACKLOG_COUNTED. `days`: how long events are kept. */
export async function readBacklog(db: Db, days: number | null, now: number): Promise<Backlog> {
  const counts = EXPIRED_TABLES.map((table) => {
    const expired = EXPIRED[table].select(db, now, BACKLOG_COUNTED, days);
    const count = expired === null ? sql`0` : sql`(SELECT count(*) FROM ${expired})`;
    return sql`${count} AS ${sql.identifier(table)}`;
  });
  const [row] = await db.all<Backlog>(sql`SELECT ${sql.join(counts, sql`, `)}`);
  if (row === undefined) throw new Error('a count has no row');
  return row;
}
