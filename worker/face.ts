// What every face does alike: hands its errors to the front door, and tells a wrong method from a wrong path.
import type { Context, Hono, Env as HonoEnv } from 'hono';
import { Problem } from './problem.ts';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

/** Errors are rendered by the front door; a path that another method knows is answered 405 with `Allow`. */
export function finishFace<E extends HonoEnv>(face: Hono<E>): Hono<E> {
  face.onError((error) => {
    throw error;
  });
  face.notFound((c) => {
    throw refusalOf(face, c);
  });
  return face;
}

/** The pattern that this request matches in a face, such as "/api/organisations/:organisation/tokens"; undefined for none. */
export function routeOf<E extends HonoEnv>(face: Hono<E>, { req }: Context): string | undefined {
  // Hono answers HEAD by the handler of GET.
  const method = req.method === 'HEAD' ? 'GET' : req.method;
  return face.router.match(method, req.path)[0].findLast(([[, route]]) => route.method === method)?.[0][1]
    .path;
}

function refusalOf<E extends HonoEnv>(face: Hono<E>, c: Context<E>): Problem {
  const allowed = METHODS.filter((method) =>
    // The router's own answer: a handler that ends a route, not a middleware that matches all.
    face.router.match(method, c.req.path)[0].some(([[, route]]) => route.method === method),
  );
  if (allowed.length === 0) return new Problem('not-found');
  return new Problem('method-not-allowed', undefined, {
    allow: (allowed.includes('GET') ? ['HEAD', ...allowed] : allowed).join(', '),
  });
}
