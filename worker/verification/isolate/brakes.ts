// Rules that keep an isolate from asking more than the hub and the database can answer, so that a region recovers after a
// disturbance. simulation/overload.ts shows this, and what happens without each rule. Pure: times in ms.

/** How long an isolate does not ask again after a question failed. Random, so that isolates do not all ask at the same time. */
const REST_MS = { least: 250, most: 750 };
/** How long a call waits before it looks again for the answer to another call's question. Grows with the time that it has waited. */
const LOOK_AGAIN_MS = 10;
const LOOK_AGAIN_SHARE = 0.25;

export const BRAKES = {
  /**
   * Whether an answer under a lease until `leaseUntil` may serve a call that began at `startedAt`. The promise is about the time at
   * which a call begins, so an answer that arrives after its lease still serves calls that began before its end.
   */
  isAnswered(startedAt: number, leaseUntil: number, _now: number): boolean {
    return startedAt < leaseUntil;
  },
  /** Whether a call may renew the lease. One call renews at a time; `askedUntil` is when the present one gives up. */
  mayRenew(now: number, askedUntil: number): boolean {
    return now >= askedUntil;
  },
  /** Whether a call may read the database itself, in the same way. */
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
