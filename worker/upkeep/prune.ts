// What has run out is removed, hourly. Never an event of the audit log, never the newest row of `changes` (it names the
// head that every hub compares with), and never more rows at once than a busy database bears.
import { and, eq, inArray, lt, sql } from 'drizzle-orm';
import { openDatabase } from '../database.ts';
import type { DatabaseEnv, Db } from '../database.ts';
import { changes, idempotencyKeys, sessions, signIns, tokenUsage } from '../tables.ts';

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;
/** A repeat of a create later than this is a new create. */
const IDEMPOTENCY_MS = DAY_MS;
const USAGE_MS = 31 * DAY_MS;
/** A hub that slept longer finds a gap, and starts again. */
const CHANGES_MS = DAY_MS;

/** One statement deletes this many rows at most: D1 has one writer, and others wait behind it. */
const ROWS = 1000;
/** What one hour leaves behind, the next one takes. */
const ROUNDS = 20;

export type Pruned = {
  sessions: number;
  signIns: number;
  idempotencyKeys: number;
  tokenUsage: number;
  changes: number;
};

/**
 * Removes what had run out at `now` (ms), and answers how many rows went. A table that fails does not keep the others;
 * the first failure is thrown in the end, so that the run counts as failed.
 */
export async function prune(env: DatabaseEnv, now: number, rows: number = ROWS): Promise<Pruned> {
  const db = await openDatabase(env);
  const outcomes = await Promise.allSettled([
    drain(rows, () => deleteSessions(db, now, rows)),
    drain(rows, () => deleteSignIns(db, now, rows)),
    drain(rows, () => deleteIdempotencyKeys(db, now, rows)),
    drain(rows, () => deleteUsage(db, now, rows)),
    drain(rows, () => deleteChanges(db, now, rows)),
  ]);
  const [ofSessions = 0, ofSignIns = 0, ofKeys = 0, ofUsage = 0, ofChanges = 0] = outcomes.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  });
  return {
    sessions: ofSessions,
    signIns: ofSignIns,
    idempotencyKeys: ofKeys,
    tokenUsage: ofUsage,
    changes: ofChanges,
  };
}

async function drain(rows: number, remove: () => Promise<unknown[]>): Promise<number> {
  let total = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const removed = (await remove()).length;
    total += removed;
    if (removed < rows) break;
  }
  return total;
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
