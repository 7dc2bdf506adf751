// Who makes a change, through which request, and when: what every audit event says of its cause.
import type { Call } from '../http/call.ts';
import type { Cause } from './events.ts';

/** The cause that this call is, on behalf of `actor` (a member's address, or `operator`). */
export function causeOf(call: Call, actor: string): Cause {
  return { actor, ...circumstancesOf(call) };
}

/** The same where only the database will know the actor: whose sign-in a code is. */
export function circumstancesOf({ id, caller }: Call): Omit<Cause, 'actor'> {
  return { requestId: id, ip: caller.address, userAgent: caller.agent, at: new Date().toISOString() };
}
