// A member signs in a few times a day. Each sign-in writes a session, and an event in each of their organisations.
import { DAILY_LIMITS } from '../daily-limit.ts';
import type { Db } from '../database.ts';
import { limitDaily } from '../http/limit-daily.ts';

/** Counts a sign-in of the member for the day, or refuses with `too-many-requests`. Comes after everything else that refuses, so that only the member can use the limit up. */
export async function countSignIn(db: Db, email: string, now: number): Promise<void> {
  const detail = `This member has signed in ${DAILY_LIMITS['sign-in']} times today (UTC)`;
  await limitDaily(db, { kind: 'sign-in', subject: email, now }, detail);
}
