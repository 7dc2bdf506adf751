// The expired rows of each table. The hourly pruning deletes them, and the operator's status counts them. Each is a select of the keys
// of at most `rows` rows, by an index.
import { and, eq, lt, notExists, sql } from 'drizzle-orm';
import type { SQLWrapper } from 'drizzle-orm';
import type { SQLiteColumn, SQLiteTable } from 'drizzle-orm/sqlite-core';
import type { Db } from '../database.ts';
import {
  callers,
  changes,
  dailyCounts,
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
import { addressesSince } from '../token/usage.ts';
import { NOTICE_MS } from './notices.ts';

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;
/** A repeat of a create later than this is a new create. */
const IDEMPOTENCY_MS = DAY_MS;
const USAGE_MS = 31 * DAY_MS;
/** Callers are kept for 30 UTC days, with today. */
const CALLERS_MS = 29 * DAY_MS;
/** How long calls with a secret that has ended are counted. */
const TOMBSTONES_MS = 90 * DAY_MS;
/** How long a retired secret is shown with its token. */
const RETIRED_MS = 30 * DAY_MS;
/** A hub that slept longer finds a gap, and starts again. */
const CHANGES_MS = DAY_MS;

function expiredSessions(db: Db, now: number, rows: number) {
  return db.select({ hash: sessions.hash }).from(sessions).where(lt(sessions.expiresAt, now)).limit(rows);
}

function expiredSignIns(db: Db, now: number, rows: number) {
  return db.select({ hash: signIns.hash }).from(signIns).where(lt(signIns.expiresAt, now)).limit(rows);
}

/** The count of a day that is over begins again with the next one. */
function expiredDailyCounts(db: Db, now: number, rows: number) {
  const { subject, kind, day } = dailyCounts;
  return db
    .select({ subject, kind })
    .from(dailyCounts)
    .where(lt(day, Math.floor(now / DAY_MS)))
    .limit(rows);
}

function expiredIdempotencyKeys(db: Db, now: number, rows: number) {
  const { organisationId, actor, key, createdAt } = idempotencyKeys;
  return db
    .select({ organisationId, actor, key })
    .from(idempotencyKeys)
    .where(lt(createdAt, now - IDEMPOTENCY_MS))
    .limit(rows);
}

function expiredUsage(db: Db, now: number, rows: number) {
  const { tokenId, hour } = tokenUsage;
  return db
    .select({ tokenId, hour })
    .from(tokenUsage)
    .where(lt(hour, Math.floor((now - USAGE_MS) / HOUR_MS)))
    .limit(rows);
}

function expiredReasons(db: Db, now: number, rows: number) {
  const { tokenId, hour, reason } = refusalReasons;
  return db
    .select({ tokenId, hour, reason })
    .from(refusalReasons)
    .where(lt(hour, Math.floor((now - USAGE_MS) / HOUR_MS)))
    .limit(rows);
}

function expiredCallers(db: Db, now: number, rows: number) {
  const { tokenId, day, hash, network, country, agent } = callers;
  return db
    .select({ tokenId, day, hash, network, country, agent })
    .from(callers)
    .where(lt(day, Math.floor((now - CALLERS_MS) / DAY_MS)))
    .limit(rows);
}

function expiredTombstones(db: Db, now: number, rows: number) {
  return db
    .select({ hash: tombstones.hash })
    .from(tombstones)
    .where(lt(tombstones.endedAt, new Date(now - TOMBSTONES_MS).toISOString()))
    .limit(rows);
}

function expiredAddresses(db: Db, now: number, rows: number) {
  const { tokenId, address, at } = refusedAddresses;
  return db
    .select({ tokenId, address })
    .from(refusedAddresses)
    .where(lt(at, addressesSince(now)))
    .limit(rows);
}

function expiredSecrets(db: Db, now: number, rows: number) {
  return db
    .select({ hash: replacedSecrets.hash })
    .from(replacedSecrets)
    .where(lt(replacedSecrets.retiredAt, new Date(now - RETIRED_MS).toISOString()))
    .limit(rows);
}

/** Of ends that have passed. */
function expiredWarnings(db: Db, now: number, rows: number) {
  const { tokenId, expiresAt, days } = expiryWarnings;
  return db
    .select({ tokenId, expiresAt, days })
    .from(expiryWarnings)
    .where(lt(expiresAt, new Date(now).toISOString()))
    .limit(rows);
}

/** Of notices that are not told any more. A mail that was taken and never removed is of a Worker that died. */
function expiredMails(db: Db, now: number, rows: number) {
  const { noticeId, email } = mails;
  return db
    .select({ noticeId, email })
    .from(notices)
    .innerJoin(mails, eq(noticeId, notices.id))
    .where(isNoticeOver(now))
    .limit(rows);
}

/** Those whose mails are gone, so that no deletion takes thousands of mails with it. */
function expiredNotices(db: Db, now: number, rows: number) {
  const left = db
    .select({ one: sql`1` })
    .from(mails)
    .where(eq(mails.noticeId, notices.id));
  return db
    .select({ id: notices.id })
    .from(notices)
    .where(and(isNoticeOver(now), notExists(left)))
    .limit(rows);
}

function isNoticeOver(now: number) {
  return lt(notices.begunAt, new Date(now - NOTICE_MS).toISOString());
}

function expiredChanges(db: Db, now: number, rows: number) {
  const newest = db.select({ seq: sql`max(${changes.seq})` }).from(changes);
  return db
    .select({ seq: changes.seq })
    .from(changes)
    .where(and(lt(changes.at, new Date(now - CHANGES_MS).toISOString()), sql`NOT ${eq(changes.seq, newest)}`))
    .limit(rows);
}

/** The first condition uses the index. The second is that of the trigger `events_stay`, which would refuse the whole statement for one row. */
export function expiredEvents(db: Db, now: number, days: number, rows: number) {
  return db
    .select({ id: events.id })
    .from(events)
    .where(
      and(
        lt(events.at, new Date(now - days * DAY_MS).toISOString()),
        sql`julianday(${events.at}) < julianday('now') - ${days}`,
      ),
    )
    .limit(rows);
}

type Expired = {
  table: SQLiteTable;
  /** The columns of the select, in its order. */
  keys: SQLiteColumn[];
  /** What has run out at `now` (ms); `days`: how long events are kept, null for ever. Null: no row of the table runs out. */
  select(db: Db, now: number, rows: number, days: number | null): SQLWrapper | null;
};

/** In the order in which the tables take turns. The status and the log have these names. */
export const EXPIRED = {
  sessions: { table: sessions, keys: [sessions.hash], select: expiredSessions },
  signIns: { table: signIns, keys: [signIns.hash], select: expiredSignIns },
  dailyCounts: {
    table: dailyCounts,
    keys: [dailyCounts.subject, dailyCounts.kind],
    select: expiredDailyCounts,
  },
  idempotencyKeys: {
    table: idempotencyKeys,
    keys: [idempotencyKeys.organisationId, idempotencyKeys.actor, idempotencyKeys.key],
    select: expiredIdempotencyKeys,
  },
  tokenUsage: {
    table: tokenUsage,
    keys: [tokenUsage.tokenId, tokenUsage.hour],
    select: expiredUsage,
  },
  refusalReasons: {
    table: refusalReasons,
    keys: [refusalReasons.tokenId, refusalReasons.hour, refusalReasons.reason],
    select: expiredReasons,
  },
  callers: {
    table: callers,
    keys: [callers.tokenId, callers.day, callers.hash, callers.network, callers.country, callers.agent],
    select: expiredCallers,
  },
  tombstones: { table: tombstones, keys: [tombstones.hash], select: expiredTombstones },
  refusedAddresses: {
    table: refusedAddresses,
    keys: [refusedAddresses.tokenId, refusedAddresses.address],
    select: expiredAddresses,
  },
  replacedSecrets: { table: replacedSecrets, keys: [replacedSecrets.hash], select: expiredSecrets },
  expiryWarnings: {
    table: expiryWarnings,
    keys: [expiryWarnings.tokenId, expiryWarnings.expiresAt, expiryWarnings.days],
    select: expiredWarnings,
  },
  mails: { table: mails, keys: [mails.noticeId, mails.email], select: expiredMails },
  notices: { table: notices, keys: [notices.id], select: expiredNotices },
  changes: { table: changes, keys: [changes.seq], select: expiredChanges },
  events: {
    table: events,
    keys: [events.id],
    select: (db, now, rows, days) => (days === null ? null : expiredEvents(db, now, days, rows)),
  },
} satisfies Record<string, Expired>;

export type Table = keyof typeof EXPIRED;
// The keys of a literal.
export const EXPIRED_TABLES = Object.keys(EXPIRED) as Table[];

/** The same for each table. */
export function eachTable<T>(value: T): Record<Table, T> {
  // It has every table.
  return Object.fromEntries(EXPIRED_TABLES.map((table) => [table, value])) as Record<Table, T>;
}
