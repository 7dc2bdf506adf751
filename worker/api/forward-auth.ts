// Answers a gateway that asks about a call (nginx auth_request, Caddy forward_auth, Traefik, Envoy) with 200, 401, 403 or 503
// only. Every answer has the identity headers, so that a gateway never passes on such headers of the caller.
import type { Call } from '../http/call.ts';
import { addressProblem } from '../http/origins.ts';
import { problemResponse, type Refusal } from '../http/problem.ts';
import { SECURITY_HEADERS } from '../http/security-headers.ts';
import { AskedCall, VERIFY } from './asked-call.ts';
import { authenticate, identityOf, refusal } from './bearer.ts';

const VARY = 'Authorization, X-API-Key';
const NO_IDENTITY: Record<keyof ReturnType<typeof identityOf>, ''> = {
  'x-organisation-id': '',
  'x-organisation-plan': '',
  'x-token-id': '',
  'x-token-access': '',
};

/** The answer: 200, 401, 403 or 503. A refusal has empty identity headers. */
export function forwardAuth(call: Call): Response | Promise<Response> {
  call.route = VERIFY;
  const { fault } = call.deployment;
  if (fault !== null) {
    call.deployment.reportFault(fault);
    return refuseUnasked(call, 'verification-unavailable', undefined);
  }
  const elsewhere = addressProblem(call);
  if (elsewhere === null) return verifyFor(call);
  const { slug, detail } = elsewhere;
  return refuseUnasked(call, slug === 'https-required' ? slug : 'verification-unavailable', detail);
}

/** The refusal when the deployment has a fault, or does not answer at this address. No token is verified. */
function refuseUnasked(
  call: Call,
  slug: 'verification-unavailable' | 'https-required',
  detail: string | undefined,
): Response {
  call.note({ slug });
  const headers = { ...(slug === 'verification-unavailable' ? { 'retry-after': '5' } : {}), ...NO_IDENTITY };
  return problemResponse({ slug, detail, headers }, call);
}

async function verifyFor(call: Call): Promise<Response> {
  try {
    const asked = new AskedCall(call);
    const authentication = await authenticate(call, call.verifiedFor(asked));
    if (!authentication.ok) return refuse(call, withMissing(authentication.refusal, asked));
    call.note(authentication);
    return new Response(null, {
      headers: {
        ...SECURITY_HEADERS,
        'cache-control': 'no-store',
        vary: VARY,
        'x-request-id': call.id,
        ...identityOf(authentication),
      },
    });
  } catch {
    // Any failure: the token may be good, and 503 is the only status that tells a gateway so.
    return refuse(call, refusal('verification-unavailable'));
  }
}

/** A limited token may be good, and the gateway did not say what call it holds. */
function withMissing(why: Refusal, { wrong }: AskedCall): Refusal {
  return why.slug === 'access-denied' && wrong !== null ? { ...why, detail: wrong } : why;
}

function refuse(call: Call, why: Refusal): Response {
  // nginx turns a 400 of its auth_request into a 500.
  const slug = why.slug === 'malformed-credential' ? 'authentication-required' : why.slug;
  const known: Refusal = { ...why, slug, headers: { ...why.headers, ...NO_IDENTITY, vary: VARY } };
  call.note(known);
  return problemResponse(known, call);
}
