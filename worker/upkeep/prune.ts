// Removes expired rows every hour, until none is left or the time is over. It never removes the newest row of `changes`, because hubs
// compare with it, and never an event that is younger than the operator's retention. It never deletes more rows at once than a busy
// database can stand.
import { sql } from 'drizzle-orm';
import type { SQLWrapper } from 'drizzle-orm';
import type { SQLiteColumn, SQLiteTable } from 'drizzle-orm/sqlite-core';
import type { Db } from '../database.ts';
import { fillReserve } from '../reserve.ts';
import { storageFailureOf } from '../storage-failure.ts';
import {
  callers,
  changes,
  dailyCounts,
  eventRetention,
  events,
  expiryWarnings,
  idempotencyKeys,
  refusalReasons,
  mails,
  notices,
  refusedAddresses,
  replacedSecrets,
  sessions,
  signIns,
  tokenUsage,
  tombstones,
} from '../tables.ts';
import {
  expiredAddresses,
  expiredCallers,
  expiredChanges,
  expiredDailyCounts,
  expiredEvents,
  expiredIdempotencyKeys,
  expiredMails,
  expiredReasons,
  expiredNotices,
  expiredSecrets,
  expiredSessions,
  expiredSignIns,
  expiredTombstones,
  expiredUsage,
  expiredWarnings,
} from './expired.ts';
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
 * Removes what had run out at `now` (ms). The tables take turns, so that a backlog of one does not keep the others. A table
 * that fails does not keep the others either; the first failure is thrown in the end, so that the run counts as failed.
 */
export async function prune(deployment: Pruning, now: number, budget: Budget = BUDGET): Promise<Pruned> {
  const db = await deployment.openDatabase();
  const bytes = await deployment.readDatabaseSize(db);
  const { eventsRetentionDays: days } = deployment.settings;
  await keepRetention(db, days);
  const { rows } = budget;
  const { subject, kind } = dailyCounts;
  const { organisationId, actor, key } = idempotencyKeys;
  const { tokenId, hour } = tokenUsage;
  const { tokenId: warned, expiresAt, days: warningDays } = expiryWarnings;
  const deletions: [Table, () => PromiseLike<unknown[]>][] = [
    ['sessions', () => remove(db, sessions, [sessions.hash], expiredSessions(db, now, rows))],
    ['signIns', () => remove(db, signIns, [signIns.hash], expiredSignIns(db, now, rows))],
    ['dailyCounts', () => remove(db, dailyCounts, [subject, kind], expiredDailyCounts(db, now, rows))],
    [
      'idempotencyKeys',
      () => remove(db, idempotencyKeys, [organisationId, actor, key], expiredIdempotencyKeys(db, now, rows)),
    ],
    ['tokenUsage', () => remove(db, tokenUsage, [tokenId, hour], expiredUsage(db, now, rows))],
    [
      'refusalReasons',
      () =>
        remove(
          db,
          refusalReasons,
          [refusalReasons.tokenId, refusalReasons.hour, refusalReasons.reason],
          expiredReasons(db, now, rows),
        ),
    ],
    [
      'callers',
      () =>
        remove(
          db,
          callers,
          [callers.tokenId, callers.day, callers.hash, callers.network, callers.country, callers.agent],
          expiredCallers(db, now, rows),
        ),
    ],
    ['tombstones', () => remove(db, tombstones, [tombstones.hash], expiredTombstones(db, now, rows))],
    [
      'refusedAddresses',
      () =>
        remove(
          db,
          refusedAddresses,
          [refusedAddresses.tokenId, refusedAddresses.address],
          expiredAddresses(db, now, rows),
        ),
    ],
    [
      'replacedSecrets',
      () => remove(db, replacedSecrets, [replacedSecrets.hash], expiredSecrets(db, now, rows)),
    ],
    [
      'expiryWarnings',
      () => remove(db, expiryWarnings, [warned, expiresAt, warningDays], expiredWarnings(db, now, rows)),
    ],
    ['mails', () => remove(db, mails, [mails.noticeId, mails.email], expiredMails(db, now, rows))],
    ['notices', () => remove(db, notices, [notices.id], expiredNotices(db, now, rows))],
    ['changes', () => remove(db, changes, [changes.seq], expiredChanges(db, now, rows))],
  ];
  if (days !== null) {
    deletions.push(['events', () => remove(db, events, [events.id], expiredEvents(db, now, days, rows))]);
  }

  const removed = {
    sessions: 0,
    signIns: 0,
    dailyCounts: 0,
    idempotencyKeys: 0,
    tokenUsage: 0,
    refusalReasons: 0,
    callers: 0,
    tombstones: 0,
    refusedAddresses: 0,
    replacedSecrets: 0,
    expiryWarnings: 0,
    mails: 0,
    notices: 0,
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
    const [table, deleteSome] = next;
    statements++;
    try {
      const { length } = await deleteSome();
      removed[table] += length;
      if (length === rows) queue.push([table, deleteSome]);
    } catch (error) {
      isLimited = storageFailureOf(error) === 'query-limit';
      if (isLimited) queue.push([table, deleteSome]);
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

/** Deletes the rows that a select of `expired.ts` finds; `keys` are the columns that it selects. */
function remove(db: Db, table: SQLiteTable, keys: SQLiteColumn[], expired: SQLWrapper) {
  return db
    .delete(table)
    .where(sql`(${sql.join(keys, sql`, `)}) IN ${expired}`)
    .returning(ONE);
}
