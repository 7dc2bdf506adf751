// The gateway between real sockets: callers that can send any bytes, the real bundle, and a Node server as the upstream.
import { once } from 'node:events';
import { request } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startChild } from './child.ts';
import { startDeployment, type Deployment } from './deployment.ts';
import type { GivenToken } from './member.ts';
import { call, exchange, startUpstream, type Upstream } from './raw.ts';

const EDGE_SECRET = 'an-edge-secret-of-these-tests-alone';
const TIMEOUT_MS = 1500;
const MEGABYTE = Buffer.alloc(1 << 20, 'x');
const SIZE = 200;
const SLOW_READS = 1000;
const example = resolve(import.meta.dirname, '../docs/example-upstream/server.mjs');

let zone: Deployment;
let upstream: Upstream;
let token: GivenToken;
let credential: { authorization: string };
/** How the upstream answers a call, by path. */
const behaviours = new Map<string, (incoming: IncomingMessage, reply: ServerResponse) => unknown>();

beforeAll(async () => {
  upstream = await startUpstream((incoming, reply) => {
    const behaviour = behaviours.get(incoming.url ?? '');
    if (behaviour !== undefined) return void behaviour(incoming, reply);
    incoming.resume();
    return void incoming.once('end', () => reply.end('ok'));
  });
  zone = await startDeployment({
    UPSTREAM_URL: upstream.origin,
    UPSTREAM_SECRET: EDGE_SECRET,
    UPSTREAM_TIMEOUT_MS: String(TIMEOUT_MS),
    CORS_ORIGINS: 'https://site.example',
  });
  token = await zone.givenToken();
  credential = { authorization: `Bearer ${token.secret}` };
});
beforeEach(() => {
  upstream.seen.length = 0;
});
afterAll(async () => {
  await zone?.stop();
  await upstream?.stop();
});

function* megabytes(atEach: () => unknown): Generator<Buffer> {
  for (let index = 0; index < SIZE; index++) {
    atEach();
    yield MEGABYTE;
  }
}

async function length(
  stream: AsyncIterable<Buffer>,
  atEach: (bytes: number) => Promise<unknown> = async () => {},
): Promise<number> {
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.length;
    await atEach(bytes);
  }
  return bytes;
}

/** A reader that is slow at first, and the most bytes that were on the way to it at once. */
function slowReader() {
  let [sent, reads, most] = [0, 0, 0];
  return {
    sendMegabyte: () => (sent += MEGABYTE.length),
    read: async (bytes: number) => {
      most = Math.max(most, sent - bytes);
      if (reads++ < SLOW_READS) await delay(1);
    },
    mostOnTheWay: () => most,
  };
}

describe('a stream through the gateway', () => {
  it('of 200 MB is downloaded completely, and a slow reader slows the API down: never is a quarter of it on the way', async () => {
    const reader = slowReader();
    behaviours.set('/v1/large', (_, reply) => pipeline(Readable.from(megabytes(reader.sendMegabyte)), reply));
    const outgoing = request(`${zone.origin}/v1/large`, { headers: credential, agent: false });
    outgoing.end();
    const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
    expect(await length(incoming, reader.read)).toBe(SIZE * MEGABYTE.length);
    expect(reader.mostOnTheWay()).toBeLessThan((SIZE / 4) * MEGABYTE.length);
  });

  it('of 200 MB is uploaded completely, with its length, and a slow API slows the caller down', async () => {
    const reader = slowReader();
    behaviours.set('/v1/upload', async (incoming, reply) =>
      reply.end(String(await length(incoming, reader.read))),
    );
    const outgoing = request(`${zone.origin}/v1/upload`, {
      method: 'PUT',
      headers: { ...credential, 'content-length': SIZE * MEGABYTE.length },
      agent: false,
    });
    const answered = once(outgoing, 'response');
    await pipeline(Readable.from(megabytes(reader.sendMegabyte)), outgoing);
    const [incoming] = (await answered) as [IncomingMessage];
    expect(incoming.statusCode).toBe(200);
    expect(String(await incoming.toArray())).toBe(String(SIZE * MEGABYTE.length));
    expect(reader.mostOnTheWay()).toBeLessThan((SIZE / 4) * MEGABYTE.length);
    expect(upstream.seen[0]?.headers).toContainEqual(['content-length', String(SIZE * MEGABYTE.length)]);
  });

  it('of server-sent events arrives event by event', async () => {
    let events: ServerResponse | undefined;
    behaviours.set('/v1/stream', (_, reply) => {
      events = reply;
      reply.writeHead(200, { 'content-type': 'text/event-stream' });
      reply.write('data: 0\n\n');
    });
    const answer = await fetch(`${zone.origin}/v1/stream`, { headers: credential });
    expect(answer.headers.get('content-type')).toBe('text/event-stream');
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
    for (let event = 1; event <= 5; event++) {
      // The next one is written when this one has been read.
      expect((await reader?.read())?.value).toBe(`data: ${event - 1}\n\n`);
      events?.write(`data: ${event}\n\n`);
    }
    expect((await reader?.read())?.value).toBe('data: 5\n\n');
    events?.end();
    expect((await reader?.read())?.done).toBe(true);
  });
});

describe('an answer of the upstream', () => {
  const page = gzipSync('hello '.repeat(1000));

  it.each([
    ['compressed', 200, { 'content-encoding': 'gzip', 'content-length': page.length }, page],
    ['compressed, of unknown length', 200, { 'content-encoding': 'gzip' }, page],
    ['in part', 206, { 'content-range': 'bytes 0-1/5', 'content-length': 2 }, Buffer.from('he')],
    ['unchanged', 304, { etag: '"1"' }, Buffer.alloc(0)],
    ['of nothing', 204, {}, Buffer.alloc(0)],
    ['of failure', 500, { 'content-length': 4 }, Buffer.from('oops')],
    ['of an unknown status', 299, {}, Buffer.from('odd')],
  ])('comes back byte for byte: %s', async (_, status, headers, body) => {
    behaviours.set('/v1/answer', (_incoming, reply) => reply.writeHead(status, headers).end(body));
    const asked = { ...credential, 'accept-encoding': 'gzip', range: 'bytes=0-1', 'if-none-match': '"1"' };
    const outgoing = request(`${zone.origin}/v1/answer`, { headers: asked, agent: false }).end();
    const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
    expect(Buffer.concat(await incoming.toArray()).equals(body)).toBe(true);
    expect(incoming.statusCode).toBe(status);
    for (const [name, value] of Object.entries(headers)) expect(incoming.headers[name]).toBe(String(value));
    expect(Object.fromEntries(upstream.seen[0]?.headers ?? [])).toMatchObject({
      'accept-encoding': 'gzip',
      range: 'bytes=0-1',
      'if-none-match': '"1"',
    });
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])('to %s without a body arrives at once', async (method) => {
    for (const headers of [{}, { 'content-length': '0' }]) {
      const answer = await call(`${zone.origin}/v1/empty`, {
        method,
        headers: { ...credential, ...headers },
      });
      expect(answer).toMatchObject({ status: 200, body: 'ok' });
    }
    expect(upstream.seen.map((seen) => seen.method)).toEqual([method, method]);
  });

  it('to GET arrives without a body or with an empty one; a GET with a body is refused', async () => {
    const get = (body: string) => {
      const headers = { ...credential, 'content-length': String(body.length) };
      return call(`${zone.origin}/v1/empty`, { headers, body });
    };
    expect(await get('')).toMatchObject({ status: 200, body: 'ok' });
    const refused = await get('hello');
    expect(refused.status).toBe(400);
    expect(refused.body).toContain('send it by POST');
    expect(upstream.seen).toHaveLength(1);
  });

  it('to HEAD has no body', async () => {
    behaviours.set('/v1/answer', (_, reply) =>
      reply.writeHead(200, { etag: '"1"', 'content-length': 5 }).end(),
    );
    const answer = await call(`${zone.origin}/v1/answer`, { method: 'HEAD', headers: credential });
    expect(answer).toMatchObject({ status: 200, body: '', headers: { etag: '"1"' } });
    expect(upstream.seen[0]?.method).toBe('HEAD');
  });

  it('that comes before the body has been read reaches the caller', async () => {
    behaviours.set('/v1/answer', (_, reply) => reply.writeHead(413).end('too large'));
    const outgoing = request(`${zone.origin}/v1/answer`, {
      method: 'PUT',
      headers: credential,
      agent: false,
    });
    outgoing.on('error', () => {});
    const answered = once(outgoing, 'response');
    outgoing.write(MEGABYTE);
    const [incoming] = (await answered) as [IncomingMessage];
    expect(incoming.statusCode).toBe(413);
    expect(String(await incoming.toArray())).toBe('too large');
    outgoing.destroy();
  });
});

describe('an API that refuses the edge', () => {
  it.each([
    [401, {}, 502],
    [407, { 'proxy-authenticate': 'Basic' }, 502],
    [401, { 'www-authenticate': 'Bearer error="insufficient_user_authentication"' }, 401],
  ] as const)('by %i with %o is %i to a caller with a good token', async (status, headers, expected) => {
    behaviours.set('/v1/refused', (_incoming, reply) => reply.writeHead(status, headers).end());
    const answer = await call(`${zone.origin}/v1/refused`, { headers: credential });
    expect(answer.status).toBe(expected);
    expect(answer.headers['proxy-authenticate']).toBeUndefined();
  });
});

describe('headers through the gateway', () => {
  it('reach the upstream by allow-list, with our identity headers and no others', async () => {
    const answer = await call(`${zone.origin}/v1/events?page=2&x=%2F`, {
      method: 'POST',
      body: 'hello',
      headers: {
        ...credential,
        'X-API-Key': token.secret,
        Cookie: '__Host-session=stolen',
        'Content-Type': 'text/plain',
        'Idempotency-Key': 'once',
        'X-Organisation-Id': ['forged', 'forged-too'],
        X_Organisation_Id: 'forged',
        'X-Organisation_Id': 'forged',
        'x-organisation-plan': 'forged',
        'X-TOKEN-ID': 'forged',
        x_token_id: 'forged',
        'X-Edge-Secret': 'forged',
        'X-Forwarded-Host': 'forged',
        'X-HTTP-Method-Override': 'DELETE',
        'Proxy-Authorization': `Bearer ${token.secret}`,
        'X-Forwarded-Authorization': `Bearer ${token.secret}`,
      },
    });
    expect(answer.status).toBe(200);
    expect(upstream.seen).toHaveLength(1);
    const [{ method, url, headers } = { method: '', url: '', headers: [] }] = upstream.seen;
    expect([method, url]).toEqual(['POST', '/v1/events?page=2&x=%2F']);
    expect(Object.fromEntries(headers)).toMatchObject({
      host: new URL(upstream.origin).host,
      'content-type': 'text/plain',
      'idempotency-key': 'once',
      'x-organisation-id': token.organisation,
      'x-organisation-plan': 'enterprise',
      'x-token-access': 'full',
      'x-token-id': token.id,
      'x-request-id': answer.headers['x-request-id'],
      'x-edge-secret': EDGE_SECRET,
    });
    const identity = headers.filter(([name]) => /^x[-_](?:organisation|token|edge)/.test(name));
    expect(identity).toHaveLength(5);
    expect(JSON.stringify(headers)).not.toMatch(/forged|stolen|DELETE/);
    expect(JSON.stringify(headers)).not.toContain(token.secret);
  });

  it('lead only to the upstream, whatever host the caller names', async () => {
    const forged = await call(`${zone.origin}/v1/events`, {
      headers: { ...credential, Host: 'forged.example' },
    });
    // A host other than this machine is not local, and there a token needs https.
    expect(forged.status).toBe(403);
    await call(`${zone.origin}/v1/events`, { headers: credential });
    const hosts = upstream.seen.map(({ headers }) => Object.fromEntries(headers)['host']);
    expect(hosts).toEqual([new URL(upstream.origin).host]);
  });

  it('come back by allow-list, with no-store and with our own rules for browsers', async () => {
    behaviours.set('/v1/page', (_, reply) => {
      reply.writeHead(207, {
        'content-type': 'text/html',
        etag: '"1"',
        'set-cookie': ['__Host-session=planted; Secure; Path=/', 'b=c'],
        'cache-control': 'public, max-age=3600',
        'access-control-allow-origin': '*',
        'access-control-allow-credentials': 'true',
        'clear-site-data': '"*"',
        'content-security-policy': "default-src 'unsafe-inline'",
        server: 'secret-server/1.0',
        'x-organisation-id': 'somebody',
        'x-edge-secret': EDGE_SECRET,
      });
      reply.end('<p>');
    });
    const answer = await call(`${zone.origin}/v1/page`, {
      headers: { ...credential, origin: 'https://site.example' },
    });
    expect(answer).toMatchObject({ status: 207, body: '<p>' });
    expect(answer.headers).toMatchObject({
      etag: '"1"',
      'content-type': 'text/html',
      'cache-control': 'no-store',
      'access-control-allow-origin': 'https://site.example',
      'content-security-policy': expect.stringContaining("default-src 'none'"),
    });
    expect(JSON.stringify(answer.headers)).not.toMatch(
      /planted|unsafe-inline|secret|somebody|credentials|clear-site/,
    );
  });

  it('of a redirect are passed to the caller; the gateway does not follow it', async () => {
    behaviours.set('/v1/moved', (_, reply) => {
      reply.writeHead(302, { location: 'http://169.254.169.254/latest/meta-data' }).end();
    });
    const away = await call(`${zone.origin}/v1/moved`, { headers: credential });
    expect([away.status, away.headers.location]).toEqual([302, 'http://169.254.169.254/latest/meta-data']);
    for (const [to, expected] of [
      ['/v1/there?a=1#b', '/v1/there?a=1#b'],
      ['', '/'],
      ['?page=2', '/?page=2'],
      // Without the upstream's address, this reference would name another host.
      ['//elsewhere.example/', '/.//elsewhere.example/'],
    ] as const) {
      behaviours.set('/v1/within', (_, reply) => {
        reply.writeHead(307, { location: upstream.origin + to }).end();
      });
      const within = await call(`${zone.origin}/v1/within`, { headers: credential });
      expect([within.status, within.headers.location]).toEqual([307, expected]);
    }
    expect(new URL('/.//elsewhere.example/', zone.origin).host).toBe(new URL(zone.origin).host);
    expect(upstream.seen.length).toBe(5);
  });
});

describe('never reaches the upstream:', () => {
  const head = (line: string, more = ''): string =>
    `${line} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token.secret}\r\nConnection: close\r\n${more}\r\n`;
  const send = async (text: string): Promise<number> => {
    const answer = await exchange(Number(new URL(zone.origin).port), text);
    return Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1]);
  };

  it.each([
    '/v1/%2e%2e/operator',
    '/v1/%2E%2e%2Foperator',
    '/v1/../operator',
    '/v1/./events',
    '/v1/a/..%2fb',
    '/v1/a%2fb',
    '/v1/a%5cb',
    '/v1\\..\\operator',
    '/v1/\\\\evil.example/x',
    '//evil.example/v1/x',
    '/v1//evil.example/x',
    '/v1@evil.example/x',
    '@evil.example/v1/x',
    'http://evil.example//v1/x',
    '/v1/a%00b',
    '/v1/a%0d%0aX-Organisation-Id:%20forged',
    '/v1/a%0Ab',
    '/V1/events',
  ])('the path %s', async (path) => {
    const status = await send(head(`GET ${path}`));
    expect([400, 401, 404, 301, 308]).toContain(status);
    expect(upstream.seen).toEqual([]);
  });

  it.each(['TRACE', 'PROPFIND', 'get'])('the method %s', async (method) => {
    const status = await send(head(`${method} /v1/events`));
    expect([400, 405, 501]).toContain(status);
    expect(upstream.seen).toEqual([]);
  });

  it('CONNECT', async () => {
    const status = await send(head('CONNECT evil.example:443'));
    // workerd itself answers 500 before our code runs. Cloudflare's edge passes no CONNECT to a Worker.
    expect([400, 405, 500, 501]).toContain(status);
    expect(upstream.seen).toEqual([]);
  });

  it('a WebSocket upgrade', async () => {
    const upgrade =
      'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n';
    const text = head('GET /v1/socket', upgrade).replace('Connection: close\r\n', '');
    const answer = await exchange(Number(new URL(zone.origin).port), text, /\}$/);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('#not-forwardable');
    expect(upstream.seen).toEqual([]);
  });
});

describe('an upstream', () => {
  const slugOf = (body: string): string => String(JSON.parse(body).type).split('#')[1] ?? '';

  it.concurrent('that does not begin to answer in time: 504, and the connection is closed', async () => {
    const closed = new Promise((done) => {
      behaviours.set('/v1/silent', (incoming) => incoming.socket.once('close', done));
    });
    const answer = await call(`${zone.origin}/v1/silent`, { headers: credential });
    expect([answer.status, slugOf(answer.body)]).toEqual([504, 'upstream-timeout']);
    await closed;
  });

  it.concurrent('that is slow with a body is waited for, in both directions', async () => {
    // Four parts: each one takes less than the time limit, all together take more.
    const slowly = async function* (): AsyncGenerator<string> {
      for (let part = 0; part < 4; part++) {
        await new Promise((done) => {
          setTimeout(done, TIMEOUT_MS / 3);
        });
        yield 'part';
      }
    };
    behaviours.set('/v1/slow', (incoming, reply) => {
      incoming.resume();
      incoming.once('end', () => Readable.from(slowly()).pipe(reply));
    });
    const outgoing = request(`${zone.origin}/v1/slow`, { method: 'POST', headers: credential, agent: false });
    const answered = once(outgoing, 'response');
    Readable.from(slowly()).pipe(outgoing);
    const [incoming] = (await answered) as [IncomingMessage];
    expect(incoming.statusCode).toBe(200);
    expect(await length(incoming)).toBe(16);
  });

  it.concurrent('that has the whole body and does not answer: 504', async () => {
    behaviours.set('/v1/swallows', (incoming) => incoming.resume());
    const answer = await call(`${zone.origin}/v1/swallows`, {
      method: 'POST',
      headers: credential,
      body: 'hello',
    });
    expect(answer.status).toBe(504);
  });

  it.each(['waits for the answer', 'reads the answer', 'sends the body'])(
    'is disconnected when a caller hangs up who %s',
    async (moment) => {
      let seen: (socket: IncomingMessage['socket']) => void;
      const arrived = new Promise<IncomingMessage['socket']>((done) => {
        seen = done;
      });
      behaviours.set('/v1/abandoned', (incoming, reply) => {
        if (moment === 'reads the answer') reply.write('first');
        seen(incoming.socket);
      });
      // The look-up of a new token leaves work for after the answer, and workerd keeps the call alive for it.
      const { secret } = await zone.givenToken();
      behaviours.set('/v1/silent', (silent) => silent.resume());
      const timedOut = call(`${zone.origin}/v1/silent`, { headers: credential });
      const outgoing = request(`${zone.origin}/v1/abandoned`, {
        method: moment === 'sends the body' ? 'POST' : 'GET',
        headers: { authorization: `Bearer ${secret}` },
        agent: false,
      });
      outgoing.on('error', () => {});
      const answered = moment === 'reads the answer' ? once(outgoing, 'response') : null;
      if (moment === 'sends the body') outgoing.write('first');
      else outgoing.end();
      const socket = await arrived;
      await answered;
      const closed = new Promise((done) => {
        socket.once('close', done);
      });
      // A FIN alone means that the caller sends no more, so workerd continues to wait. Cloudflare's edge reports every hang-up.
      outgoing.socket?.resetAndDestroy();
      // The other call began earlier, so its time is over earlier as well.
      const first = await Promise.race([closed.then(() => 'hung up'), timedOut.then(() => 'timed out')]);
      expect(first).toBe('hung up');
      await timedOut;
    },
  );

  it('that cuts the connection: 502', async () => {
    behaviours.set('/v1/cut', (incoming) => incoming.socket.destroy());
    const answer = await call(`${zone.origin}/v1/cut`, { headers: credential });
    expect([answer.status, slugOf(answer.body)]).toEqual([502, 'upstream-unreachable']);
  });

  it.each([{ 'content-length': '9' }, {}])(
    'that breaks off in the middle of an answer gives no complete answer: %j',
    async (headers) => {
      behaviours.set('/v1/half', (incoming, reply) => {
        reply.writeHead(200, headers);
        reply.write('half', () => incoming.socket.destroy());
      });
      await expect(call(`${zone.origin}/v1/half`, { headers: credential })).rejects.toThrow(
        /aborted|hang up|RESET/,
      );
    },
  );

  // The upstream of this file stops here, and the example uses its port.
  it('that is down: 502; that is the example of the docs: names the caller, and refuses calls that do not come from the edge', async () => {
    await upstream.stop();
    const down = await call(`${zone.origin}/v1/hello`, { headers: credential });
    expect([down.status, slugOf(down.body)]).toEqual([502, 'upstream-unreachable']);
    expect(down.body).not.toContain(String(upstream.port));
    const child = await startChild(process.execPath, [example], /listens on/, {
      env: { PORT: String(upstream.port), UPSTREAM_SECRET: EDGE_SECRET },
    });
    try {
      const answer = await call(`${zone.origin}/v1/hello?x=1`, { headers: credential });
      expect(JSON.parse(answer.body)).toEqual({
        method: 'GET',
        url: '/v1/hello?x=1',
        organisation: token.organisation,
        plan: 'enterprise',
        token: token.id,
        request: answer.headers['x-request-id'],
      });
      const forged = await call(`${upstream.origin}/v1/hello`, { headers: { 'x-organisation-id': 'acme' } });
      expect(forged.status).toBe(403);
    } finally {
      await child.stop();
    }
  });
});
