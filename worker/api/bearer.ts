// Refuses or accepts the holder of a token: what verification answers as data becomes a problem with its challenge
// here (RFC 6750 section 3). Every invalid token gets one and the same answer.
import type { Env } from '../env.ts';
import { Problem } from '../problem.ts';
import { readCredential } from '../verification/credential.ts';
import { verify } from '../verification/verify.ts';
import type { Verification, VerifyContext } from '../verification/verify.ts';

export type Holder = Extract<Verification, { ok: true }>;

const CHALLENGE = 'Bearer realm="api"';
const MALFORMED = `${CHALLENGE}, error="invalid_request", error_description="The credential is malformed"`;
const INVALID = `${CHALLENGE}, error="invalid_token", error_description="The token is unknown, inactive or deleted"`;

/** The holder of the request's token, at once where verification needs no I/O; throws a Problem for anyone else. */
export function authenticate(request: Request, env: Env, context: VerifyContext): Holder | Promise<Holder> {
  const credential = readCredential(request.headers);
  if (!credential.ok) throw refusal(credential.reason);
  const verification = verify(credential.secret, env, context);
  return verification instanceof Promise ? verification.then(accept) : accept(verification);
}

function accept(verification: Verification): Holder {
  if (verification.ok) return verification;
  throw refusal(
    verification.reason,
    verification.reason === 'verification-unavailable' ? verification.retryAfter : undefined,
  );
}

type Reason =
  | 'authentication-required'
  | 'malformed-credential'
  | Exclude<Verification, { ok: true }>['reason'];

/** The problem for a refusal. `retryAfter` in seconds. */
export function refusal(reason: Reason, retryAfter?: number): Problem {
  switch (reason) {
    case 'authentication-required':
      return new Problem(reason, 'Send a token: Authorization: Bearer <token>', {
        'www-authenticate': CHALLENGE,
      });
    case 'malformed-credential':
      return new Problem(reason, 'Send one token, in one Authorization or X-API-Key header', {
        'www-authenticate': MALFORMED,
      });
    case 'invalid-token':
      return new Problem(reason, 'The token is unknown, inactive or deleted', {
        'www-authenticate': INVALID,
      });
    case 'enterprise-plan-required':
      return new Problem(reason, "The token's organisation is not on the Enterprise plan");
    case 'verification-unavailable':
      return new Problem(reason, 'The token cannot be verified right now; it may well be good. Try again.', {
        'retry-after': String(retryAfter ?? 1),
      });
  }
}
