// /v1: the face for services that hold a token.
import { Hono } from 'hono/tiny';
import type { Context } from 'hono';
import type { Env } from '../env.ts';
import { note } from '../log.ts';
import { Problem, problemBody, PROBLEMS, type Refusal } from '../problem.ts';
import { originOf, requestIdOf } from '../request-id.ts';
import { authenticate, type Authentication, type Holder } from './bearer.ts';
import { checkForwardable, forward, hasUpstream } from './gateway.ts';
import { apiResponse, preflight, template, type Template } from './headers.ts';

type Face = { Bindings: Env };
type ApiContext = Context<Face>;

const NO_UPSTREAM =
  'No such endpoint here, and no API behind this one: set UPSTREAM_URL, or bind a service as UPSTREAM';
const OWN_PATHS = new Set(['/v1/ping', '/v1/organisation', '/v1/token']);

// No onError of its own: Hono would wrap every handler of this face in another promise for it.
export const api = new Hono<Face>()
  .get('/v1/ping', (c) =>
    forHolder(c, ({ organisationId, tokenId }) => answer(c, { status: 'ok', organisationId, tokenId })),
  )
  .get('/v1/organisation', (c) =>
    forHolder(c, async ({ organisationId }) => {
      const { readOrganisation } = await import('./reads.ts');
      return answer(c, await readOrganisation(c.env, organisationId));
    }),
  )
  .get('/v1/token', (c) =>
    forHolder(c, async ({ tokenId }) => {
      const { readToken } = await import('./reads.ts');
      return answer(c, await readToken(c.env, tokenId));
    }),
  )
  .options('/v1/*', (c) => preflight(c.req.raw, c.env, requestIdOf(c.req.raw)))
  .all('/v1/*', (c) => {
    if (OWN_PATHS.has(c.req.path)) {
      throw new Problem('method-not-allowed', undefined, { allow: 'GET, HEAD, OPTIONS' });
    }
    if (!hasUpstream(c.env)) throw new Problem('not-found', NO_UPSTREAM);
    checkForwardable(c.req.raw);
    return forHolder(c, (holder) => forward(c.req.raw, c.env, holder));
  });

type Handler = (holder: Holder) => Response | Promise<Response>;

/** Runs the handler for whoever holds a good token and refuses everyone else, without a promise where none is needed. */
function forHolder(c: ApiContext, handler: Handler): Response | Promise<Response> {
  const authentication = authenticate(c.req.raw, c.env, contextOf(c));
  return authentication instanceof Promise
    ? authentication.then((late) => settle(c, late, handler))
    : settle(c, authentication, handler);
}

function settle(c: ApiContext, authentication: Authentication, handler: Handler) {
  const request = c.req.raw;
  if (authentication.ok) {
    note(request, authentication);
    return handler(authentication);
  }
  const { refusal } = authentication;
  note(request, refusal);
  // A caller without a credential may have put it where it must not be.
  if (refusal.slug === 'authentication-required' && request.url.includes('?')) {
    c.executionCtx.waitUntil(import('./exposure.ts').then(({ keepExposure }) => keepExposure(c)));
  }
  return apiProblem(request, c.env, refusal);
}

const ANSWER = template(200, { 'content-type': 'application/json' });
/** By identity: the few refusals that are made once (bearer.ts) have their templates made once. */
const refusalTemplates = new WeakMap<Refusal, Template>();

/** A problem with the headers that every answer under /v1 carries. */
export function apiProblem(request: Request, env: Env, problem: Refusal): Response {
  let shared = refusalTemplates.get(problem);
  if (shared === undefined) {
    shared = template(PROBLEMS[problem.slug].status, {
      'content-type': 'application/problem+json',
      ...problem.headers,
    });
    refusalTemplates.set(problem, shared);
  }
  const requestId = requestIdOf(request);
  return apiResponse(problemBody(problem, originOf(request), requestId), shared, request, env, requestId);
}

function answer(c: ApiContext, body: object): Response {
  const request = c.req.raw;
  return apiResponse(JSON.stringify(body), ANSWER, request, c.env, requestIdOf(request));
}

/** What verification may do after the answer, and where the call came in (read when asked for: workerd parses it then). */
export function contextOf(c: ApiContext): {
  waitUntil(promise: Promise<unknown>): void;
  readonly cf?: unknown;
} {
  const context = c.executionCtx;
  return {
    waitUntil: (promise) => context.waitUntil(promise),
    get cf() {
      return c.req.raw.cf;
    },
  };
}
