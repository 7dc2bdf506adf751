// The common parts of all groups of routes under Hono: they name the route for the log, throw their errors to the caller of the group,
// and tell a wrong method from a wrong path.
import type { Context, Hono, Schema } from 'hono';
import type { Call, CallEnv } from './call.ts';
import { METHODS } from './methods.ts';
import { Problem } from './problem.ts';

/** http/refuse.ts renders errors; a path that exists for another method is answered 405 with `Allow`. */
export function finishRoutes<E extends CallEnv, S extends Schema, P extends string>(
  routes: Hono<E, S, P>,
): Hono<E, S, P> {
  routes.onError((error) => {
    throw error;
  });
  routes.notFound((c) => {
    throw noRouteOf(routes, c);
  });
  return routes;
}

/** The answer of a group of routes. The log names the pattern that matches, such as "/api/organisations/:organisation/tokens". */
export function answerBy<E extends CallEnv, S extends Schema, P extends string>(
  routes: Hono<E, S, P>,
  call: Call,
): Response | Promise<Response> {
  const { request } = call;
  // Hono answers HEAD by the handler of GET.
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  const [matches] = routes.router.match(method, routes.getPath(request));
  const route = matches.findLast(([[, each]]) => each.method === method)?.[0][1].path;
  // Without the shape of a parameter, as in ":name{[a-z.]+}".
  if (route !== undefined) call.route = route.replaceAll(/\{.*?\}/g, '');
  return routes.fetch(request, { call });
}

function noRouteOf<E extends CallEnv, S extends Schema, P extends string>(
  routes: Hono<E, S, P>,
  c: Context<E>,
): Problem {
  const allowed = METHODS.filter(
    (method) =>
      // The router has HEAD by GET.
      method !== 'HEAD' &&
      // The router's own answer: a handler that ends a route, not a middleware that matches all.
      routes.router.match(method, c.req.path)[0].some(([[, route]]) => route.method === method),
  );
  if (allowed.length === 0) return new Problem('not-found');
  return new Problem('method-not-allowed', undefined, {
    allow: (allowed.includes('GET') ? ['HEAD', ...allowed] : allowed).join(', '),
  });
}
