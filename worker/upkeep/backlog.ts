// Counts the rows that the next pruning will find, for the operator's status.
import { sql } from 'drizzle-orm';
import type { SQLWrapper } from 'drizzle-orm';
import type { Db } from '../database.ts';
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

/** A count stops at this number, because a status must not read a whole table. */
export const BACKLOG_COUNTED = 10_000;

export type Backlog = Record<Table, number>;

/** How many rows have run out at `now` (ms) and are still there, by table, up to BACKLOG_COUNTED. `days`: how long events are kept. */
export async function readBacklog(db: Db, days: number | null, now: number): Promise<Backlog> {
  const count = (expired: SQLWrapper) => sql`(SELECT count(*) FROM ${expired})`;
  const [row] = await db.all<Backlog>(sql`SELECT
    ${count(expiredSessions(db, now, BACKLOG_COUNTED))} AS sessions,
    ${count(expiredSignIns(db, now, BACKLOG_COUNTED))} AS "signIns",
    ${count(expiredDailyCounts(db, now, BACKLOG_COUNTED))} AS "dailyCounts",
    ${count(expiredIdempotencyKeys(db, now, BACKLOG_COUNTED))} AS "idempotencyKeys",
    ${count(expiredUsage(db, now, BACKLOG_COUNTED))} AS "tokenUsage",
    ${count(expiredReasons(db, now, BACKLOG_COUNTED))} AS "refusalReasons",
    ${count(expiredCallers(db, now, BACKLOG_COUNTED))} AS callers,
    ${count(expiredTombstones(db, now, BACKLOG_COUNTED))} AS tombstones,
    ${count(expiredAddresses(db, now, BACKLOG_COUNTED))} AS "refusedAddresses",
    ${count(expiredSecrets(db, now, BACKLOG_COUNTED))} AS "replacedSecrets",
    ${count(expiredWarnings(db, now, BACKLOG_COUNTED))} AS "expiryWarnings",
    ${count(expiredMails(db, now, BACKLOG_COUNTED))} AS mails,
    ${count(expiredNotices(db, now, BACKLOG_COUNTED))} AS notices,
    ${count(expiredChanges(db, now, BACKLOG_COUNTED))} AS changes,
    ${days === null ? sql`0` : count(expiredEvents(db, now, days, BACKLOG_COUNTED))} AS events`);
  if (row === undefined) throw new Error('a count has no row');
  return row;
}
