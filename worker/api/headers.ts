// The headers of every answer under /v1, also of errors. No answer is stored, and the websites in CORS_ORIGINS may read it. CORS
// never allows credentials (cookies): a token is the only credential here.
import { namesIn } from '../deployment/header-rules.ts';
import type { Call } from '../http/call.ts';
import { BRIEF_SECURITY_HEADERS } from '../http/security-headers.ts';
import { METHODS } from '../http/methods.ts';

/** When the secret of the call ends (RFC 3339). In every answer to a call whose secret has an end. */
export const TOKEN_EXPIRES_AT = 'token-expires-at';

/** The headers that a website may read of every answer. Of an upstream's answer it may also read all others that pass. */
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
/** The headers that a website may always send. It may also send all others that pass to the upstream. */
const ALLOWED = ['Authorization', 'X-API-Key', 'Content-Type', 'Accept', 'Idempotency-Key'];
const ALLOWED_NAMES = smallLettersOf(ALLOWED);
/** How long a browser keeps a preflight, in seconds: Chromium's own maximum. */
const PREFLIGHT_SECONDS = '7200';

/** `vary` names the headers that an answer depends on, so that no cache gives one caller's answer to another. */
const ALWAYS = {
  ...BRIEF_SECURITY_HEADERS,
  'cache-control': 'no-store',
  vary: 'Authorization, X-API-Key, Origin',
};

/** Status and headers that many answers share. To copy `Headers` costs half of what it costs to read them from an object. */
export type Template = { status: number; headers: Headers };

export function template(status: number, headers: Record<string, string>): Template {
  return { status, headers: new Headers({ ...ALWAYS, ...headers }) };
}

/** An answer from a template, with the headers that depend on the request. */
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

/** The headers of an upstream's answer, or of one without a body. `passed`: the headers that the upstream's answer has. */
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

/** The answer to a CORS preflight. Needs no storage and no verification. */
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

/** The headers that a preflight asks for and the upstream would get, each once. None if the list is too long. */
function askedHeaders({ request, deployment }: Call): string[] {
  const asked = request.headers.get('access-control-request-headers') ?? '';
  if (asked.length > ASKED.length || asked.split(',', ASKED.names + 1).length > ASKED.names) return [];
  const names = new Set(namesIn(asked));
  return [...names].filter((name) => TOKEN.test(name) && deployment.settings.requestHeaders.passes(name));
}
/** The longest list of a preflight that is read, in characters and in names. A preflight has no token, so anybody can send one. */
const ASKED = { length: 8192, names: 100 };
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;

/** Joins two lists of names without repeats. `known`: the names of `listed` in small letters. `more` is in small letters too. */
function together(listed: readonly string[], known: ReadonlySet<string>, more: readonly string[]): string {
  return [...listed, ...more.filter((name) => !known.has(name))].join(', ');
}

function smallLettersOf(names: readonly string[]): ReadonlySet<string> {
  return new Set(names.map((name) => name.toLowerCase()));
}

/** The value of Access-Control-Allow-Origin, or null for none. The origin `null` of a sandboxed page is never allowed. */
function allowedOrigin({ request, deployment }: Call): string | null {
  const { corsOrigins } = deployment.settings;
  if (corsOrigins === null) return null;
  const origin = request.headers.get('origin');
  if (origin === null || origin === 'null') return null;
  if (corsOrigins.any) return '*';
  return corsOrigins.exact.has(origin) ? origin : null;
}
