// Removes expired rows every hour, until none is left or the time is over. It never removes the newest row of `changes`, because hubs
// compare with it, and never an event that is younger than the operator's retention. It never deletes more rows at once than a busy
// database can stand.
import { sql } from 'drizzle-orm';
import type { SQLWrapper } from 'drizzle-orm';
import type { SQLiteColumn, SQLiteTable } from 'drizzle-orm/sqlite-core';
import type { Db } from '../database.ts';
import { fillReserve } from '../reserve.ts';
import { storageFailureOf } from '../storage-failure.ts';
import { eventRetention } from '../tables.ts';
import { EXPIRED, EXPIRED_TABLES, eachTable } from './expired.ts';
import type { Table } from './expired.ts';

/** What pruning needs of the deployment. */
export type Pruning = {
  openDatabase(): Promise<Db>;
  readDatabaseSize(db: Db): Promise<number>;
  settings: { eventsRetentionDays: number | null };
};

/** The limits of one run. */
export type Budget = {
  /** One statement deletes this many rows at most: D1 has one writer, and others wait behind it. */
  rows: number;
  /** A run sends this many statements at most: D1 ends a Worker's run at 1,000 (50 on the free plan, which a run finds out). */
  statements: number;
  /** A run begins no further statement after this time; the next run goes on an hour later. */
  ms: number;
};
const BUDGET: Budget = { rows: 2000, statements: 900, ms: 5 * 60 * 1000 };

export type Pruned = {
  /** How many rows went, by table. */
  removed: Record<Table, number>;
  /** Whether nothing is left to remove. */
  isDone: boolean;
  /** The size of the database in bytes. */
  bytes: number;
};

/**
 * Removes what had run out at `now` (ms). The tables take turns, so that a backlog of one does not delay the others. A table
 * that fails does not stop the others either; the first failure is thrown in the end, so that the run counts as failed.
 */
export async function prune(deployment: Pruning, now: number, budget: Budget = BUDGET): Promise<Pruned> {
  const db = await deployment.openDatabase();
  const bytes = await deployment.readDatabaseSize(db);
  const { eventsRetentionDays: days } = deployment.settings;
  await keepRetention(db, days);
  const { rows } = budget;
  // A table whose last statement found as many rows as it may take stays in the queue, behind the others.
  const queue = EXPIRED_TABLES.flatMap((name) => {
    const { table, keys, select } = EXPIRED[name];
    const expired = select(db, now, rows, days);
    return expired === null ? [] : [{ name, deleteSome: () => remove(db, table, keys, expired) }];
  });
  const removed = eachTable(0);
  const failures: unknown[] = [];
  const until = Date.now() + budget.ms;
  let statements = 0;
  let isLimited = false;
  const isOver = () => isLimited || statements >= budget.statements || Date.now() >= until;
  while (!isOver()) {
    const next = queue.shift();
    if (next === undefined) break;
    statements++;
    try {
      const { length } = await next.deleteSome();
      removed[next.name] += length;
      if (length === rows) queue.push(next);
    } catch (error) {
      isLimited = storageFailureOf(error) === 'query-limit';
      if (isLimited) queue.push(next);
      else failures.push(error);
    }
  }
  if (!isLimited) await fillReserve(db);
  if (failures.length > 0) throw failures[0];
  return { removed, isDone: queue.length === 0, bytes };
}

/** The trigger on `events` reads the retention from its table. */
async function keepRetention(db: Db, days: number | null): Promise<void> {
  await db
    .update(eventRetention)
    .set({ days })
    .where(sql`${eventRetention.id} = 1 AND ${eventRetention.days} IS NOT ${days}`);
}

const ONE = { one: sql<number>`1` };

/** Deletes the rows that the select finds; `keys` are the columns that it selects. */
function remove(db: Db, table: SQLiteTable, keys: SQLiteColumn[], expired: SQLWrapper) {
  return db
    .delete(table)
    .where(sql`(${sql.join(keys, sql`, `)}) IN ${expired}`)
    .returning(ONE);
}
