// Hands a verified call to the upstream API and its answer back, streaming both ways. Headers pass by allow-list alone, so
// that neither the caller's credential nor an identity of the caller's making reaches the upstream.
import type { Env } from '../env.ts';
import { Problem } from '../problem.ts';
import { originOf, requestIdOf } from '../request-id.ts';
import { SECURITY_HEADERS } from '../security-headers.ts';
import type { Holder } from './bearer.ts';
import { apiHeaders } from './headers.ts';

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']);
const REQUEST_HEADERS = [
  'accept',
  'accept-encoding',
  'accept-language',
  'content-encoding',
  'content-language',
  'content-type',
  'idempotency-key',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'last-event-id',
  'prefer',
  'range',
  'traceparent',
  'tracestate',
  'user-agent',
];
// No Set-Cookie, no CORS, no Cache-Control of the upstream's: this origin holds the dashboard as well.
const ANSWER_HEADERS = [
  'accept-ranges',
  'allow',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-range',
  'content-type',
  'deprecation',
  'etag',
  'last-modified',
  'link',
  'location',
  'preference-applied',
  'ratelimit',
  'ratelimit-policy',
  'retry-after',
  'sunset',
];
/** What one server reads as a separator, a line's end or a step up, and another does not. */
const PATH_TRICK = /\/\/|\\|%(?:2f|5c|00|0a|0d)|\/(?:\.|%2e){1,2}(?:\/|$)/i;

/** Whether the deployment has an API of its own behind this one. */
export function hasUpstream(env: Env): boolean {
  return env.UPSTREAM !== undefined || env.UPSTREAM_URL !== '';
}

/** Throws what can be said before the token is looked at: a method, a path or an upgrade that is never forwarded. */
export function checkForwardable(request: Request): void {
  if (!METHODS.has(request.method)) {
    throw new Problem('method-not-allowed', undefined, { allow: `${[...METHODS].join(', ')}, OPTIONS` });
  }
  const [path = ''] = pathOf(request).split('?');
  if (PATH_TRICK.test(path)) {
    throw new Problem(
      'not-forwardable',
      'The path holds an empty or a dot segment, a backslash, or one of %2F %5C %00 %0A %0D',
    );
  }
  if (request.headers.has('upgrade')) {
    throw new Problem('not-forwardable', 'Upgrades (WebSocket) are not forwarded');
  }
  // It means nothing (RFC 9110 section 9.3.1), and the runtime sends none; dropped in silence it would be missed.
  if (isBodiless(request) && request.body !== null && request.headers.get('content-length') !== '0') {
    throw new Problem('not-forwardable', `A body of ${request.method} is not forwarded: send it by POST`);
  }
}

/**
 * The upstream's answer. Throws `upstream-unreachable` (502), or `upstream-timeout` (504) when it holds the whole request
 * and does not begin to answer in UPSTREAM_TIMEOUT_MS. A body may take its time, either way; a caller who
 * hangs up ends the call.
 */
export async function forward(request: Request, env: Env, holder: Holder): Promise<Response> {
  const origin = env.UPSTREAM === undefined ? new URL(env.UPSTREAM_URL).origin : originOf(request);
  const patience = startPatience(Number(env.UPSTREAM_TIMEOUT_MS));
  try {
    const call = new Request(origin + pathOf(request), {
      method: request.method,
      headers: upstreamHeaders(request, env, holder),
      body: handedOn(request, patience.begin),
      redirect: 'manual',
      cache: 'no-store',
      signal: AbortSignal.any([patience.signal, request.signal]),
    });
    const answer = await (env.UPSTREAM === undefined ? fetch(call) : env.UPSTREAM.fetch(call));
    // Cloudflare answers these itself for an origin that it cannot reach, or that is slower than it waits.
    if (answer.status === 522 || answer.status === 524) throw timeout();
    if (answer.status === 101 || (answer.status >= 520 && answer.status <= 530)) throw unreachable();
    return new Response(answer.body, {
      status: answer.status,
      headers: answerHeaders(answer, request, env, origin),
    });
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw patience.signal.aborted ? timeout() : unreachable();
  } finally {
    patience.end();
  }
}

/** A signal that fires so many milliseconds after `begin`, unless `end` was called before. */
function startPatience(ms: number): { signal: AbortSignal; begin(): void; end(): void } {
  const stop = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isOver = false;
  return {
    signal: stop.signal,
    begin: () => {
      // An upstream may answer before it has read the whole body, which is then no longer waited for.
      if (!isOver) timer = setTimeout(() => stop.abort(), ms);
    },
    end: () => {
      isOver = true;
      clearTimeout(timer);
    },
  };
}

/** The body as it comes, with its length where the caller has said it. `whenSent` is called when the upstream has it all. */
function handedOn(request: Request, whenSent: () => void): ReadableStream | null {
  if (request.body === null || isBodiless(request)) {
    whenSent();
    return null;
  }
  const length = request.headers.get('content-length');
  // Both are the runtime's own streams: no byte of the body passes through JavaScript.
  const { readable, writable } =
    length === null ? new IdentityTransformStream() : new FixedLengthStream(Number(length));
  // What fails here fails the call as well, which says so.
  request.body.pipeTo(writable).then(whenSent, () => {});
  return readable;
}

function isBodiless(request: Request): boolean {
  return request.method === 'GET' || request.method === 'HEAD';
}

/** As the caller sent it: path and query. */
function pathOf(request: Request): string {
  return request.url.slice(originOf(request).length);
}

function upstreamHeaders(request: Request, env: Env, holder: Holder): Headers {
  const headers = pick(request.headers, REQUEST_HEADERS);
  headers.set('x-organisation-id', holder.organisationId);
  headers.set('x-organisation-plan', holder.plan);
  headers.set('x-token-id', holder.tokenId);
  headers.set('x-request-id', requestIdOf(request));
  if (env.UPSTREAM_SECRET) headers.set('x-edge-secret', env.UPSTREAM_SECRET);
  return headers;
}

function answerHeaders(answer: Response, request: Request, env: Env, origin: string): Headers {
  const headers = pick(answer.headers, ANSWER_HEADERS);
  const target = URL.parse(headers.get('location') ?? '');
  // A redirect within the upstream is one within this API; its own address is nobody's business.
  if (target?.origin === origin) headers.set('location', pathWithin(target));
  const ours = { ...SECURITY_HEADERS, ...apiHeaders(request, env, requestIdOf(request)) };
  for (const [name, value] of Object.entries(ours)) headers.set(name, value);
  return headers;
}

/** A path that leads nowhere else: read as it stands, one that begins with two slashes would name a host. */
function pathWithin({ pathname, search, hash }: URL): string {
  return `${pathname.startsWith('//') ? '/.' : ''}${pathname}${search}${hash}`;
}

function pick(from: Headers, names: readonly string[]): Headers {
  const picked = new Headers();
  for (const name of names) {
    const value = from.get(name);
    if (value !== null) picked.set(name, value);
  }
  return picked;
}

function timeout(): Problem {
  return new Problem('upstream-timeout', 'The API behind this one did not answer in time');
}

function unreachable(): Problem {
  return new Problem('upstream-unreachable', 'The API behind this one cannot be reached');
}
