// Limits for a UTC day, counted exactly in the database. A client at its limit of the minute all day would use up the rows that all
// organisations share. A count is one indexed statement. Over the limit it writes nothing.
import { sql } from 'drizzle-orm';
import type { Db } from './database.ts';
import { storageFailureOf } from './storage-failure.ts';
import { dailyCounts } from './tables.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

export type DailyKind = (typeof dailyCounts.$inferSelect)['kind'];

/** docs/operating/budget.md says how many rows each limit allows. */
export const DAILY_LIMITS = {
  /** Changes of an organisation that are no safety act: creations (refused and repeated ones too), renamings, activations. */
  change: 500,
  /** Tokens that an organisation asks for; and files of the activity that a member saves. */
  creation: 100,
  /** Refusals of a member that are put on record. */
  refusal: 100,
  /** Sign-ins of a member who is let in. */
  'sign-in': 200,
  /** Sign-in links that one network address asks for: each writes a row, for strangers too. */
  link: 1000,
} as const satisfies Record<DailyKind, number>;
/** Sign-in links that an IPv6 /48 asks for: each of its 65,536 networks is a client of its own. */
export const LINKS_OF_A_NETWORK = 3000;

/**
 * What is counted. `subject`: the id of an organisation, a member's address, or a client. `now` in ms. `most`: the limit, if it is not
 * that of the kind. `times`: how many more; one, where it is not said.
 */
export type DailyCount = { kind: DailyKind; subject: string; now: number; most?: number; times?: number };

/**
 * Counts, and answers whether the day's limit allows it, and otherwise in how many seconds the next day begins. A full database counts
 * nothing and allows: only switching off, and the sign-in for it, still work there (reserve.ts).
 */
export async function countDaily(
  db: Db,
  { kind, subject, now, most = DAILY_LIMITS[kind], times = 1 }: DailyCount,
): Promise<{ ok: true } | { ok: false; retryAfter: number }> {
  const day = Math.floor(now / DAY_MS);
  const sameDay = sql`${dailyCounts.day} = ${day}`;
  const count = async () =>
    db
      .insert(dailyCounts)
      .values({ subject, kind, day, count: times })
      .onConflictDoUpdate({
        target: [dailyCounts.subject, dailyCounts.kind],
        set: { day, count: sql`iif(${sameDay}, ${dailyCounts.count} + ${times}, ${times})` },
        setWhere: sql`NOT ${sameDay} OR ${dailyCounts.count} + ${times} <= ${most}`,
      })
      .returning({ count: dailyCounts.count });
  const counted = await count().catch((error: unknown) => {
    if (storageFailureOf(error) === 'full') return null;
    throw error;
  });
  if (counted === null || counted.length > 0) return { ok: true };
  return { ok: false, retryAfter: Math.ceil(((day + 1) * DAY_MS - now) / 1000) };
}
