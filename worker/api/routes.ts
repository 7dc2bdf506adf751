// /v1: the routes for services that hold a token. There is no router: to match three paths with one costs as much as a
// verification. Errors are thrown as a `Problem`, but a refusal is answered without a throw: it must not cost more than an acceptance.
import type { Call } from '../http/call.ts';
import { Problem, problemBody, PROBLEMS, type Refusal } from '../http/problem.ts';
import { refusalOf, refusalOfDeployment, refuse } from '../http/refuse.ts';
import { SECRET_CHARACTERS } from '../token/secret.ts';
import { authenticate, type Authentication, type Accepted } from './bearer.ts';
import { checkForwardable, forward } from './gateway.ts';
import { apiResponse, preflight, template, TOKEN_EXPIRES_AT, type Template } from './headers.ts';

const NO_UPSTREAM =
  'No such endpoint here, and no API behind this one: set UPSTREAM_URL, or bind a service as UPSTREAM';

type Handler = (holder: Accepted, call: Call) => Response | Promise<Response>;

/** The handlers by path. The path is also the name of the route in the log. Every other path belongs to the upstream. */
export const READS = {
  '/v1/ping': (holder, call) =>
    answer(call, holder, {
      status: 'ok',
      organisationId: holder.organisationId,
      tokenId: holder.tokenId,
    }),
  '/v1/organisation': async (holder, call) => {
    const { readOrganisation } = await import('./reads.ts');
    const db = await call.deployment.openDatabase();
    return answer(call, holder, await readOrganisation(db, holder.organisationId));
  },
  '/v1/token': async (holder, call) => {
    const { readToken } = await import('./reads.ts');
    return answer(call, holder, await readToken(await call.deployment.openDatabase(), holder.tokenId));
  },
} as const satisfies Record<`/v1/${string}`, Handler>;
export type ReadPath = keyof typeof READS;
const reads = new Map<string, Handler>(Object.entries(READS));

/** Whether these routes answer the path. */
export function isApiPath(path: string): boolean {
  return path.startsWith('/v1/') || path === '/v1';
}

/** The answer to a call of these paths. Not a promise when nothing has to be waited for. */
export function api(call: Call): Response | Promise<Response> {
  const read = reads.get(call.path);
  call.route = read === undefined ? '/v1/*' : call.path;
  const refusal = refusalOfDeployment(call);
  if (refusal !== null) return refuseApi(call, refusal);
  const { url } = call.request;
  // Logs keep a secret in the URL, whatever credential the call has, and whatever becomes of it.
  if (url.length > SECRET_CHARACTERS && SECRET_MARK.test(url))
    call.waitUntil(import('./exposure.ts').then(({ keepExposure }) => keepExposure(call)));
  try {
    const given = route(call, read);
    return given instanceof Promise ? given.catch((error: unknown) => fail(call, error)) : given;
  } catch (error) {
    return fail(call, error);
  }
}

function route(call: Call, read: Handler | undefined): Response | Promise<Response> {
  const { method } = call.request;
  if (method === 'OPTIONS') return preflight(call);
  if (read !== undefined && method !== 'GET' && method !== 'HEAD') {
    throw new Problem('method-not-allowed', undefined, { allow: 'GET, HEAD, OPTIONS' });
  }
  const handler = read ?? forwarderOf(call);
  const authentication = authenticate(call);
  return authentication instanceof Promise
    ? authentication.then((late) => settle(late, handler, call))
    : settle(authentication, handler, call);
}

/** The handler that forwards the call. Throws if there is no upstream, or if the call is never forwarded. */
function forwarderOf(call: Call): Handler {
  const { upstream } = call.deployment;
  if (upstream === null) throw new Problem('not-found', NO_UPSTREAM);
  checkForwardable(call);
  return (holder) => forward(call, upstream, holder);
}

function settle(authentication: Authentication, handler: Handler, call: Call): Response | Promise<Response> {
  if (authentication.ok) {
    call.note(authentication);
    return handler(authentication, call);
  }
  const { refusal } = authentication;
  // A person who types the address has no token to send, and gets a page.
  if (refusal.slug === 'authentication-required' && call.isNavigation) return refuseApi(call, refusal);
  call.note(refusal);
  return apiProblem(call, refusal);
}

function fail(call: Call, thrown: unknown): Response | Promise<Response> {
  return refuseApi(call, refusalOf(call, thrown));
}

function refuseApi(call: Call, refusal: Refusal): Response | Promise<Response> {
  return refuse(call, refusal, apiProblem(call, refusal));
}

/** A part of every secret, as a URL may have it. */
const SECRET_MARK = /(?:_|%5f)(?:d|%64)(?:z|%7a)/i;

const ANSWER = template(200, { 'content-type': 'application/json' });
/** The refusals that are made once (bearer.ts) are rendered once, without the request id at their end. Found by identity. */
const rendered = new WeakMap<Refusal, { origin: string; start: string; shared: Template }>();

/** A problem with the headers of every answer under /v1. */
function apiProblem(call: Call, problem: Refusal): Response {
  const { origin } = call;
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
  return apiResponse(`${known.start}${JSON.stringify(call.id)}}`, known.shared, call);
}

function answer(call: Call, { expiresAt }: Accepted, body: object): Response {
  const response = apiResponse(JSON.stringify(body), ANSWER, call);
  if (expiresAt !== undefined) response.headers.set(TOKEN_EXPIRES_AT, expiresAt);
  return response;
}
