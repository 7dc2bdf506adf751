// Headers through the gateway, in both directions: those that pass by default, those that the two settings add, those that never
// pass, and the address by which callers reach the API. The answers come from a real server, the calls from raw sockets.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startDeployment, type Deployment } from './deployment.ts';
import { call, exchange, startUpstream, type Upstream } from './raw.ts';

const SITE = 'https://site.example';
const APP = 'capacitor://localhost';

let zone: Deployment;
let upstream: Upstream;
let credential: { authorization: string };
let behaviour: (incoming: IncomingMessage, reply: ServerResponse) => void;

beforeAll(async () => {
  upstream = await startUpstream((incoming, reply) => behaviour(incoming, reply));
  zone = await startDeployment({
    UPSTREAM_URL: upstream.origin,
    CORS_ORIGINS: `${SITE}, ${APP}`,
    UPSTREAM_REQUEST_HEADERS: 'Upload-*, tus-resumable, X-Client-Version, x-*',
    UPSTREAM_ANSWER_HEADERS: 'X-Total-Count, Server-Timing, x-should-retry, retry-after-ms, x-*',
  });
  credential = { authorization: `Bearer ${(await zone.givenToken()).secret}` };
});
beforeEach(() => {
  upstream.seen.length = 0;
  behaviour = (incoming, reply) => {
    incoming.resume();
    incoming.once('end', () => reply.end('ok'));
  };
});
afterAll(async () => {
  await zone?.stop();
  await upstream?.stop();
});

/** The headers with which a call reached the API. */
async function sent(headers: Record<string, string | string[]>, method = 'GET') {
  const body = method === 'GET' ? {} : { body: 'hello' };
  const answer = await call(`${zone.origin}/v1/things`, {
    method,
    headers: { ...credential, ...headers },
    ...body,
  });
  expect(answer.status).toBe(200);
  return Object.fromEntries(upstream.seen.at(-1)?.headers ?? []);
}

/** The headers with which an answer of the API reaches the caller. */
async function answered(headers: Record<string, string | string[]>, status = 200, asked = {}) {
  behaviour = (_, reply) => reply.writeHead(status, headers).end();
  const answer = await call(`${zone.origin}/v1/things/7?x=1`, { headers: { ...credential, ...asked } });
  expect(answer.status).toBe(status);
  return answer.headers;
}

describe('a header of a call', () => {
  it('passes when it is documented, belongs to the Model Context Protocol, or is named by the setting', async () => {
    const passed = {
      'accept-charset': 'utf-8',
      'accept-profile': 'public',
      'content-digest': 'sha-256=:x:',
      'content-disposition': 'attachment',
      'if-match': '"1"',
      'mcp-protocol-version': '2025-11-25',
      'mcp-session-id': 'session',
      'mcp-method': 'tools/call',
      'mcp-name': 'add',
      'mcp-param-city': 'Graz',
      'last-event-id': '7',
      'upload-offset': '0',
      'tus-resumable': '1.0.0',
      'x-client-version': '2',
    };
    expect(await sent(passed, 'POST')).toMatchObject(passed);
    expect(await sent({ 'connect-protocol-version': '1' })).not.toHaveProperty('connect-protocol-version');
  });

  it('never passes when it names a caller, a credential, a cookie or another path, whatever the setting says', async () => {
    const never = {
      'X-Organisation-Id': 'forged',
      X_Organisation_Id: 'forged',
      'X.Organisation.Id': 'forged',
      'X~Token~Id': 'forged',
      'X-Edge-Secret': 'forged',
      X_API_Key: 'forged',
      'X-Forwarded-For': 'forged',
      'X-Forwarded-Authorization': 'forged',
      X_Forwarded_Host: 'forged',
      'X-Original-URL': '/forged',
      'X-Rewrite-URL': '/forged',
      'X-HTTP-Method-Override': 'forged',
      'X-Request-Id': 'forged',
      'X-Real-IP': 'forged',
      Forwarded: 'for=forged',
      Via: '1.1 forged',
      Cookie: 'a=forged',
      'Proxy-Authorization': 'forged',
    };
    expect(JSON.stringify(await sent(never))).not.toContain('forged');
  });

  it('does not pass when the caller names it in Connection', async () => {
    const text = `GET /v1/things HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${credential.authorization}\r\nX-Hop: 1\r\nTraceparent: 00-0-0-00\r\nPrefer: wait=1\r\nConnection: close, x-hop, Traceparent, X-Organisation-Id\r\n\r\n`;
    expect(await exchange(Number(new URL(zone.origin).port), text)).toMatch(/^HTTP\/1\.1 200 /);
    const headers = Object.fromEntries(upstream.seen[0]?.headers ?? []);
    expect(headers['prefer']).toBe('wait=1');
    expect(headers).not.toHaveProperty('x-hop');
    expect(headers).not.toHaveProperty('traceparent');
    expect(headers['x-organisation-id']).toMatch(/^o-/);
  });

  it('does not pass when the caller names it among ten thousand others in Connection', async () => {
    const names = Array.from({ length: 10_000 }, (_, count) => `x-n${count}`);
    const sentToo = names.filter((_, count) => count % 10 === 9).map((name) => `${name}: 1\r\n`);
    const text = `GET /v1/things HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${credential.authorization}\r\n${sentToo.join('')}X-Nobody: 1\r\nConnection: close, ${names.join(',')}\r\n\r\n`;
    expect(await exchange(Number(new URL(zone.origin).port), text)).toMatch(/^HTTP\/1\.1 200 /);
    const reached = upstream.seen[0]?.headers.filter(([name]) => name.startsWith('x-n')) ?? [];
    expect(reached).toEqual([['x-nobody', '1']]);
  });

  it('that offers another protocol is ignored, except WebSocket', async () => {
    const offer = (protocol: string) =>
      `GET /v1/things HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${credential.authorization}\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: ${protocol}\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\n\r\n`;
    const port = Number(new URL(zone.origin).port);
    expect(await exchange(port, offer('h2c'))).toMatch(/^HTTP\/1\.1 200 /);
    const headers = Object.fromEntries(upstream.seen[0]?.headers ?? []);
    expect(headers).not.toHaveProperty('upgrade');
    expect(headers).not.toHaveProperty('http2-settings');
    expect(await exchange(port, offer('h2c, WebSocket'), /\}$/)).toContain('#not-forwardable');
    expect(upstream.seen).toHaveLength(1);
  });

  it.each(['', 'Trailer: X-Organisation-Id\r\nTE: trailers\r\n'])(
    'is not taken from a trailer after the body: %j',
    async (announced) => {
      const trailers: string[][] = [];
      behaviour = (incoming, reply) => {
        incoming.resume();
        incoming.once('end', () => {
          trailers.push(incoming.rawTrailers);
          reply.end('ok');
        });
      };
      const answer = await exchange(
        Number(new URL(zone.origin).port),
        `POST /v1/things HTTP/1.1\r\nHost: ${new URL(zone.origin).host}\r\nConnection: close\r\n` +
          `Authorization: ${credential.authorization}\r\n${announced}Transfer-Encoding: chunked\r\n\r\n` +
          '5\r\nhello\r\n0\r\nX-Organisation-Id: forged\r\nX-Token-Id: forged\r\n\r\n',
      );
      expect([answer.split(' ')[1], trailers]).toEqual(['200', [[]]]);
      expect(JSON.stringify(upstream.seen)).not.toContain('forged');
    },
  );
});

describe('a header of an answer', () => {
  it('passes when it is documented, belongs to the Model Context Protocol, or is named by the setting', async () => {
    const passed = {
      'accept-patch': 'application/json',
      'content-digest': 'sha-256=:x:',
      'content-location': '/v1/things/7',
      etag: '"1"',
      'mcp-session-id': 'session',
      'ratelimit-limit': '100',
      'ratelimit-remaining': '99',
      'ratelimit-reset': '7',
      ratelimit: '"default";r=99;t=7',
      'retry-after': '1',
      'retry-after-ms': '250',
      'x-should-retry': 'false',
      'x-total-count': '1234',
      'server-timing': 'db;dur=53',
      'x-anything': 'else',
    };
    expect(await answered(passed)).toMatchObject(passed);
  });

  it('never passes when it sets cookies, identities or rules of this origin, whatever the setting says', async () => {
    const headers = await answered({
      'set-cookie': 'a=forged',
      'x-organisation-id': 'forged',
      'x-frame-options': 'forged',
      'x-request-id': 'forged',
      'x-content-type-options': 'forged',
      'access-control-allow-origin': 'forged',
      'content-security-policy-report-only': 'default-src forged',
      'accept-ch': 'forged',
      via: '1.1 forged',
      connection: 'close, x-hop',
      'x-hop': 'forged',
    });
    expect(JSON.stringify(headers)).not.toContain('forged');
  });

  it('has Via when the answer is the API’s, and not when the answer is ours', async () => {
    expect((await answered({})).via).toBe('1.1 developer-zone');
    expect((await call(`${zone.origin}/v1/ping`, { headers: credential })).headers.via).toBeUndefined();
    expect((await call(`${zone.origin}/v1/things`)).headers.via).toBeUndefined();
  });

  it('with a challenge of the API cannot be mistaken for ours', async () => {
    for (const [given, expected] of [
      ['Basic realm="files"', 'Basic realm="files"'],
      ['Bearer realm="files", error="invalid_token"', 'Bearer realm="files", error="invalid_token"'],
      ['Bearer realm="api", error="invalid_token"', 'Bearer realm="upstream", error="invalid_token"'],
      ['bearer error="invalid_token"', 'bearer realm="upstream", error="invalid_token"'],
      ['Bearer', 'Bearer realm="upstream"'],
    ] as const) {
      expect((await answered({ 'www-authenticate': given }, 401))['www-authenticate']).toBe(expected);
    }
  });

  it('with no-transform keeps it, and no other rule for caches', async () => {
    const headers = await answered({ 'cache-control': 'public, No-Transform, max-age=60' });
    expect(headers['cache-control']).toBe('no-store, no-transform');
    expect((await answered({ 'cache-control': 'public' }))['cache-control']).toBe('no-store');
  });

  it('of HEAD gives the length that GET would have', async () => {
    behaviour = (_, reply) => reply.writeHead(200, { 'content-length': 4711 }).end();
    const answer = await call(`${zone.origin}/v1/things`, { method: 'HEAD', headers: credential });
    expect(answer).toMatchObject({ status: 200, body: '', headers: { 'content-length': '4711' } });
  });
});

describe('the name of the API', () => {
  it('is sent to it as callers know it, with their network address, and only with our own values', async () => {
    const { host } = new URL(zone.origin);
    const headers = await sent({ 'CF-Connecting-IP': '2001:db8::7', 'X-Forwarded-Host': 'forged' });
    expect(headers).toMatchObject({
      forwarded: `for="[2001:db8::7]";host="${host}";proto=http`,
      'x-forwarded-for': '2001:db8::7',
      'x-forwarded-host': host,
      'x-forwarded-proto': 'http',
      via: '1.1 developer-zone',
    });
    // On a developer's machine the caller can set this header.
    const forged = await sent({ 'CF-Connecting-IP': '1";host="evil.example' });
    expect(JSON.stringify(forged)).not.toContain('evil');
  });

  it.each([
    ['http://HOST/v1/files/1?a=1#b', '/v1/files/1?a=1#b'],
    ['https://HOST/v1/files/1', '/v1/files/1'],
    ['//HOST/v1/files/1', '/v1/files/1'],
    ['\\\\HOST\\v1\\files', '/v1/files'],
    ['http://NAME/v1/files/1', '/v1/files/1'],
    ['HTTP://user:word@HOST/v1/', '/v1/'],
    ['http://HOST//elsewhere.example/', '/.//elsewhere.example/'],
    ['/v1/files/1', '/v1/files/1'],
    ['../files', '../files'],
    ['?page=2', '?page=2'],
    ['https://elsewhere.example/x', 'https://elsewhere.example/x'],
    ['http://NAME:1/x', 'http://NAME:1/x'],
  ])('is in no answer: %s', async (reference, expected) => {
    const { host, hostname } = new URL(upstream.origin);
    const filled = (text: string) => text.replace('HOST', host).replace('NAME', hostname);
    const headers = await answered(
      {
        location: filled(reference),
        'content-location': filled(reference),
        link: `<${filled(reference)}>; rel="next"; title="<a>, b", <https://elsewhere.example/>; rel=help; anchor="${filled(reference)}"`,
      },
      201,
    );
    const right = filled(expected);
    expect(headers).toMatchObject({
      location: right,
      'content-location': right,
      link: `<${right}>; rel="next"; title="<a>, b", <https://elsewhere.example/>; rel=help; anchor="${right}"`,
    });
  });
});

describe('a website or an app', () => {
  const listOf = (value: unknown): string[] => String(value).split(', ');
  const preflight = (origin: string, headers: string) =>
    call(`${zone.origin}/v1/things`, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': headers,
      },
    });

  it.each([SITE, APP])('may send every header that the gateway passes: %s', async (origin) => {
    const asked =
      'authorization,content-type,if-none-match,mcp-param-city,mcp-session-id,range,traceparent,upload-offset,x-client-version';
    const { status, headers } = await preflight(origin, asked);
    expect([status, headers['access-control-allow-origin']]).toEqual([204, origin]);
    const allowed = listOf(headers['access-control-allow-headers']).map((name) => name.toLowerCase());
    expect(allowed).toEqual(expect.arrayContaining(asked.split(',')));
    expect(new Set(allowed).size).toBe(allowed.length);
    expect(upstream.seen).toEqual([]);
  });

  it('may not send headers that the gateway does not pass', async () => {
    const { headers } = await preflight(SITE, 'cookie,x-organisation-id,connect-protocol-version,a b');
    expect(headers['access-control-allow-headers']).toBe(
      'Authorization, X-API-Key, Content-Type, Accept, Idempotency-Key',
    );
  });

  it.each([SITE, APP])('may read every header that the gateway passes: %s', async (origin) => {
    const own = await call(`${zone.origin}/v1/ping`, { headers: { ...credential, origin } });
    expect(listOf(own.headers['access-control-expose-headers'])).toEqual(
      expect.arrayContaining(['ETag', 'Link', 'Location', 'RateLimit', 'RateLimit-Remaining', 'Retry-After']),
    );
    const headers = await answered({ 'x-total-count': '7', 'accept-ranges': 'bytes' }, 200, { origin });
    expect(listOf(headers['access-control-expose-headers'])).toEqual(
      expect.arrayContaining(['accept-ranges', 'Mcp-Session-Id', 'WWW-Authenticate', 'x-total-count']),
    );
  });
});
