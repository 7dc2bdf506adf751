// The headers that every answer under /v1 carries, errors included: never stored, and readable by the websites that
// CORS_ORIGINS names. Credentials (cookies) are never allowed: a token is the only credential here.
import type { Env } from '../env.ts';
import { headerRules, namesIn } from '../header-rules.ts';
import { BRIEF_SECURITY_HEADERS } from '../security-headers.ts';

type Origins = { text: string; any: boolean; exact: ReadonlySet<string> };
let lastOrigins: Origins = { text: '', any: false, exact: new Set() };

/** What a website may read of any answer; of an API's answer everything that passes. */
const EXPOSED = [
  'ETag',
  'Link',
  'Location',
  'Mcp-Session-Id',
  'RateLimit',
  'RateLimit-Limit',
  'RateLimit-Policy',
  'RateLimit-Remaining',
  'RateLimit-Reset',
  'Retry-After',
  'WWW-Authenticate',
  'X-Request-Id',
];
const EXPOSED_TEXT = EXPOSED.join(', ');
const EXPOSED_NAMES = smallLettersOf(EXPOSED);
const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE';
/** What a website may send; beside these everything that passes to an API. */
const ALLOWED = ['Authorization', 'X-API-Key', 'Content-Type', 'Accept', 'Idempotency-Key'];
const ALLOWED_NAMES = smallLettersOf(ALLOWED);
/** How long a browser keeps a preflight, in seconds: Chromium's own maximum. */
const PREFLIGHT_SECONDS = '7200';

/** `vary` names what an answer depends on, so that no cache hands one caller's answer to another. */
const ALWAYS = {
  ...BRIEF_SECURITY_HEADERS,
  'cache-control': 'no-store',
  vary: 'Authorization, X-API-Key, Origin',
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
    response.headers.set('access-control-expose-headers', EXPOSED_TEXT);
  }
  return response;
}

/** The headers of an answer that comes from elsewhere or has no body. `passed`: those of its own. */
export function apiHeaders(
  request: Request,
  env: Env,
  requestId: string,
  passed?: Headers,
): Record<string, string> {
  const headers: Record<string, string> = { ...ALWAYS, 'x-request-id': requestId };
  const allowed = allowedOrigin(request, env);
  if (allowed !== null) {
    headers['access-control-allow-origin'] = allowed;
    headers['access-control-expose-headers'] =
      passed === undefined ? EXPOSED_TEXT : together(EXPOSED, EXPOSED_NAMES, [...passed.keys()]);
  }
  return headers;
}

/** The answer to a CORS preflight: no storage, no verification. */
export function preflight(request: Request, env: Env, requestId: string): Response {
  const headers = apiHeaders(request, env, requestId);
  if (headers['access-control-allow-origin'] !== undefined) {
    headers['access-control-allow-methods'] = METHODS;
    headers['access-control-allow-headers'] = together(ALLOWED, ALLOWED_NAMES, askedHeaders(request, env));
    headers['access-control-max-age'] = PREFLIGHT_SECONDS;
  }
  headers['allow'] = `${METHODS}, OPTIONS`;
  return new Response(null, { status: 204, headers });
}

/** The headers that a preflight asks for and the API behind this one would get, each once. Of a list that is too long, none. */
function askedHeaders(request: Request, env: Env): string[] {
  const asked = request.headers.get('access-control-request-headers') ?? '';
  if (asked.length > ASKED.length || asked.split(',', ASKED.names + 1).length > ASKED.names) return [];
  const names = new Set(namesIn(asked));
  return [...names].filter((name) => TOKEN.test(name) && headerRules(env).request.passes(name));
}
/** The longest list of a preflight that is read, in characters and in names. Anybody can send one, without a token. */
const ASKED = { length: 8192, names: 100 };
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;

/** A list of names, each once in whatever case. `known`: the names of the list in small letters, as `more` has them. */
function together(listed: readonly string[], known: ReadonlySet<string>, more: readonly string[]): string {
  return [...listed, ...more.filter((name) => !known.has(name))].join(', ');
}

function smallLettersOf(names: readonly string[]): ReadonlySet<string> {
  return new Set(names.map((name) => name.toLowerCase()));
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
