// Who may speak for the platform: whoever holds OPERATOR_SECRET. No cookie opens this face, and where no secret of at
// least 32 characters is configured there is no such face.
import type { MiddlewareHandler } from 'hono';
import { clientKey } from '../client-address.ts';
import type { Env } from '../env.ts';
import { limit } from '../limit.ts';
import { Problem } from '../problem.ts';
import { sha256Hex } from '../random.ts';
import { isSameSecret } from '../token/secret.ts';

const SECRET_LENGTH = 32;

export const requireOperator: MiddlewareHandler<{ Bindings: Env }> = async (c, next) => {
  const secret = c.env.OPERATOR_SECRET ?? '';
  if (secret.length < SECRET_LENGTH) throw new Problem('not-found');
  const given = /^Bearer +([!-~]+)$/i.exec(c.req.header('authorization') ?? '')?.[1];
  if (given === undefined || !isSame(given, secret)) {
    // Failures alone are counted: the platform itself is never locked out by somebody else's guesses.
    await limit(c.env.FAILED_LOGINS_PER_CLIENT, clientKey(c.req.raw));
    throw given === undefined
      ? new Problem('authentication-required', undefined, { 'www-authenticate': 'Bearer realm="operator"' })
      : new Problem('invalid-token', 'This is not the operator secret', {
          'www-authenticate': 'Bearer realm="operator", error="invalid_token"',
        });
  }
  await next();
};

/** Compares digests, so that neither content nor length shows in the time it takes. */
function isSame(given: string, secret: string): boolean {
  return isSameSecret(sha256Hex(secret), sha256Hex(given));
}
