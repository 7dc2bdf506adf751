// The runs of the schedules in wrangler.toml: the hourly one removes what has run out, the other one retires secrets.
import type { Call } from '../http/call.ts';
import { logFailure, logPruned } from '../http/log.ts';
import { storageFailureOf } from '../storage-failure.ts';
import { FOREIGN_FAULT, isForeign } from '../verification/ownership.ts';
import { requireOwnDatabase } from './owner.ts';
import { prune } from './prune.ts';
import { RETIRE_CRON, retireSecrets } from './retire.ts';

type Run = Pick<ScheduledController, 'cron' | 'scheduledTime'>;

/** Does what is due at the time of the run. Rejects where it failed, so that the run counts as failed. */
export async function runUpkeep(
  { deployment, startedAt }: Call,
  { cron, scheduledTime }: Run,
): Promise<void> {
  const isRetiring = cron === RETIRE_CRON;
  try {
    await requireOwnDatabase(deployment);
    if (isRetiring) await retireSecrets(deployment, scheduledTime);
    else logPruned({ ...(await prune(deployment, scheduledTime)), durationMs: Date.now() - startedAt });
  } catch (error) {
    logFailure(
      isRetiring ? 'retirement-failed' : 'prune-failed',
      isForeign(error) ? FOREIGN_FAULT : (storageFailureOf(error) ?? undefined),
    );
    throw error;
  }
}
