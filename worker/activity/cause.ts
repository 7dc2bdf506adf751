// Who makes a change, through which request, and when: what every audit event says of its cause.
import { clientAddress } from '../client-address.ts';
import { requestIdOf } from '../request-id.ts';
import type { Cause } from './events.ts';

/** What of a handler's context is needed here. */
type Asked = { req: { raw: Request } };

/** The cause that this request is, on behalf of `actor` (a member's address, or `operator`). */
export function causeOf(c: Asked, actor: string): Cause {
  return { actor, ...circumstancesOf(c) };
}

/** The same where only the database will know the actor: whose sign-in a code is. */
export function circumstancesOf(c: Asked): Omit<Cause, 'actor'> {
  return {
    requestId: requestIdOf(c.req.raw),
    ip: clientAddress(c.req.raw),
    userAgent: userAgentOf(c.req.raw),
    at: new Date().toISOString(),
  };
}

/**
 * What the client calls itself, in 256 characters at most. Without control characters and invisible ones: they would steer a
 * terminal, or turn around the order of what stands beside them.
 */
function userAgentOf({ headers }: Request): string | null {
  const text = headers
    .get('user-agent')
    ?.slice(0, 256)
    .replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, '')
    .trim();
  return text === undefined || text === '' ? null : text;
}
