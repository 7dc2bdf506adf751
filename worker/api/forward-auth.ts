// Answers a gateway's question about a call that it holds (nginx auth_request, Caddy forward_auth, Traefik, Envoy): 200,
// 401, 403 or 503 and nothing else. The identity headers are always there, so that a caller's own never pass instead.
import type { Env } from '../env.ts';
import { note } from '../log.ts';
import { ownOrigin } from '../origins.ts';
import { problemResponse, type Refusal } from '../problem.ts';
import { requestIdOf } from '../request-id.ts';
import { SECURITY_HEADERS } from '../security-headers.ts';
import type { VerifyContext } from '../verification/verify.ts';
import { authenticate, refusal } from './bearer.ts';

const VARY = 'Authorization, X-API-Key';
export const NO_IDENTITY = { 'x-organisation-id': '', 'x-organisation-plan': '', 'x-token-id': '' };

export async function forwardAuth(request: Request, env: Env, context: VerifyContext): Promise<Response> {
  try {
    const authentication = await authenticate(request, env, context);
    if (!authentication.ok) return refuse(request, env, authentication.refusal);
    note(request, authentication);
    return new Response(null, {
      headers: {
        ...SECURITY_HEADERS,
        'cache-control': 'no-store',
        vary: VARY,
        'x-request-id': requestIdOf(request),
        'x-organisation-id': authentication.organisationId,
        'x-organisation-plan': authentication.plan,
        'x-token-id': authentication.tokenId,
      },
    });
  } catch {
    // Whatever broke, the token may be good: a gateway knows no other word for that.
    return refuse(request, env, refusal('verification-unavailable'));
  }
}

function refuse(request: Request, env: Env, why: Refusal): Response {
  // nginx turns a 400 of its auth_request into a 500.
  const slug = why.slug === 'malformed-credential' ? 'authentication-required' : why.slug;
  const known: Refusal = { ...why, slug, headers: { ...why.headers, ...NO_IDENTITY, vary: VARY } };
  note(request, known);
  return problemResponse(known, ownOrigin(env, request), requestIdOf(request));
}
