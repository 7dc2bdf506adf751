// Whether the source of a request under /api is allowed. Reads and writes have one rule: requests come from our own pages
// (`Sec-Fetch-Site: same-origin`) or from a program, which sends no such header. hono/csrf checks form-like content types only, and
// would allow JSON from another site.
import type { MiddlewareHandler } from 'hono';
import type { CallEnv } from '../http/call.ts';
import { Problem } from '../http/problem.ts';
import { METHOD_NAMES, isRedirect } from '../sign-in/names.ts';

export const requireSameSite: MiddlewareHandler<CallEnv> = async (c, next) => {
  const { request, path } = c.env.call;
  const { method } = request;
  const isRead = method === 'GET' || method === 'HEAD';
  if (!(isRead ? mayRead(request, path) : isSameSite(request))) throw new Problem('cross-site-request');
  await next();
};

/** A file: an address that a person may type, keep as a bookmark, or be sent. */
const FILE = /^\/api\/organisations\/[^/]+\/activity\.(?:csv|jsonl)$/;
/** The beginning of a sign-in at another site, which a person may open as well. */
const BEGINNINGS = new Set(METHOD_NAMES.filter(isRedirect).map((name) => `/api/sign-in/${name}`));
/** The other site leads the browser here. State and cookie decide (sign-in/methods). */
const CALLBACKS = new Set([...BEGINNINGS].map((path) => `${path}/callback`));

/** Whether our own page, a program, or, where that is meant, a person by a link sends this read. */
export function mayRead(request: Request, path: string): boolean {
  if (isOurOwnWish(request)) return true;
  if (CALLBACKS.has(path)) return isVisit(request);
  return (FILE.test(path) || BEGINNINGS.has(path)) && request.headers.get('sec-fetch-site') === 'none';
}

/**
 * Whether our own page or a program sends this. A link that a member follows is neither: another person may have written
 * it, so what it asks for is not recorded as the member's.
 */
export function isOurOwnWish({ headers }: Request): boolean {
  return sendsNoOther(headers, 'sec-fetch-site', 'same-origin');
}

/**
 * Whether our own page sent this write. A body is JSON, which no form can send. A write without a type has no body:
 * worker/http/body.ts reads one of the right type alone.
 */
export function isSameSite(request: Request): boolean {
  const { headers } = request;
  if (headers.get('origin') !== new URL(request.url).origin) return false;
  if (!isOurOwnWish(request)) return false;
  const type = headers.get('content-type');
  return type === null || /^application\/json *(?:; *charset=utf-8)?$/i.test(type);
}

/** Whether the window itself goes there: no script, image or frame asks. */
function isVisit({ headers }: Request): boolean {
  return (
    sendsNoOther(headers, 'sec-fetch-mode', 'navigate') && sendsNoOther(headers, 'sec-fetch-dest', 'document')
  );
}

/** Browsers of before 2023 and programs send no such header. */
function sendsNoOther(headers: Headers, name: string, value: string): boolean {
  const sent = headers.get(name);
  return sent === null || sent === value;
}
