// A member signs in a few times a day. Each sign-in writes a session, and an event in each of their organisations.
import { DAILY_LIMITS, countDaily } from '../daily-limit.ts';
import type { Db } from '../database.ts';
import { overDailyLimit } from '../limit.ts';

/** Counts a sign-in of the member for the day, or refuses with `too-many-requests`. Only who can sign in uses the limit up. */
export async function countSignIn(db: Db, email: string, now: number): Promise<void> {
  const counted = await countDaily(db, 'sign-in', email, now);
  if (counted.ok) return;
  throw overDailyLimit(
    `This member has signed in ${DAILY_LIMITS['sign-in']} times today (UTC)`,
    counted.retryAfter,
  );
}
