// Forwards a verified call to the upstream API, and passes its answer back. Both bodies are streamed. Only headers of an allow-list
// pass, so that the upstream gets neither the caller's credential nor identity headers that the caller made up.
import type { Upstream } from '../deployment/deployment.ts';
import { namesIn, type HeaderRule } from '../deployment/header-rules.ts';
import type { Call } from '../http/call.ts';
import { Problem } from '../http/problem.ts';
import { SECURITY_HEADERS } from '../http/security-headers.ts';
import { METHODS } from '../http/methods.ts';
import { identityOf } from './bearer.ts';
import type { Accepted } from './bearer.ts';
import { upstreamChallenges } from './challenge.ts';
import { apiHeaders, TOKEN_EXPIRES_AT } from './headers.ts';
import { hideInnerName, outerNameHeaders, VIA } from './outer-name.ts';
import { isForwardablePath } from './path.ts';
import { startUpload } from './upload.ts';

const FORWARDED = new Set<string>(METHODS);

/** Throws for a method, a path, an upgrade or a body that is never forwarded. Needs no verification. */
export function checkForwardable({ request, path }: Call): void {
  if (!FORWARDED.has(request.method)) {
    throw new Problem('method-not-allowed', undefined, { allow: `${METHODS.join(', ')}, OPTIONS` });
  }
  if (!isForwardablePath(path)) {
    throw new Problem(
      'not-forwardable',
      'The path holds an empty segment, a dot segment, an encoded slash, backslash or control character, or a broken percent-encoding',
    );
  }
  // Any other protocol is an offer that may be ignored (RFC 9110 section 7.8); Java's client offers h2c with every call.
  if (namesIn(request.headers.get('upgrade') ?? '').includes('websocket')) {
    throw new Problem('not-forwardable', 'Upgrades (WebSocket) are not forwarded');
  }
  // Such a body has no meaning (RFC 9110 section 9.3.1), and the runtime does not send it. The caller must know that it is lost.
  if (isBodiless(request) && request.body !== null && request.headers.get('content-length') !== '0') {
    throw new Problem('not-forwardable', `A body of ${request.method} is not forwarded: send it by POST`);
  }
}

/**
 * The upstream's answer. Throws `upstream-unreachable` or `upstream-refused` (502); `upstream-timeout` (504) when the API reads
 * nothing of the body for UPSTREAM_TIMEOUT_MS, or has the whole request and does not begin its answer in that time;
 * `not-forwardable` (400) when the caller's body breaks off. An answer that has begun has no time limit.
 */
export async function forward(call: Call, upstream: Upstream, holder: Accepted): Promise<Response> {
  const { request } = call;
  const address = (upstream.origin ?? call.sentTo) + targetOf(call);
  const patience = startPatience(call.deployment.settings.upstreamTimeoutMs);
  const brokenOff = new AbortController();
  let body: ReadableStream | null = null;
  if (request.body === null || isBodiless(request)) patience.begin();
  else {
    body = startUpload(request.body, request.headers.get('content-length'), {
      waits: patience.begin,
      goesOn: patience.end,
      isSent: patience.begin,
      brokeOff: () => brokenOff.abort(),
    });
  }
  const ask = (): Promise<Response> =>
    upstream.fetch(
      new Request(address, {
        method: request.method,
        headers: upstreamHeaders(call, holder),
        body,
        redirect: 'manual',
        cache: 'no-store',
        signal: AbortSignal.any([patience.signal, brokenOff.signal, request.signal]),
      }),
    );
  try {
    const answer = await ask().catch((error: unknown) => {
      const isOver = patience.signal.aborted || request.signal.aborted;
      // An API that closes an idle connection may do so while a call is on its way (RFC 9112 section 9.3.1).
      if (!isBodiless(request) || isOver) throw error;
      return ask();
    });
    const failure = failureOf(answer, upstream);
    if (failure !== null) throw failure;
    return new Response(answer.body, {
      status: answer.status,
      headers: answerHeaders(answer, call, holder, address),
    });
  } catch (error) {
    if (error instanceof Problem) throw error;
    if (brokenOff.signal.aborted) throw new Problem('not-forwardable', 'The body broke off');
    throw patience.signal.aborted ? timeout() : unreachable();
  } finally {
    patience.stop();
  }
}

/** A signal that fires `ms` milliseconds after the last `begin`, unless `end` or `stop` was called since. */
function startPatience(ms: number): { signal: AbortSignal; begin(): void; end(): void; stop(): void } {
  const late = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isOver = false;
  return {
    signal: late.signal,
    begin: () => {
      // An upstream may answer before it has read the whole body. From then on no timer runs.
      if (!isOver) timer = setTimeout(() => late.abort(), ms);
    },
    end: () => clearTimeout(timer),
    stop: () => {
      isOver = true;
      clearTimeout(timer);
    },
  };
}

/** Cloudflare's own answers for an origin that it cannot reach. 527, 528 and 529 are not among them. */
const CLOUDFLARE = new Set([520, 521, 522, 523, 524, 525, 526, 530]);

/**
 * The problem that an answer stands for, or null if it is passed on. Answers that Cloudflare made have its `Server` header;
 * Cloudflare makes none for a bound Worker.
 */
function failureOf({ status, headers }: Response, upstream: Upstream): Problem | null {
  // The caller's token was accepted. These answers are about the edge. A client that got them would throw its good token away.
  if (status === 407 || (status === 401 && !headers.has('www-authenticate'))) {
    return new Problem('upstream-refused', `The API behind this one answered ${status} to the edge`);
  }
  const isCloudflares =
    upstream.origin !== null &&
    CLOUDFLARE.has(status) &&
    headers.get('server')?.toLowerCase() === 'cloudflare';
  if (!isCloudflares) return null;
  return status === 522 || status === 524 ? timeout() : unreachable();
}

function isBodiless(request: Request): boolean {
  return request.method === 'GET' || request.method === 'HEAD';
}

/** The path and query, as the caller sent them. */
function targetOf({ request, sentTo }: Call): string {
  return request.url.slice(sentTo.length);
}

function upstreamHeaders(call: Call, holder: Accepted): Headers {
  const { requestHeaders, upstreamSecret } = call.deployment.settings;
  const headers = pick(call.request.headers, requestHeaders);
  const own = { ...outerNameHeaders(call), ...identityOf(holder) };
  for (const [name, value] of Object.entries(own)) headers.set(name, value);
  headers.set('x-request-id', call.id);
  if (upstreamSecret !== null) headers.set('x-edge-secret', upstreamSecret);
  return headers;
}

function answerHeaders(answer: Response, call: Call, holder: Accepted, address: string): Headers {
  const headers = pick(answer.headers, call.deployment.settings.answerHeaders);
  hideInnerName(headers, address);
  const challenge = headers.get('www-authenticate');
  if (challenge !== null) headers.set('www-authenticate', upstreamChallenges(challenge));
  const length = call.request.method === 'HEAD' ? answer.headers.get('content-length') : null;
  if (length !== null) headers.set('content-length', length);
  const ours = {
    ...SECURITY_HEADERS,
    ...apiHeaders(call, headers),
    via: VIA,
  };
  for (const [name, value] of Object.entries(ours)) headers.set(name, value);
  if (holder.expiresAt === undefined) headers.delete(TOKEN_EXPIRES_AT);
  else headers.set(TOKEN_EXPIRES_AT, holder.expiresAt);
  // The API forbids any change of the bytes on their way. The answer must not be stored all the same.
  if (namesIn(answer.headers.get('cache-control') ?? '').includes('no-transform')) {
    headers.set('cache-control', 'no-store, no-transform');
  }
  return headers;
}

/** The headers that pass, without those of the connection (RFC 9110 section 7.6.1). */
function pick(from: Headers, rule: HeaderRule): Headers {
  const ofConnection = new Set(namesIn(from.get('connection') ?? ''));
  const picked = new Headers();
  for (const [name, value] of from) {
    if (rule.passes(name) && !ofConnection.has(name)) picked.set(name, value);
  }
  return picked;
}

function timeout(): Problem {
  return new Problem('upstream-timeout', 'The API behind this one did not answer in time');
}

function unreachable(): Problem {
  return new Problem('upstream-unreachable', 'The API behind this one cannot be reached');
}
