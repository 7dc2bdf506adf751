// Writes come from our own pages only: Origin, Sec-Fetch-Site and content type, each on its own enough to refuse.
// hono/csrf looks at form-like content types alone, and would let JSON from another site through.
import type { MiddlewareHandler } from 'hono';
import { Problem } from '../problem.ts';

export const requireSameSite: MiddlewareHandler = async (c, next) => {
  const method = c.req.method;
  if (method !== 'GET' && method !== 'HEAD' && !isSameSite(c.req.raw))
    throw new Problem('cross-site-request');
  await next();
};

/**
 * Whether our own page sent this write. A body is JSON, which no form can send; a write without a type has no body that
 * anybody reads (worker/body.ts insists on the type).
 */
export function isSameSite(request: Request): boolean {
  const { headers } = request;
  if (headers.get('origin') !== new URL(request.url).origin) return false;
  const site = headers.get('sec-fetch-site');
  if (site !== null && site !== 'same-origin') return false;
  const type = headers.get('content-type');
  return type === null || /^application\/json *(?:; *charset=utf-8)?$/i.test(type);
}
