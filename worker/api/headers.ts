// The headers that every answer under /v1 carries, errors included: never stored, and readable by the websites that
// CORS_ORIGINS names. Credentials (cookies) are never allowed: a token is the only credential here.
import { namesIn } from '../deployment/header-rules.ts';
import type { Call } from '../http/call.ts';
import { BRIEF_SECURITY_HEADERS } from '../http/security-headers.ts';
import { METHODS } from '../http/methods.ts';

/** When the secret that called ends (RFC 3339), in every answer to a call with one that has an end. */
export const TOKEN_EXPIRES_AT = 'token-expires-at';

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
  'Token-Expires-At',
  'WWW-Authenticate',
  'X-Request-Id',
];
const EXPOSED_TEXT = EXPOSED.join(', ');
const EXPOSED_NAMES = smallLettersOf(EXPOSED);
const METHODS_TEXT = METHODS.join(', ');
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
export function apiResponse(body: string, shared: Template, call: Call): Response {
  const response = new Response(body, shared);
  response.headers.set('x-request-id', call.id);
  const allowed = allowedOrigin(call);
  if (allowed !== null) {
    response.headers.set('access-control-allow-origin', allowed);
    response.headers.set('access-control-expose-headers', EXPOSED_TEXT);
  }
  return response;
}

/** The headers of an answer that comes from elsewhere or has no body. `passed`: those of its own. */
export function apiHeaders(call: Call, passed?: Headers): Record<string, string> {
  const headers: Record<string, string> = { ...ALWAYS, 'x-request-id': call.id };
  const allowed = allowedOrigin(call);
  if (allowed !== null) {
    headers['access-control-allow-origin'] = allowed;
    headers['access-control-expose-headers'] =
      passed === undefined ? EXPOSED_TEXT : together(EXPOSED, EXPOSED_NAMES, [...passed.keys()]);
  }
  return headers;
}

/** The answer to a CORS preflight: no storage, no verification. */
export function preflight(call: Call): Response {
  const headers = apiHeaders(call);
  if (headers['access-control-allow-origin'] !== undefined) {
    headers['access-control-allow-methods'] = METHODS_TEXT;
    headers['access-control-allow-headers'] = together(ALLOWED, ALLOWED_NAMES, askedHeaders(call));
    headers['access-control-max-age'] = PREFLIGHT_SECONDS;
  }
  headers['allow'] = `${METHODS_TEXT}, OPTIONS`;
  return new Response(null, { status: 204, headers });
}

/** The headers that a preflight asks for and the API behind this one would get, each once. Of a list that is too long, none. */
function askedHeaders({ request, deployment }: Call): string[] {
  const asked = request.headers.get('access-control-request-headers') ?? '';
  if (asked.length > ASKED.length || asked.split(',', ASKED.names + 1).length > ASKED.names) return [];
  const names = new Set(namesIn(asked));
  return [...names].filter((name) => TOKEN.test(name) && deployment.settings.requestHeaders.passes(name));
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
function allowedOrigin({ request, deployment }: Call): string | null {
  const { corsOrigins } = deployment.settings;
  if (corsOrigins === null) return null;
  const origin = request.headers.get('origin');
  if (origin === null || origin === 'null') return null;
  if (corsOrigins.any) return '*';
  return corsOrigins.exact.has(origin) ? origin : null;
}
