// Where a request enters: chooses the group of routes, answers 404, and turns a failure into a problem. The routes of the
// dashboard and of the operator are loaded when first needed, so that API calls never evaluate them; nor do these pass the
// router, whose context and composed handlers would cost a call more than its verification does.
import type { Context } from 'hono';
import { Hono } from 'hono/tiny';
import { Call } from './api/call.ts';
import { forwardAuth, NO_IDENTITY } from './api/forward-auth.ts';
import { api, apiProblem, isApiPath } from './api/routes.ts';
import { faultOf } from './configuration.ts';
import type { Env } from './env.ts';
import { routeOf } from './route-group.ts';
import { logFailure, logMisconfigured, logOften, logPruned, logRequest, logUnexpected, note } from './log.ts';
import { addressProblem, isAtVerifyHost, isOurs, ownOrigin, pageElsewhere } from './origins.ts';
import { Problem, problemResponse, type Refusal, type Slug } from './problem.ts';
import { isNavigation, pathOf, requestIdOf } from './request-id.ts';
import { coverSubdomains, withSecurityHeaders } from './security-headers.ts';
import { storageFailureOf } from './storage-failure.ts';
import { FOREIGN_FAULT, isForeign } from './verification/ownership.ts';

export { ChangeHub } from './verification/hub/change-hub.ts';
export { Verifier } from './verifier.ts';

const app = new Hono<{ Bindings: Env }>();

/** Files that are the body of a refusal, and no page of their own. */
const REFUSALS = new Set(['/404', '/problem', '/unavailable']);

app.all('/introspect', async (c) => {
  const { introspect } = await import('./api/introspection.ts');
  return introspect(c.req.raw, c.env, new Call(c.req.raw, c.executionCtx));
});
app.all('/api/*', async (c) => {
  const { admin } = await import('./admin/routes.ts');
  noteRoute(c, routeOf(admin, c));
  return admin.fetch(c.req.raw, c.env, c.executionCtx);
});
app.on('GET', ['/', '/sign-in', '/developer-zone', '/activity', '/sessions'], async (c) => {
  const { pages } = await import('./pages/pages.ts');
  noteRoute(c, routeOf(pages, c));
  return pages.fetch(c.req.raw, c.env, c.executionCtx);
});
app.all('/operator/*', async (c) => {
  const { operator } = await import('./operator/routes.ts');
  noteRoute(c, routeOf(operator, c));
  return operator.fetch(c.req.raw, c.env, c.executionCtx);
});
app.on(
  'ALL',
  ['/docs', '/docs.md', '/docs/*', '/llms.txt', '/openapi.json', '/.well-known/security.txt'],
  async (c) => {
    const { documents } = await import('./pages/documents.ts');
    noteRoute(c, routeOf(documents, c));
    return documents.fetch(c.req.raw, c.env, c.executionCtx);
  },
);
app.get('*', async (c) => {
  const { raw, path } = c.req;
  const asset = REFUSALS.has(path) ? null : await c.env.ASSETS.fetch(raw);
  // No redirect: the files make one of `//host/x`, and of any path that is encoded oddly. A new answer, because the headers of
  // this one cannot be added to.
  if (asset?.ok === true || asset?.status === 304) return new Response(asset.body, asset);
  const missing = new Problem('not-found');
  if (asset !== null && asset.status !== 404) throw missing;
  note(raw, { slug: missing.slug });
  const { problemPage } = await import('./pages/problem-page.ts');
  const page = await problemPage(raw, c.env, missing, new Headers());
  if (page === null) throw missing;
  return page;
});
app.notFound(() => {
  throw new Problem('not-found');
});
app.onError((error, c) => refuse(c.req.raw, c.env, error));

function callApi(path: string, request: Request, env: Env, context: ExecutionContext) {
  try {
    const answer = api(path, request, env, new Call(request, context));
    return answer instanceof Promise ? answer.catch((error: unknown) => refuse(request, env, error)) : answer;
  } catch (error) {
    return refuse(request, env, error);
  }
}

/** The answer to whatever was thrown on the way to another one. */
function refuse(request: Request, env: Env, error: unknown): Response | Promise<Response> {
  return answerProblem(request, env, error instanceof Problem ? error : problemOf(error, request, env));
}

function answerProblem(request: Request, env: Env, problem: Refusal): Response | Promise<Response> {
  note(request, { slug: problem.slug });
  const answer = isApiPath(pathOf(request))
    ? apiProblem(request, env, problem)
    : problemResponse(problem, ownOrigin(env, request), requestIdOf(request));
  return isNavigation(request) ? asPage(request, env, problem, answer) : answer;
}

/** The same refusal for a person; the answer for programs where the page cannot be had. */
async function asPage(request: Request, env: Env, problem: Refusal, answer: Response): Promise<Response> {
  const { problemPage } = await import('./pages/problem-page.ts');
  return (await problemPage(request, env, problem, answer.headers)) ?? answer;
}

function noteRoute(c: Context, route: string | undefined): void {
  if (route !== undefined) note(c.req.raw, { route });
}

/** A failing database is said as such, so that a caller tries again; anything else is ours to mend. */
function problemOf(thrown: unknown, request: Request, env: Env): Problem {
  // A hub may have said so meanwhile.
  const fault = faultOf(env);
  if (fault !== null) {
    report(env, fault);
    return new Problem('misconfigured', fault);
  }
  const failure = storageFailureOf(thrown);
  if (failure !== null) {
    logOften('storage-failed', failure);
    return new Problem(
      'storage-unavailable',
      'Nothing was changed, or the change is seen when you look again',
      { 'retry-after': '2' },
    );
  }
  logUnexpected(thrown instanceof Error ? thrown : new Error('not an Error'), request);
  return new Problem('unexpected');
}

/** A deployment that is set up wrongly answers a problem that names the setting, and says so once in the log. */
function refuseMisconfigured(request: Request, env: Env, fault: string): Response | Promise<Response> {
  report(env, fault);
  return answerProblem(request, env, new Problem('misconfigured', fault));
}

function report(env: Env, fault: string): void {
  if (reported.has(env)) return;
  reported.add(env);
  logMisconfigured(fault);
}
const reported = new WeakSet<Env>();

function dispatch(request: Request, env: Env, context: ExecutionContext): Response | Promise<Response> {
  const path = pathOf(request);
  // Forward-auth has every path of its own host, so that no path that a gateway appends leads to an answer that verifies
  // nothing. Elsewhere it has exactly one, which the `..` of a path cannot leave.
  if (path === '/verify' || isAtVerifyHost(request, env)) return answerGateway(path, request, env, context);
  if (!isApiPath(path)) return serve(path, request, env, context).then(withSecurityHeaders);
  const fault = faultOf(env);
  if (fault !== null) return refuseMisconfigured(request, env, fault);
  return isOurs(request.url, env)
    ? callApi(path, request, env, context)
    : answerProblem(request, env, addressProblem(request, env));
}

/** The answer of forward-auth: 200, 401, 403 or 503, and empty identity headers in a refusal. */
function answerGateway(
  path: string,
  request: Request,
  env: Env,
  context: ExecutionContext,
): Response | Promise<Response> {
  if (path !== '/verify') note(request, { route: '/verify' });
  const fault = faultOf(env);
  if (fault !== null) {
    report(env, fault);
    return refuseGateway(request, env, undefined);
  }
  if (isOurs(request.url, env)) return forwardAuth(request, env, new Call(request, context));
  const { slug, detail } = addressProblem(request, env);
  return refuseGateway(request, env, detail, slug === 'https-required' ? slug : undefined);
}

function refuseGateway(
  request: Request,
  env: Env,
  detail: string | undefined,
  slug: Slug = 'verification-unavailable',
): Response {
  note(request, { slug });
  const headers = { ...(slug === 'verification-unavailable' ? { 'retry-after': '5' } : {}), ...NO_IDENTITY };
  return problemResponse({ slug, detail, headers }, ownOrigin(env, request), requestIdOf(request));
}

/** The answer to everything but /v1 and forward-auth. */
async function serve(path: string, request: Request, env: Env, context: ExecutionContext): Promise<Response> {
  const fault = faultOf(env);
  // Asked by monitors, which may know no more than an address: it says nothing about this deployment. While VERIFY_HOST
  // cannot be read, every host may be the one of forward-auth, where a 200 lets a call pass.
  if (path === '/healthz' && fault?.startsWith('VERIFY_HOST') !== true)
    return Response.json({ status: 'ok' });
  if (fault !== null) return refuseMisconfigured(request, env, fault);
  const page = pageElsewhere(app.getPath(request), request, env);
  // A permanent redirect of a GET, to another address of ours.
  if (page !== null) return new Response(null, { status: 308, headers: { location: page } });
  return isOurs(request.url, env)
    ? app.fetch(request, env, context)
    : answerProblem(request, env, addressProblem(request, env));
}

export default {
  fetch(request: Request, env: Env, context: ExecutionContext) {
    const startedAt = Date.now();
    const answer = dispatch(request, env, context);
    const finish = (given: Response): Response => {
      logRequest(request, given.status, env, startedAt);
      if (env.HSTS_SUBDOMAINS === 'yes') coverSubdomains(given);
      return request.method === 'HEAD' ? new Response(null, given) : given;
    };
    return answer instanceof Promise ? answer.then(finish) : finish(answer);
  },
  async scheduled(controller, env) {
    const { prune } = await import('./upkeep/prune.ts');
    const { requireOwnDatabase } = await import('./upkeep/owner.ts');
    const startedAt = Date.now();
    try {
      await requireOwnDatabase(env);
      logPruned({ ...(await prune(env, controller.scheduledTime)), durationMs: Date.now() - startedAt });
    } catch (error) {
      logFailure('prune-failed', isForeign(error) ? FOREIGN_FAULT : (storageFailureOf(error) ?? undefined));
      throw error;
    }
  },
} satisfies ExportedHandler<Env>;
