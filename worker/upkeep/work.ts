// The works of a run, one after the other.
import type { Deployment } from '../deployment/deployment.ts';
import { logFailure } from '../http/log.ts';
import { storageFailureOf } from '../storage-failure.ts';
import { FOREIGN_FAULT, isForeign } from '../verification/ownership.ts';
import { requireOwnDatabase } from './owner.ts';

/** One of the works of a run, and the event of the log if it fails. */
export type Work = [failure: Parameters<typeof logFailure>[0], work: () => Promise<unknown>];

/** Does the works on this deployment's own database, and answers what failed. A work that fails does not keep the others. */
export async function doWorks(deployment: Deployment, works: readonly Work[]): Promise<unknown[]> {
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
  return failures;
}
