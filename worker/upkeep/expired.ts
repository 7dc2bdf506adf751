// The expired rows of each table. The hourly pruning deletes them, and the operator's status counts them. Each is a select of the keys
// of at most `rows` rows, by an index.
import { and, eq, lt, notExists, sql } from 'drizzle-orm';
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

export type Table =
  | 'sessions'
  | 'signIns'
  | 'dailyCounts'
  | 'idempotencyKeys'
  | 'tokenUsage'
  | 'refusalReasons'
  | 'callers'
  | 'tombstones'
  | 'refusedAddresses'
  | 'replacedSecrets'
  | 'expiryWarnings'
  | 'mails'
  | 'notices'
  | 'changes'
  | 'events';

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

export function expiredSessions(db: Db, now: number, rows: number) {
  return db.select({ hash: sessions.hash }).from(sessions).where(lt(sessions.expiresAt, now)).limit(rows);
}

export function expiredSignIns(db: Db, now: number, rows: number) {
  return db.select({ hash: signIns.hash }).from(signIns).where(lt(signIns.expiresAt, now)).limit(rows);
}

/** The count of a day that is over begins again with the next one. */
export function expiredDailyCounts(db: Db, now: number, rows: number) {
  const { subject, kind, day } = dailyCounts;
  return db
    .select({ subject, kind })
    .from(dailyCounts)
    .where(lt(day, Math.floor(now / DAY_MS)))
    .limit(rows);
}

export function expiredIdempotencyKeys(db: Db, now: number, rows: number) {
  const { organisationId, actor, key, createdAt } = idempotencyKeys;
  return db
    .select({ organisationId, actor, key })
    .from(idempotencyKeys)
    .where(lt(createdAt, now - IDEMPOTENCY_MS))
    .limit(rows);
}

export function expiredUsage(db: Db, now: number, rows: number) {
  const { tokenId, hour } = tokenUsage;
  return db
    .select({ tokenId, hour })
    .from(tokenUsage)
    .where(lt(hour, Math.floor((now - USAGE_MS) / HOUR_MS)))
    .limit(rows);
}

export function expiredReasons(db: Db, now: number, rows: number) {
  const { tokenId, hour, reason } = refusalReasons;
  return db
    .select({ tokenId, hour, reason })
    .from(refusalReasons)
    .where(lt(hour, Math.floor((now - USAGE_MS) / HOUR_MS)))
    .limit(rows);
}

export function expiredCallers(db: Db, now: number, rows: number) {
  const { tokenId, day, hash, network, country, agent } = callers;
  return db
    .select({ tokenId, day, hash, network, country, agent })
    .from(callers)
    .where(lt(day, Math.floor((now - CALLERS_MS) / DAY_MS)))
    .limit(rows);
}

export function expiredTombstones(db: Db, now: number, rows: number) {
  return db
    .select({ hash: tombstones.hash })
    .from(tombstones)
    .where(lt(tombstones.endedAt, new Date(now - TOMBSTONES_MS).toISOString()))
    .limit(rows);
}

export function expiredAddresses(db: Db, now: number, rows: number) {
  const { tokenId, address, at } = refusedAddresses;
  return db
    .select({ tokenId, address })
    .from(refusedAddresses)
    .where(lt(at, addressesSince(now)))
    .limit(rows);
}

export function expiredSecrets(db: Db, now: number, rows: number) {
  return db
    .select({ hash: replacedSecrets.hash })
    .from(replacedSecrets)
    .where(lt(replacedSecrets.retiredAt, new Date(now - RETIRED_MS).toISOString()))
    .limit(rows);
}

/** Of ends that have passed. */
export function expiredWarnings(db: Db, now: number, rows: number) {
  const { tokenId, expiresAt, days } = expiryWarnings;
  return db
    .select({ tokenId, expiresAt, days })
    .from(expiryWarnings)
    .where(lt(expiresAt, new Date(now).toISOString()))
    .limit(rows);
}

/** Of notices that are not told any more. A mail that was taken and never removed is of a Worker that died. */
export function expiredMails(db: Db, now: number, rows: number) {
  const { noticeId, email } = mails;
  return db
    .select({ noticeId, email })
    .from(notices)
    .innerJoin(mails, eq(noticeId, notices.id))
    .where(isNoticeOver(now))
    .limit(rows);
}

/** Those whose mails are gone, so that no deletion takes thousands of mails with it. */
export function expiredNotices(db: Db, now: number, rows: number) {
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

export function expiredChanges(db: Db, now: number, rows: number) {
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
