// What all groups of routes do alike: throw their errors to worker/index.ts, and tell a wrong method from a wrong path.
import type { Context, Hono, Env as HonoEnv } from 'hono';
import { Problem } from './problem.ts';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

/** worker/index.ts renders errors; a path that exists for another method is answered 405 with `Allow`. */
export function finishRoutes<E extends HonoEnv>(routes: Hono<E>): Hono<E> {
  routes.onError((error) => {
    throw error;
  });
  routes.notFound((c) => {
    throw refusalOf(routes, c);
  });
  return routes;
}

/** The pattern that this request matches, such as "/api/organisations/:organisation/tokens"; undefined for none. */
export function routeOf<E extends HonoEnv>(routes: Hono<E>, { req }: Context): string | undefined {
  // Hono answers HEAD by the handler of GET.
  const method = req.method === 'HEAD' ? 'GET' : req.method;
  return routes.router.match(method, req.path)[0].findLast(([[, route]]) => route.method === method)?.[0][1]
    .path;
}

function refusalOf<E extends HonoEnv>(routes: Hono<E>, c: Context<E>): Problem {
  const allowed = METHODS.filter((method) =>
    // The router's own answer: a handler that ends a route, not a middleware that matches all.
    routes.router.match(method, c.req.path)[0].some(([[, route]]) => route.method === method),
  );
  if (allowed.length === 0) return new Problem('not-found');
  return new Problem('method-not-allowed', undefined, {
    allow: (allowed.includes('GET') ? ['HEAD', ...allowed] : allowed).join(', '),
  });
}
