// Checks the operator: the caller must hold OPERATOR_SECRET, or OPERATOR_SECRET_NEXT while the secret is being replaced.
// No cookie opens these routes. Without a secret of at least 32 characters in the settings they answer 404.
import type { MiddlewareHandler } from 'hono';
import type { Db } from '../database.ts';
import type { CallEnv } from '../http/call.ts';
import { limitClient } from '../http/limit.ts';
import { Problem } from '../http/problem.ts';
import { isSameByDigest } from '../token/secret.ts';

export type OperatorEnv = CallEnv & { Variables: { db: Db } };

export const requireOperator: MiddlewareHandler<CallEnv> = async (c, next) => {
  const { call } = c.env;
  const { operatorSecret, operatorSecretNext } = call.deployment.settings;
  const secrets = [operatorSecret, operatorSecretNext].filter((secret) => secret !== null);
  if (secrets.length === 0) throw new Problem('not-found');
  const given = /^Bearer +([!-~]+)$/i.exec(c.req.header('authorization') ?? '')?.[1];
  if (given === undefined || !isOneOf(given, secrets)) {
    // Only failures are counted, so that guesses of a stranger never lock out the platform.
    await limitClient(call, call.deployment.limiters.failedLoginsPerClient);
    throw given === undefined
      ? new Problem('authentication-required', undefined, { 'www-authenticate': 'Bearer realm="operator"' })
      : new Problem('invalid-token', 'This is not the operator secret', {
          'www-authenticate': 'Bearer realm="operator", error="invalid_token"',
        });
  }
  await next();
};

/** Compares all secrets, so that the time does not tell which one matches. */
function isOneOf(given: string, secrets: string[]): boolean {
  return secrets.filter((secret) => isSameByDigest(secret, given)).length > 0;
}
