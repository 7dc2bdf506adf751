// Warns of tokens that end soon, every ten minutes. It goes on where an earlier run stopped.
import { causeOfRun } from '../activity/cause.ts';
import type { Db } from '../database.ts';
import { giveWarnings, isAnyWarningDue } from '../token/expiry.ts';

/** One batch settles so many warnings at most, and a run sends so many batches. */
const ROWS = 100;
const ROUNDS = 20;

/**
 * Gives the warnings that are due at `now` (ms), and answers how many. `id`: of the run. A run that is lost or comes twice changes
 * nothing about it.
 */
export async function warnOfEnds(
  own: { openDatabase(): Promise<Db> },
  id: string,
  now: number,
): Promise<number> {
  const db = await own.openDatabase();
  const cause = causeOfRun(id, now);
  let sum = 0;
  for (let round = 0; round < ROUNDS && (await isAnyWarningDue(db, cause.at)); round++)
    sum += await giveWarnings(db, cause, ROWS);
  return sum;
}
