// Answers a gateway's question about a call that it holds (nginx auth_request, Caddy forward_auth, Traefik, Envoy): 200,
// 401, 403 or 503 and nothing else. The identity headers are always there, so that a caller's own never pass instead.
import type { Call } from '../http/call.ts';
import { addressProblem } from '../http/origins.ts';
import { problemResponse, type Refusal } from '../http/problem.ts';
import { SECURITY_HEADERS } from '../http/security-headers.ts';
import { authenticate, refusal } from './bearer.ts';

const VARY = 'Authorization, X-API-Key';
const NO_IDENTITY = { 'x-organisation-id': '', 'x-organisation-plan': '', 'x-token-id': '' };

/** The answer of forward-auth: 200, 401, 403 or 503, and empty identity headers in a refusal. */
export function forwardAuth(call: Call): Response | Promise<Response> {
  call.route = '/verify';
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

/** The refusal of a question that this deployment, or this address of it, does not answer. */
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
    const authentication = await authenticate(call);
    if (!authentication.ok) return refuse(call, authentication.refusal);
    call.note(authentication);
    return new Response(null, {
      headers: {
        ...SECURITY_HEADERS,
        'cache-control': 'no-store',
        vary: VARY,
        'x-request-id': call.id,
        'x-organisation-id': authentication.organisationId,
        'x-organisation-plan': authentication.plan,
        'x-token-id': authentication.tokenId,
      },
    });
  } catch {
    // Any failure: the token may be good, and a gateway knows no other word for that.
    return refuse(call, refusal('verification-unavailable'));
  }
}

function refuse(call: Call, why: Refusal): Response {
  // nginx turns a 400 of its auth_request into a 500.
  const slug = why.slug === 'malformed-credential' ? 'authentication-required' : why.slug;
  const known: Refusal = { ...why, slug, headers: { ...why.headers, ...NO_IDENTITY, vary: VARY } };
  call.note(known);
  return problemResponse(known, call);
}
