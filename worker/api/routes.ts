// /v1: the face for services that hold a token.
import { Hono } from 'hono';
import type { Context } from 'hono';
import type { Env } from '../env.ts';
import { Problem, problemResponse } from '../problem.ts';
import { requestIdOf } from '../request-id.ts';
import { authenticate } from './bearer.ts';
import { apiHeaders, preflight } from './headers.ts';

type Face = { Bindings: Env };
const OWN_PATHS = new Set(['/v1/ping', '/v1/organisation', '/v1/token']);

export const api = new Hono<Face>()
  .get('/v1/ping', async (c) => {
    const { organisationId, tokenId } = await authenticate(c.req.raw, c.env, contextOf(c));
    return answer(c, { status: 'ok', organisationId, tokenId });
  })
  .get('/v1/organisation', async (c) => {
    const { organisationId } = await authenticate(c.req.raw, c.env, contextOf(c));
    const { readOrganisation } = await import('./reads.ts');
    return answer(c, await readOrganisation(c.env, organisationId));
  })
  .get('/v1/token', async (c) => {
    const { tokenId } = await authenticate(c.req.raw, c.env, contextOf(c));
    const { readToken } = await import('./reads.ts');
    return answer(c, await readToken(c.env, tokenId));
  })
  .options('/v1/*', (c) => preflight(c.req.raw, c.env, requestIdOf(c.req.raw)))
  .all('/v1/*', (c) => {
    if (OWN_PATHS.has(c.req.path)) {
      throw new Problem('method-not-allowed', undefined, { allow: 'GET, HEAD, OPTIONS' });
    }
    throw new Problem('not-found', 'No such endpoint, and no upstream API is configured (UPSTREAM_URL)');
  });

api.onError((error, c) => {
  // What is no Problem is answered, and logged, by the front door.
  if (!(error instanceof Problem)) throw error;
  const requestId = requestIdOf(c.req.raw);
  const response = problemResponse(error, new URL(c.req.url).origin, requestId);
  for (const [name, value] of Object.entries(apiHeaders(c.req.raw, c.env, requestId)))
    response.headers.set(name, value);
  return response;
});

function answer(c: Context<Face>, body: object): Response {
  const headers = apiHeaders(c.req.raw, c.env, requestIdOf(c.req.raw));
  headers['content-type'] = 'application/json';
  return new Response(JSON.stringify(body), { headers });
}

/** What verification may do after the answer, and where the call came in. */
function contextOf(c: Context<Face>): { waitUntil(promise: Promise<unknown>): void; cf?: unknown } {
  const context = c.executionCtx;
  return { waitUntil: (promise) => context.waitUntil(promise), cf: c.req.raw.cf };
}
