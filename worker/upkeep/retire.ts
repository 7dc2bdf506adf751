// Writes down which secrets have come to their end, every ten minutes: those whose time has passed, and those that are silent.
import { causeOfRun } from '../activity/cause.ts';
import type { Db } from '../database.ts';
import { retireSilent } from '../token/retirement.ts';
import { isAnyDue, retireDue } from '../token/rotation.ts';
import type { Due } from '../token/rotation.ts';

/** What retiring needs of the deployment. */
export type Retiring = { openDatabase(): Promise<Db>; haveHubsWrite(): Promise<boolean> };

/** One statement retires so many at most, and a run sends so many of them: the next run goes on. */
const ROWS = 500;
const ROUNDS = 50;

/**
 * Retires what is due at `now` (ms), and answers how many secrets. `id`: of the run. A run that is lost or comes twice changes
 * nothing about it.
 */
export async function retireSecrets(own: Retiring, id: string, now: number): Promise<number> {
  const db = await own.openDatabase();
  const cause = causeOfRun(id, now);
  const retireAll = async (due: Due): Promise<number> => {
    let sum = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const retired = await retireDue(db, due, cause, ROWS);
      sum += retired;
      if (retired < ROWS) break;
    }
    return sum;
  };
  const isTimeOver = await isAnyDue(db, { reason: 'time' }, cause.at);
  const byTime = isTimeOver ? await retireAll({ reason: 'time' }) : 0;
  const silent = await retireSilent({
    now: () => now,
    mayBeSilent: (before) => isAnyDue(db, { reason: 'silent', before }, cause.at),
    writeUses: () => own.haveHubsWrite(),
    retire: (before) => retireAll({ reason: 'silent', before }),
  });
  return byTime + silent;
}
