// Accepts or refuses the credential of a call. A refusal is a problem with a challenge (RFC 6750 section 3). All invalid tokens
// get the same answer.
import type { Call } from '../http/call.ts';
import type { Refusal } from '../http/problem.ts';
import { readCredential } from '../verification/credential.ts';
import type { Verification, VerifyContext } from '../verification/verify.ts';
import { REALM } from './challenge.ts';

export type Accepted = Extract<Verification, { ok: true }>;

const CHALLENGE = `Bearer realm="${REALM}"`;
const MALFORMED = `${CHALLENGE}, error="invalid_request", error_description="The credential is malformed"`;
const INVALID = `${CHALLENGE}, error="invalid_token", error_description="The token is unknown, inactive or deleted"`;

export type Authentication = Accepted | { ok: false; refusal: Refusal };

/**
 * The holder of the request's token, or the refusal. Not a promise when verification needs no I/O. `context`: for a gateway, the call
 * that it holds.
 */
export function authenticate(
  call: Call,
  context: VerifyContext = call,
): Authentication | Promise<Authentication> {
  const credential = readCredential(call.request.headers);
  if (!credential.ok) return { ok: false, refusal: refusal(credential.reason) };
  const verification = call.deployment.verify(credential.secret, context);
  return verification instanceof Promise ? verification.then(judge) : judge(verification);
}

function judge(verification: Verification): Authentication {
  if (verification.ok) return verification;
  const { reason } = verification;
  const retryAfter = reason === 'verification-unavailable' ? verification.retryAfter : undefined;
  return { ok: false, refusal: refusal(reason, retryAfter) };
}

type Reason =
  | 'authentication-required'
  | 'malformed-credential'
  | Exclude<Verification, { ok: true }>['reason'];

/** Made once: a refusal must not cost more than an acceptance, so that a flood of bad tokens stays cheap. */
const REFUSALS = {
  'authentication-required': {
    slug: 'authentication-required',
    detail: 'Send a token: Authorization: Bearer <token>',
    headers: { 'www-authenticate': CHALLENGE },
  },
  'malformed-credential': {
    slug: 'malformed-credential',
    detail: 'Send one token, in one Authorization or X-API-Key header',
    headers: { 'www-authenticate': MALFORMED },
  },
  'invalid-token': {
    slug: 'invalid-token',
    detail: 'The token is unknown, inactive or deleted',
    headers: { 'www-authenticate': INVALID },
  },
  'organisation-paused': {
    slug: 'organisation-paused',
    detail: "The token's organisation is paused: none of its tokens is accepted until the pause ends",
    headers: {},
  },
  'enterprise-plan-required': {
    slug: 'enterprise-plan-required',
    detail: "The token's organisation is not on the Enterprise plan",
    headers: {},
  },
  'access-denied': {
    slug: 'access-denied',
    detail: 'The token is good, but it may not make this call: it may only read, or only call other paths',
    headers: { 'www-authenticate': `${CHALLENGE}, error="insufficient_scope", scope="full"` },
  },
  'verification-unavailable': {
    slug: 'verification-unavailable',
    detail: 'The token cannot be verified right now; it may well be good. Try again.',
    headers: {},
  },
} as const satisfies Record<Reason, Refusal>;

/** The refusal for a reason. `retryAfter` in seconds. */
export function refusal(reason: Reason, retryAfter?: number): Refusal {
  if (reason !== 'verification-unavailable') return REFUSALS[reason];
  return { ...REFUSALS[reason], headers: { 'retry-after': String(retryAfter ?? 1) } };
}

/** What a gateway's own API is told of the holder. */
export function identityOf({ organisationId, plan, tokenId, access }: Accepted) {
  return {
    'x-organisation-id': organisationId,
    'x-organisation-plan': plan,
    'x-token-id': tokenId,
    'x-token-access': access ?? 'full',
  };
}
