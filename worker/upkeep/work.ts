// The works of a run, one after the other, and the works that send what waits.
import type { Deployment } from '../deployment/deployment.ts';
import { logFailure } from '../http/log.ts';
import { storageFailureOf } from '../storage-failure.ts';
import { FOREIGN_FAULT, isForeign } from '../verification/ownership.ts';
import { requireOwnDatabase } from './owner.ts';

/** One of the works of a run, and the event of the log if it fails. */
export type Work = [failure: Parameters<typeof logFailure>[0], work: () => Promise<unknown>];

/**
 * What began the push. After a change Cloudflare allows 30 seconds, and on the free plan the change and the push have 50 requests
 * and statements together; the run of a minute has its own, and more time.
 */
export type Occasion = 'change' | 'minute';

/** Something that sends what may wait in the database. */
export type Sender = {
  /** The event of the log if it fails. */
  failure: Work[0];
  /** Whether this deployment is set up for it. Asks nothing of storage, so that a deployment without it pays nothing. */
  isOn(deployment: Deployment): boolean;
  /** Sends what is due now, as much as the occasion allows. Two may run at once, and one may be killed at any step. */
  send(deployment: Deployment, occasion: Occasion): Promise<unknown>;
};

/**
 * Does the works on this deployment's own database, and answers what failed. A work that fails does not stop the others. The owner
 * of the database is read once; if that fails, each work reads it again.
 */
export async function doWorks(deployment: Deployment, works: readonly Work[]): Promise<unknown[]> {
  const failures: unknown[] = [];
  let isOwn = false;
  for (const [failure, work] of works) {
    try {
      if (!isOwn) await requireOwnDatabase(deployment);
      isOwn = true;
      await work();
    } catch (error) {
      logFailure(failure, isForeign(error) ? FOREIGN_FAULT : (storageFailureOf(error) ?? undefined));
      failures.push(error);
    }
  }
  return failures;
}
