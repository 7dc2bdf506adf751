// What the events of a run say of their cause.
import type { Cause } from '../activity/events.ts';

/** Of the run at `now` (ms). Its request id is this run's own. */
export function causeOfRun(now: number): Cause {
  return {
    actor: 'system',
    requestId: crypto.randomUUID(),
    ip: null,
    userAgent: null,
    at: new Date(now).toISOString(),
  };
}
