// The front door: mounts the faces, answers what nobody answers, and turns a failure into a problem.
// The dashboard's and the operator's wings are loaded lazily, so that API calls never evaluate them; nor do these pass the
// router, whose context and composed handlers would cost a call more than its verification does.
import type { Context } from 'hono';
import { Hono } from 'hono/tiny';
import { Call } from './api/call.ts';
import { forwardAuth, NOBODY } from './api/forward-auth.ts';
import { api, apiProblem, isApiPath } from './api/routes.ts';
import { faultOf } from './configuration.ts';
import type { Env } from './env.ts';
import { routeOf } from './face.ts';
import { logFailure, logMisconfigured, logOften, logPruned, logRequest, logUnexpected, note } from './log.ts';
import { Problem, problemResponse } from './problem.ts';
import { isSentTo, originOf, pathOf, requestIdOf } from './request-id.ts';
import { withSecurityHeaders } from './security-headers.ts';
import { storageFailureOf } from './storage-failure.ts';

export { ChangeHub } from './verification/change-hub.ts';
export { Verifier } from './verifier.ts';

const app = new Hono<{ Bindings: Env }>();

app.get('/healthz', (c) => c.json({ status: 'ok' }));
app.all('/introspect', async (c) => {
  const { introspect } = await import('./api/introspection.ts');
  return introspect(c.req.raw, c.env, new Call(c.req.raw, c.executionCtx));
});
app.all('/api/*', async (c) => {
  const { admin } = await import('./admin/routes.ts');
  noteRoute(c, routeOf(admin, c));
  return withSecurityHeaders(await admin.fetch(c.req.raw, c.env, c.executionCtx));
});
app.on('GET', ['/', '/sign-in', '/developer-zone', '/activity', '/sessions'], async (c) => {
  const { pages } = await import('./pages/pages.ts');
  noteRoute(c, routeOf(pages, c));
  return pages.fetch(c.req.raw, c.env, c.executionCtx);
});
app.all('/operator/*', async (c) => {
  const { operator } = await import('./operator/routes.ts');
  noteRoute(c, routeOf(operator, c));
  return withSecurityHeaders(await operator.fetch(c.req.raw, c.env, c.executionCtx));
});
app.on('ALL', ['/docs', '/docs.md', '/docs/*', '/llms.txt', '/openapi.json'], async (c) => {
  const { docs } = await import('./docs/routes.ts');
  noteRoute(c, routeOf(docs, c));
  return docs.fetch(c.req.raw, c.env, c.executionCtx);
});
app.get('*', async (c) => {
  const asset = await c.env.ASSETS.fetch(c.req.raw);
  if (asset.status === 404) note(c.req.raw, { slug: 'not-found' });
  // No redirect: the files make one of `//host/x`, and of any path that is encoded oddly.
  if (asset.ok || asset.status === 304 || asset.status === 404) return asset;
  throw new Problem('not-found');
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
function refuse(request: Request, env: Env, error: unknown): Response {
  const problem = error instanceof Problem ? error : problemOf(error, request);
  note(request, { slug: problem.slug });
  return isApiPath(pathOf(request))
    ? apiProblem(request, env, problem)
    : problemResponse(problem, originOf(request), requestIdOf(request));
}

function noteRoute(c: Context, route: string | undefined): void {
  if (route !== undefined) note(c.req.raw, { route });
}

/** A failing database is said as such, so that a caller tries again; anything else is ours to mend. */
function problemOf(thrown: unknown, request: Request): Problem {
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

/**
 * A deployment that is set up wrongly answers that it is alive, and a problem to everything else. Forward-auth has no 500
 * and says 503. Without a readable VERIFY_HOST, any host may be the one of forward-auth, and /healthz is no 200 either.
 */
function refuseMisconfigured(request: Request, env: Env, fault: string): Response {
  const path = pathOf(request);
  const isVerification = isForwardAuth(path, request, env);
  if (path === '/healthz' && !isVerification && !fault.startsWith('VERIFY_HOST')) {
    return Response.json({ status: 'ok' });
  }
  if (!reported.has(env)) {
    reported.add(env);
    logMisconfigured(fault);
  }
  const problem = isVerification
    ? new Problem('verification-unavailable', undefined, { 'retry-after': '5', ...NOBODY })
    : new Problem('misconfigured', fault);
  note(request, { slug: problem.slug });
  return isApiPath(path) && !isVerification
    ? apiProblem(request, env, problem)
    : problemResponse(problem, originOf(request), requestIdOf(request));
}
const reported = new WeakSet<Env>();

/**
 * Forward-auth has every path of its own host, so that no path that a gateway appends leads to an answer that verifies
 * nothing. Elsewhere it has exactly one, which the `..` of a path cannot leave.
 */
function isForwardAuth(path: string, request: Request, env: Env): boolean {
  return path === '/verify' || (env.VERIFY_HOST !== '' && isSentTo(request, env.VERIFY_HOST));
}

function dispatch(request: Request, env: Env, context: ExecutionContext): Response | Promise<Response> {
  const fault = faultOf(env);
  if (fault !== null) return refuseMisconfigured(request, env, fault);
  const path = pathOf(request);
  if (isForwardAuth(path, request, env)) {
    if (path !== '/verify') note(request, { route: '/verify' });
    return forwardAuth(request, env, new Call(request, context));
  }
  return isApiPath(path) ? callApi(path, request, env, context) : app.fetch(request, env, context);
}

export default {
  fetch(request: Request, env: Env, context: ExecutionContext) {
    const startedAt = Date.now();
    const answer = dispatch(request, env, context);
    const finish = (given: Response): Response => {
      logRequest(request, given.status, env, startedAt);
      return request.method === 'HEAD' ? new Response(null, given) : given;
    };
    return answer instanceof Promise ? answer.then(finish) : finish(answer);
  },
  async scheduled(controller, env) {
    const { prune } = await import('./upkeep/prune.ts');
    const startedAt = Date.now();
    try {
      logPruned({ ...(await prune(env, controller.scheduledTime)), durationMs: Date.now() - startedAt });
    } catch (error) {
      logFailure('prune-failed', storageFailureOf(error) ?? undefined);
      throw error;
    }
  },
} satisfies ExportedHandler<Env>;
