// The runs of the schedules in wrangler.toml: the hourly one removes what has run out; the one of every ten minutes retires secrets
// and warns of tokens that end soon; the one of every minute pushes what waits.
import type { Call } from '../http/call.ts';
import { logPruned } from '../http/log.ts';
import { sendMails } from './mailing.ts';
import { prune } from './prune.ts';
import { pushes } from './push.ts';
import { retireSecrets } from './retire.ts';
import { warnOfEnds } from './warn.ts';
import { tellUnsent } from './webhook.ts';
import { doWorks } from './work.ts';
import type { Work } from './work.ts';

type Run = Pick<ScheduledController, 'cron' | 'scheduledTime'>;

/** The schedules in wrangler.toml that are not the hourly one. */
export const TEN_MINUTES_CRON = '*/10 * * * *';
export const MINUTE_CRON = '* * * * *';

/**
 * Does what is due at the time of the run. A work that fails does not stop the others; the first failure is thrown in the end, so
 * that the run counts as failed.
 */
export async function runUpkeep(call: Call, run: Run): Promise<void> {
  const failures = await doWorks(call.deployment, worksOf(call, run));
  if (failures.length > 0) throw failures[0];
}

function worksOf({ deployment, id, startedAt }: Call, { cron, scheduledTime: now }: Run): Work[] {
  switch (cron) {
    case MINUTE_CRON:
      return pushes(deployment, 'minute');
    case TEN_MINUTES_CRON:
      return [
        ['retirement-failed', () => retireSecrets(deployment, id, now)],
        ['warning-failed', () => warnOfEnds(deployment, id, now)],
        ['mailing-failed', () => sendMails(deployment, now)],
      ];
    default:
      return [
        // Nothing is told of a receiver that is not set up.
        ...(deployment.settings.webhook === null
          ? []
          : ([['webhook-failed', () => tellUnsent(deployment, now)]] satisfies Work[])),
        ['prune-failed', async () => logPrunedSince(startedAt, await prune(deployment, now))],
      ];
  }
}

function logPrunedSince(startedAt: number, pruned: Awaited<ReturnType<typeof prune>>): void {
  logPruned({ ...pruned, durationMs: Date.now() - startedAt });
}
