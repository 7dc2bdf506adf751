// The rules that keep an isolate from asking more than the hub and the database can answer, so that a region comes back
// after a disturbance (simulation/overload.ts shows it, and what happens without each of them). Pure: times in ms.

/** How long an isolate does not ask again after a question that failed at once; random, so that isolates do not ask together. */
const REST_MS = { least: 250, most: 750 };
/** How long a call waits between two looks at what another call has asked; longer when it has waited long already. */
const LOOK_AGAIN_MS = 10;
const LOOK_AGAIN_SHARE = 0.25;

export const BRAKES = {
  /**
   * Whether what was learned under a lease until `leaseUntil` answers a call that began at `startedAt`. The promise is
   * about the moment at which a call begins, so an answer that comes after its lease still serves the calls that began before.
   */
  isAnswered(startedAt: number, leaseUntil: number, _now: number): boolean {
    return startedAt < leaseUntil;
  },
  /** Whether a call may renew the lease: one at a time, and `askedUntil` is when the one under way is given up. */
  mayRenew(now: number, askedUntil: number): boolean {
    return now >= askedUntil;
  },
  /** Whether a call may read the database itself: as above. */
  mayReadDirectly(now: number, askedUntil: number): boolean {
    return now >= askedUntil;
  },
  /** How long the hub, or the database, is not asked again after it failed. `random` is from 0 to 1. */
  restMs(random: number): number {
    return REST_MS.least + random * (REST_MS.most - REST_MS.least);
  },
  lookAgainMs(waitedMs: number): number {
    return LOOK_AGAIN_MS + waitedMs * LOOK_AGAIN_SHARE;
  },
};
export type Brakes = typeof BRAKES;
