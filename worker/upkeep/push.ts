// Sends what waits in the database to people and machines. It runs after the answer of each change, so that what the change wrote
// is sent at once, and every minute, which sends the rest. A change only writes its event; it sends nothing itself.
import type { Deployment } from '../deployment/deployment.ts';
import { doWorks } from './work.ts';
import type { Work } from './work.ts';

/**
 * What began the push. After a change Cloudflare allows 30 seconds, and on the free plan the change and the push have 50 requests
 * and statements together; the run of a minute has its own, and more time.
 */
export type Occasion = 'change' | 'minute';

/** Something that may wait in the database. */
type Sender = {
  /** The event of the log if it fails. */
  failure: Work[0];
  /** Whether this deployment is set up for it. Asks nothing of storage, so that a deployment without it pays nothing. */
  isOn(deployment: Deployment): boolean;
  /** Sends what is due now, as much as the occasion allows. Two may run at once, and one may be killed at any step. */
  send(deployment: Deployment, occasion: Occasion): Promise<unknown>;
};

/** In the order in which they run. */
const SENDERS: readonly Sender[] = [];

/** The works that send what waits, of those that this deployment is set up for. */
export function pushes(deployment: Deployment, occasion: Occasion): Work[] {
  return SENDERS.filter(({ isOn }) => isOn(deployment)).map(({ failure, send }) => [
    failure,
    () => send(deployment, occasion),
  ]);
}

/** Sends what waits after a change. A failure is in the log; the next run of a minute goes on. */
export async function pushAfterChange(deployment: Deployment): Promise<void> {
  await doWorks(deployment, pushes(deployment, 'change'));
}
