// The hourly run.
import type { Call } from '../http/call.ts';
import { logFailure, logPruned } from '../http/log.ts';
import { storageFailureOf } from '../storage-failure.ts';
import { FOREIGN_FAULT, isForeign } from '../verification/ownership.ts';
import { requireOwnDatabase } from './owner.ts';
import { prune } from './prune.ts';

/** Removes what had run out at `now` (ms), and logs how much. Rejects where it failed, so that the run counts as failed. */
export async function runUpkeep({ deployment, startedAt }: Call, now: number): Promise<void> {
  try {
    await requireOwnDatabase(deployment);
    logPruned({ ...(await prune(deployment, now)), durationMs: Date.now() - startedAt });
  } catch (error) {
    logFailure('prune-failed', isForeign(error) ? FOREIGN_FAULT : (storageFailureOf(error) ?? undefined));
    throw error;
  }
}
