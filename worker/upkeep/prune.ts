// What has run out is removed, hourly, until nothing is left or the time is over. Never the newest row of `changes` (it names the
// head that every hub compares with), never an event that is younger than the operator's retention, and never more rows at once
// than a busy database bears.
import { and, eq, inArray, lt, sql } from 'drizzle-orm';
import { openDatabase, readDatabaseSize } from '../database.ts';
import type { DatabaseEnv, Db } from '../database.ts';
import { fillReserve } from '../reserve.ts';
import { storageFailureOf } from '../storage-failure.ts';
import {
  changes,
  eventRetention,
  events,
  idempotencyKeys,
  sessions,
  signIns,
  tokenUsage,
} from '../tables.ts';

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;
/** A repeat of a create later than this is a new create. */
const IDEMPOTENCY_MS = DAY_MS;
const USAGE_MS = 31 * DAY_MS;
/** A hub that slept longer finds a gap, and starts again. */
const CHANGES_MS = DAY_MS;

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

type Table = 'sessions' | 'signIns' | 'idempotencyKeys' | 'tokenUsage' | 'changes' | 'events';
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
  const days = env.EVENTS_RETENTION_DAYS ? Number(env.EVENTS_RETENTION_DAYS) : null;
  await keepRetention(db, days);
  const deletions: [Table, () => PromiseLike<unknown[]>][] = [
    ['sessions', () => deleteSessions(db, now, budget.rows)],
    ['signIns', () => deleteSignIns(db, now, budget.rows)],
    ['idempotencyKeys', () => deleteIdempotencyKeys(db, now, budget.rows)],
    ['tokenUsage', () => deleteUsage(db, now, budget.rows)],
    ['changes', () => deleteChanges(db, now, budget.rows)],
  ];
  if (days !== null) deletions.push(['events', () => deleteEvents(db, now, days, budget.rows)]);

  const removed = { sessions: 0, signIns: 0, idempotencyKeys: 0, tokenUsage: 0, changes: 0, events: 0 };
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
  const expired = db
    .select({ hash: sessions.hash })
    .from(sessions)
    .where(lt(sessions.expiresAt, now))
    .limit(rows);
  return db.delete(sessions).where(inArray(sessions.hash, expired)).returning(ONE);
}

function deleteSignIns(db: Db, now: number, rows: number) {
  const expired = db
    .select({ hash: signIns.hash })
    .from(signIns)
    .where(lt(signIns.expiresAt, now))
    .limit(rows);
  return db.delete(signIns).where(inArray(signIns.hash, expired)).returning(ONE);
}

function deleteIdempotencyKeys(db: Db, now: number, rows: number) {
  const { organisationId, actor, key, createdAt } = idempotencyKeys;
  const old = db
    .select({ organisationId, actor, key })
    .from(idempotencyKeys)
    .where(lt(createdAt, now - IDEMPOTENCY_MS))
    .limit(rows);
  return db
    .delete(idempotencyKeys)
    .where(sql`(${organisationId}, ${actor}, ${key}) IN ${old}`)
    .returning(ONE);
}

function deleteUsage(db: Db, now: number, rows: number) {
  const { tokenId, hour } = tokenUsage;
  const old = db
    .select({ tokenId, hour })
    .from(tokenUsage)
    .where(lt(hour, Math.floor((now - USAGE_MS) / HOUR_MS)))
    .limit(rows);
  return db
    .delete(tokenUsage)
    .where(sql`(${tokenId}, ${hour}) IN ${old}`)
    .returning(ONE);
}

function deleteChanges(db: Db, now: number, rows: number) {
  const newest = db.select({ seq: sql`max(${changes.seq})` }).from(changes);
  const old = db
    .select({ seq: changes.seq })
    .from(changes)
    .where(and(lt(changes.at, new Date(now - CHANGES_MS).toISOString()), sql`NOT ${eq(changes.seq, newest)}`))
    .limit(rows);
  return db.delete(changes).where(inArray(changes.seq, old)).returning(ONE);
}

/** By the index, and then by the words of the trigger `events_stay`, which would refuse the whole statement for one row. */
function deleteEvents(db: Db, now: number, days: number, rows: number) {
  const old = db
    .select({ id: events.id })
    .from(events)
    .where(
      and(
        lt(events.at, new Date(now - days * DAY_MS).toISOString()),
        sql`julianday(${events.at}) < julianday('now') - ${days}`,
      ),
    )
    .limit(rows);
  return db.delete(events).where(inArray(events.id, old)).returning(ONE);
}
