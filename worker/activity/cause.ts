// The cause of an audit event: who made the change, by which request or run, and when.
import type { Call } from '../http/call.ts';
import type { Cause } from './events.ts';

/** The cause that this call is, on behalf of `actor` (a member's address, or `operator`). */
export function causeOf(call: Call, actor: string): Cause {
  return { actor, ...circumstancesOf(call) };
}

/** The same for an actor that only the database knows: the member whose code is redeemed. */
export function circumstancesOf(call: Call): Omit<Cause, 'actor'> {
  call.isOnRecord = true;
  const { id, caller } = call;
  return { requestId: id, ip: caller.address, userAgent: caller.agent, at: new Date().toISOString() };
}

/** The cause that a run at `now` (ms) is. Its own id is the request id of all that it does. */
export function causeOfRun(id: string, now: number): Cause {
  return {
    actor: 'system',
    requestId: id,
    ip: null,
    userAgent: null,
    at: new Date(now).toISOString(),
  };
}
