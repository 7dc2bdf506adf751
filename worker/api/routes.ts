// /v1: the routes for services that hold a token. Plain functions, no router: matching three paths by one costs as much as
// a verification. What is wrong is thrown as a Problem, but for a refusal, which must be no dearer than an acceptance.
import type { Env } from '../env.ts';
import { note } from '../log.ts';
import { Problem, problemBody, PROBLEMS, type Refusal } from '../problem.ts';
import { ownOrigin } from '../origins.ts';
import { isNavigation, requestIdOf } from '../request-id.ts';
import type { VerifyContext } from '../verification/verify.ts';
import { authenticate, type Authentication, type Holder } from './bearer.ts';
import { checkForwardable, forward, hasUpstream } from './gateway.ts';
import { apiResponse, preflight, template, type Template } from './headers.ts';

const NO_UPSTREAM =
  'No such endpoint here, and no API behind this one: set UPSTREAM_URL, or bind a service as UPSTREAM';

type Handler = (holder: Holder, request: Request, env: Env) => Response | Promise<Response>;

/** What is answered here; every other path belongs to the API behind this one. */
const READS = new Map<string, Handler>([
  [
    '/v1/ping',
    ({ organisationId, tokenId }, request, env) =>
      answer(request, env, { status: 'ok', organisationId, tokenId }),
  ],
  [
    '/v1/organisation',
    async ({ organisationId }, request, env) => {
      const { readOrganisation } = await import('./reads.ts');
      return answer(request, env, await readOrganisation(env, organisationId));
    },
  ],
  [
    '/v1/token',
    async ({ tokenId }, request, env) => {
      const { readToken } = await import('./reads.ts');
      return answer(request, env, await readToken(env, tokenId));
    },
  ],
]);

/** Whether these routes answer the path. */
export function isApiPath(path: string): boolean {
  return path.startsWith('/v1/') || path === '/v1';
}

/** The answer to a call of `path`: at once where nothing has to be waited for. */
export function api(
  path: string,
  request: Request,
  env: Env,
  context: VerifyContext,
): Response | Promise<Response> {
  const { method } = request;
  if (method === 'OPTIONS') return preflight(request, env, requestIdOf(request));
  const read = READS.get(path);
  if (read === undefined) {
    if (!hasUpstream(env)) throw new Problem('not-found', NO_UPSTREAM);
    checkForwardable(request);
  } else if (method !== 'GET' && method !== 'HEAD') {
    throw new Problem('method-not-allowed', undefined, { allow: 'GET, HEAD, OPTIONS' });
  }
  const handler = read ?? forwarded;
  const authentication = authenticate(request, env, context);
  return authentication instanceof Promise
    ? authentication.then((late) => settle(late, handler, request, env, context))
    : settle(authentication, handler, request, env, context);
}

const forwarded: Handler = (holder, request, env) => forward(request, env, holder);

function settle(
  authentication: Authentication,
  handler: Handler,
  request: Request,
  env: Env,
  context: VerifyContext,
): Response | Promise<Response> {
  // A secret in the URL is known to logs, whatever stands in the header. Cheap where there is none: a query is rare enough.
  const { url } = request;
  const isBare = !authentication.ok && authentication.refusal.slug === 'authentication-required';
  if (url.includes('?') && (isBare || SECRET_MARK.test(url))) {
    context.waitUntil(import('./exposure.ts').then(({ keepExposure }) => keepExposure(request, env)));
  }
  if (authentication.ok) {
    note(request, authentication);
    return handler(authentication, request, env);
  }
  const { refusal } = authentication;
  // A person at the address bar has no token to send: thrown, so that the front door answers with a page.
  if (isBare && isNavigation(request)) throw new Problem(refusal.slug, refusal.detail, refusal.headers);
  note(request, refusal);
  return apiProblem(request, env, refusal);
}

/** In every secret; an underscore may be encoded. */
const SECRET_MARK = /(?:_|%5f)dz/i;

const ANSWER = template(200, { 'content-type': 'application/json' });
/** By identity: the few refusals that are made once (bearer.ts) are rendered once, but for the request's id at their end. */
const rendered = new WeakMap<Refusal, { origin: string; start: string; shared: Template }>();

/** A problem with the headers that every answer under /v1 carries. */
export function apiProblem(request: Request, env: Env, problem: Refusal): Response {
  const origin = ownOrigin(env, request);
  let known = rendered.get(problem);
  if (known === undefined || known.origin !== origin) {
    const headers = { 'content-type': 'application/problem+json', ...problem.headers };
    const whole = problemBody(problem, origin, '');
    known = {
      origin,
      start: whole.slice(0, whole.lastIndexOf('""}')),
      shared: template(PROBLEMS[problem.slug].status, headers),
    };
    rendered.set(problem, known);
  }
  const requestId = requestIdOf(request);
  return apiResponse(`${known.start}${JSON.stringify(requestId)}}`, known.shared, request, env, requestId);
}

function answer(request: Request, env: Env, body: object): Response {
  return apiResponse(JSON.stringify(body), ANSWER, request, env, requestIdOf(request));
}
