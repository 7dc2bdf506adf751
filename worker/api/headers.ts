// The headers that every answer under /v1 carries, errors included: never stored, and readable by the websites that
// CORS_ORIGINS names. Credentials (cookies) are never allowed: a token is the only credential here.
import type { Env } from '../env.ts';

type Origins = { text: string; any: boolean; exact: ReadonlySet<string> };
let lastOrigins: Origins = { text: '', any: false, exact: new Set() };

const EXPOSED = 'X-Request-Id, Retry-After, WWW-Authenticate';
const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE';
const HEADERS = 'Authorization, X-API-Key, Content-Type, Accept, Idempotency-Key';
/** How long a browser keeps a preflight, in seconds: Chromium's own maximum. */
const PREFLIGHT_SECONDS = '7200';

/** `vary` names what an answer depends on, so that no cache hands one caller's answer to another. */
const ALWAYS = {
  'cache-control': 'no-store',
  vary: 'Authorization, X-API-Key, Origin',
  'x-content-type-options': 'nosniff',
};

/** Status and headers that many answers share. Copying ready-made `Headers` costs half of reading an object's. */
export type Template = { status: number; headers: Headers };

export function template(status: number, headers: Record<string, string>): Template {
  return { status, headers: new Headers({ ...ALWAYS, ...headers }) };
}

/** An answer made from a template, with what depends on the request. */
export function apiResponse(
  body: string,
  shared: Template,
  request: Request,
  env: Env,
  requestId: string,
): Response {
  const response = new Response(body, shared);
  response.headers.set('x-request-id', requestId);
  const allowed = allowedOrigin(request, env);
  if (allowed !== null) {
    response.headers.set('access-control-allow-origin', allowed);
    response.headers.set('access-control-expose-headers', EXPOSED);
  }
  return response;
}

/** The headers of an answer that comes from elsewhere or has no body. */
export function apiHeaders(request: Request, env: Env, requestId: string): Record<string, string> {
  const headers: Record<string, string> = { ...ALWAYS, 'x-request-id': requestId };
  const allowed = allowedOrigin(request, env);
  if (allowed !== null) {
    headers['access-control-allow-origin'] = allowed;
    headers['access-control-expose-headers'] = EXPOSED;
  }
  return headers;
}

/** The answer to a CORS preflight: no storage, no verification. */
export function preflight(request: Request, env: Env, requestId: string): Response {
  const headers = apiHeaders(request, env, requestId);
  if (headers['access-control-allow-origin'] !== undefined) {
    headers['access-control-allow-methods'] = METHODS;
    headers['access-control-allow-headers'] = HEADERS;
    headers['access-control-max-age'] = PREFLIGHT_SECONDS;
  }
  headers['allow'] = `${METHODS}, OPTIONS`;
  return new Response(null, { status: 204, headers });
}

/** The value of Access-Control-Allow-Origin, or null: exact origins, or any; a sandboxed page's `null` never. */
function allowedOrigin(request: Request, env: Env): string | null {
  if (env.CORS_ORIGINS === '') return null;
  const origin = request.headers.get('origin');
  if (origin === null || origin === 'null') return null;
  if (lastOrigins.text !== env.CORS_ORIGINS) lastOrigins = readOrigins(env.CORS_ORIGINS);
  if (lastOrigins.any) return '*';
  return lastOrigins.exact.has(origin) ? origin : null;
}

function readOrigins(text: string): Origins {
  const origins = text.split(',').map((origin) => origin.trim());
  return { text, any: origins.includes('*'), exact: new Set(origins) };
}
