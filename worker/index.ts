// The front door: mounts the faces, answers what nobody answers, and turns a failure into a problem.
// The dashboard's and the operator's wings are loaded lazily, so that API calls never evaluate them.
import type { Context } from 'hono';
import { Hono } from 'hono/tiny';
import { forwardAuth, NOBODY } from './api/forward-auth.ts';
import { api, apiProblem, contextOf } from './api/routes.ts';
import { faultOf } from './configuration.ts';
import type { Env } from './env.ts';
import { routeOf } from './face.ts';
import { logFailure, logMisconfigured, logRequest, logUnexpected, note } from './log.ts';
import { isStorageFailure, Problem, problemResponse } from './problem.ts';
import { originOf, requestIdOf } from './request-id.ts';
import { withSecurityHeaders } from './security-headers.ts';

export { ChangeHub } from './verification/change-hub.ts';
export { Verifier } from './verifier.ts';

const app = new Hono<{ Bindings: Env }>();

app.get('/healthz', (c) => c.json({ status: 'ok' }));
app.route('/', api);
// Envoy's ext_authz puts the path of the call behind the one that it is told to ask.
app.all('/verify/*', (c) => forwardAuth(c.req.raw, c.env, contextOf(c)));
app.all('/introspect', async (c) => {
  const { introspect } = await import('./api/introspection.ts');
  return introspect(c.req.raw, c.env, contextOf(c));
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
app.notFound(() => {
  throw new Problem('not-found');
});
app.onError((error, c) => {
  const problem = error instanceof Problem ? error : problemOf(error, c.req.raw);
  note(c.req.raw, { slug: problem.slug });
  if (c.req.path.startsWith('/v1/')) return apiProblem(c.req.raw, c.env, problem);
  return problemResponse(problem, originOf(c.req.raw), requestIdOf(c.req.raw));
});

function noteRoute(c: Context, route: string | undefined): void {
  if (route !== undefined) note(c.req.raw, { route });
}

/** A failing database is said as such, so that a caller tries again; anything else is ours to mend. */
function problemOf(error: Error, request: Request): Problem {
  if (isStorageFailure(error)) {
    return new Problem(
      'storage-unavailable',
      'Nothing was changed, or the change is seen when you look again',
      {
        'retry-after': '2',
      },
    );
  }
  logUnexpected(error, request);
  return new Problem('unexpected');
}

/** A deployment that is set up wrongly answers nothing but that it is alive: /verify knows no 500, and says 503. */
function refuseMisconfigured(request: Request, env: Env, fault: string): Response {
  const { pathname } = new URL(request.url);
  if (pathname === '/healthz') return Response.json({ status: 'ok' });
  if (!reported.has(env)) {
    reported.add(env);
    logMisconfigured(fault);
  }
  const problem =
    pathname === '/verify' || pathname.startsWith('/verify/')
      ? new Problem('verification-unavailable', undefined, { 'retry-after': '5', ...NOBODY })
      : new Problem('misconfigured', fault);
  note(request, { slug: problem.slug });
  return pathname.startsWith('/v1/')
    ? apiProblem(request, env, problem)
    : problemResponse(problem, originOf(request), requestIdOf(request));
}
const reported = new WeakSet<Env>();

export default {
  fetch(request: Request, env: Env, context: ExecutionContext) {
    const startedAt = Date.now();
    const fault = faultOf(env);
    const answer =
      fault === null ? app.fetch(request, env, context) : refuseMisconfigured(request, env, fault);
    const log = (given: Response): Response => {
      logRequest(request, given.status, env, startedAt);
      return given;
    };
    return answer instanceof Promise ? answer.then(log) : log(answer);
  },
  async scheduled(controller, env) {
    const { prune } = await import('./upkeep/prune.ts');
    try {
      await prune(env, controller.scheduledTime);
    } catch (error) {
      logFailure('prune-failed');
      throw error;
    }
  },
} satisfies ExportedHandler<Env>;
