// The runs of the schedules in wrangler.toml: the hourly one removes what has run out; the other one retires secrets and warns of
// tokens that end soon.
import type { Call } from '../http/call.ts';
import { logFailure, logPruned } from '../http/log.ts';
import { storageFailureOf } from '../storage-failure.ts';
import { FOREIGN_FAULT, isForeign } from '../verification/ownership.ts';
import { requireOwnDatabase } from './owner.ts';
import { prune } from './prune.ts';
import { retireSecrets } from './retire.ts';
import { sendExpiryMails, warnOfEnds } from './warn.ts';

type Run = Pick<ScheduledController, 'cron' | 'scheduledTime'>;

/** The schedule in wrangler.toml that is not the hourly one. */
export const TEN_MINUTES_CRON = '*/10 * * * *';

/** One of the works of a run, and the event of the log if it fails. */
type Work = [failure: Parameters<typeof logFailure>[0], work: () => Promise<unknown>];

/**
 * Does what is due at the time of the run. A work that fails does not keep the others; the first failure is thrown in the end, so
 * that the run counts as failed.
 */
export async function runUpkeep({ deployment, startedAt }: Call, run: Run): Promise<void> {
  const { cron, scheduledTime: now } = run;
  const works: Work[] =
    cron === TEN_MINUTES_CRON
      ? [
          ['retirement-failed', () => retireSecrets(deployment, now)],
          ['warning-failed', () => warnOfEnds(deployment, now)],
          ['mailing-failed', () => sendExpiryMails(deployment, now)],
        ]
      : [['prune-failed', async () => logPrunedSince(startedAt, await prune(deployment, now))]];
  const failures: unknown[] = [];
  for (const [failure, work] of works) {
    try {
      await requireOwnDatabase(deployment);
      await work();
    } catch (error) {
      logFailure(failure, isForeign(error) ? FOREIGN_FAULT : (storageFailureOf(error) ?? undefined));
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}

function logPrunedSince(startedAt: number, pruned: Awaited<ReturnType<typeof prune>>): void {
  logPruned({ ...pruned, durationMs: Date.now() - startedAt });
}
