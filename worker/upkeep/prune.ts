// What has run out is removed, hourly, until nothing is left or the time is over. Never the newest row of `changes` (it names the
// head that every hub compares with), never an event that is younger than the operator's retention, and never more rows at once
// than a busy database bears.
import { inArray, sql } from 'drizzle-orm';
import { openDatabase, readDatabaseSize } from '../database.ts';
import type { DatabaseEnv, Db } from '../database.ts';
import { fillReserve } from '../reserve.ts';
import { storageFailureOf } from '../storage-failure.ts';
import {
  changes,
  dailyCounts,
  eventRetention,
  events,
  idempotencyKeys,
  sessions,
  signIns,
  tokenUsage,
} from '../tables.ts';
import {
  expiredChanges,
  expiredDailyCounts,
  expiredEvents,
  expiredIdempotencyKeys,
  expiredSessions,
  expiredSignIns,
  expiredUsage,
  retentionOf,
} from './expired.ts';

export type PruneEnv = DatabaseEnv & { EVENTS_RETENTION_DAYS?: string };

/** What one run may take. */
export type Budget = {
  /** One statement deletes this many rows at most: D1 has one writer, and others wait behind it. */
  rows: number;
  /** A run sends this many statements at most: D1 ends a Worker's run at 1,000 (50 on the free plan, which a run finds out). */
  statements: number;
  /** A run begins no further statement after this time; the next run goes on an hour later. */
  ms: number;
};
const BUDGET: Budget = { rows: 2000, statements: 900, ms: 5 * 60 * 1000 };

type Table = 'sessions' | 'signIns' | 'dailyCounts' | 'idempotencyKeys' | 'tokenUsage' | 'changes' | 'events';
export type Pruned = {
  /** How many rows went, by table. */
  removed: Record<Table, number>;
  /** Whether nothing is left to remove. */
  isDone: boolean;
  /** The size of the database in bytes. */
  bytes: number;
};

/**
 * Removes what had run out at `now` (ms). The tables take turns, so that a backlog of one does not keep the others. A table
 * that fails does not keep the others either; the first failure is thrown in the end, so that the run counts as failed.
 */
export async function prune(env: PruneEnv, now: number, budget: Budget = BUDGET): Promise<Pruned> {
  const db = await openDatabase(env);
  const bytes = await readDatabaseSize(env);
  const days = retentionOf(env);
  await keepRetention(db, days);
  const deletions: [Table, () => PromiseLike<unknown[]>][] = [
    ['sessions', () => deleteSessions(db, now, budget.rows)],
    ['signIns', () => deleteSignIns(db, now, budget.rows)],
    ['dailyCounts', () => deleteDailyCounts(db, now, budget.rows)],
    ['idempotencyKeys', () => deleteIdempotencyKeys(db, now, budget.rows)],
    ['tokenUsage', () => deleteUsage(db, now, budget.rows)],
    ['changes', () => deleteChanges(db, now, budget.rows)],
  ];
  if (days !== null) deletions.push(['events', () => deleteEvents(db, now, days, budget.rows)]);

  const removed = {
    sessions: 0,
    signIns: 0,
    dailyCounts: 0,
    idempotencyKeys: 0,
    tokenUsage: 0,
    changes: 0,
    events: 0,
  };
  const failures: unknown[] = [];
  const until = Date.now() + budget.ms;
  let statements = 0;
  let isLimited = false;
  const isOver = () => isLimited || statements >= budget.statements || Date.now() >= until;
  // A table whose last statement found as many rows as it may take stays in the queue, behind the others.
  const queue = [...deletions];
  while (!isOver()) {
    const next = queue.shift();
    if (next === undefined) break;
    const [table, remove] = next;
    statements++;
    try {
      const { length } = await remove();
      removed[table] += length;
      if (length === budget.rows) queue.push([table, remove]);
    } catch (error) {
      isLimited = storageFailureOf(error) === 'query-limit';
      if (isLimited) queue.push([table, remove]);
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
    .where(sql`${eventRetention.days} IS NOT ${days}`);
}

const ONE = { one: sql<number>`1` };

function deleteSessions(db: Db, now: number, rows: number) {
  return db
    .delete(sessions)
    .where(inArray(sessions.hash, expiredSessions(db, now, rows)))
    .returning(ONE);
}

function deleteSignIns(db: Db, now: number, rows: number) {
  return db
    .delete(signIns)
    .where(inArray(signIns.hash, expiredSignIns(db, now, rows)))
    .returning(ONE);
}

function deleteDailyCounts(db: Db, now: number, rows: number) {
  const { subject, kind } = dailyCounts;
  return db
    .delete(dailyCounts)
    .where(sql`(${subject}, ${kind}) IN ${expiredDailyCounts(db, now, rows)}`)
    .returning(ONE);
}

function deleteIdempotencyKeys(db: Db, now: number, rows: number) {
  const { organisationId, actor, key } = idempotencyKeys;
  return db
    .delete(idempotencyKeys)
    .where(sql`(${organisationId}, ${actor}, ${key}) IN ${expiredIdempotencyKeys(db, now, rows)}`)
    .returning(ONE);
}

function deleteUsage(db: Db, now: number, rows: number) {
  const { tokenId, hour } = tokenUsage;
  return db
    .delete(tokenUsage)
    .where(sql`(${tokenId}, ${hour}) IN ${expiredUsage(db, now, rows)}`)
    .returning(ONE);
}

function deleteChanges(db: Db, now: number, rows: number) {
  return db
    .delete(changes)
    .where(inArray(changes.seq, expiredChanges(db, now, rows)))
    .returning(ONE);
}

function deleteEvents(db: Db, now: number, days: number, rows: number) {
  return db
    .delete(events)
    .where(inArray(events.id, expiredEvents(db, now, days, rows)))
    .returning(ONE);
}
