// Real gateways before a real upstream, with the files of docs/gateways/. Only hosts and ports are changed.
import { createHash } from 'node:crypto';
import { connect as connectHttp2 } from 'node:http2';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startChild, type Child } from '../child.ts';
import { startDeployment, ZONE, type Deployment } from '../deployment.ts';
import type { GivenToken } from '../member.ts';
import { call, exchange, startSocketUpstream, startUpstream, type Upstream } from '../raw.ts';
import { freePort } from '../server.ts';
import { isHere, startCaddyWith, startNginxWith, startPhp } from './servers.ts';

const docs = resolve(import.meta.dirname, '../../docs/gateways');
const folder = mkdtempSync(join(tmpdir(), 'gateways-'));

const VERIFY_SECRET = 'a-verify-secret-of-these-tests-alone';
let zone: Deployment;
let upstream: Upstream;
/** Lets the API send the second event of its stream. */
let sayNext: (() => void) | undefined;
/** The trailers that the API got with its last call. */
let trailers: string[] = [];

beforeAll(async () => {
  zone = await startDeployment({ VERIFY_SECRET });
  upstream = await startUpstream((incoming, reply) => {
    if (incoming.url === '/stream') {
      reply.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n');
      sayNext = () => reply.write('data: 2\n\n');
      return;
    }
    incoming.resume();
    incoming.once('end', () => {
      trailers = incoming.rawTrailers;
      reply.end('ok');
    });
  });
});
beforeEach(() => {
  upstream.seen.length = 0;
});
afterAll(async () => {
  await upstream?.stop();
  await zone?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** The file with each [old text, new text] replaced; the test fails when an old text is not in the file. */
function printed(file: string, changes: [string, string][]): string {
  let text = readFileSync(join(docs, file), 'utf8');
  for (const [from, to] of changes) {
    expect(text, `${file} says ${from}`).toContain(from);
    text = text.replaceAll(from, to);
  }
  return text;
}

/** The identity headers that an API gets with a call of this token, by name. */
const identityOf = ({ id, organisation }: GivenToken, access = 'full'): [string, string][] => [
  ['x-organisation-id', organisation],
  ['x-organisation-plan', 'enterprise'],
  ['x-token-access', access],
  ['x-token-id', id],
];

type Start = (port: number, zoneAddress: string, apiPort: number) => Promise<Child>;

const startNginx: Start = (port, zoneAddress, apiPort) => {
  const secret = join(folder, 'developer-zone-secret');
  writeFileSync(secret, `proxy_set_header X-Verify-Secret "${VERIFY_SECRET}";`, { mode: 0o600 });
  const site = printed('nginx.conf', [
    ['listen 8080', `listen 127.0.0.1:${port}`],
    ['include /etc/nginx/developer-zone-secret', `include ${secret}`],
    ['server verify.example.com:443', `server ${zoneAddress}`],
    ['https://developer_zone', 'http://developer_zone'],
    ['Host verify.example.com', `Host ${zoneAddress}`],
    ['127.0.0.1:9000', `127.0.0.1:${apiPort}`],
  ]);
  return startNginxWith(site, port, folder);
};

const startCaddy: Start = (port, zoneAddress, apiPort) => {
  const site = printed('Caddyfile', [
    ['\napi.example.com {', `\nhttp://127.0.0.1:${port} {`],
    ['https://verify.example.com', `http://${zoneAddress}`],
    ['Host verify.example.com', `Host ${zoneAddress}`],
    ['127.0.0.1:9000', `127.0.0.1:${apiPort}`],
  ]);
  return startCaddyWith(site, port, folder, { VERIFY_SECRET });
};

const startHaproxy: Start = (port, zoneAddress, apiPort) => {
  const script = join(folder, `haproxy-${port}.lua`);
  const file = join(folder, `haproxy-${port}.cfg`);
  writeFileSync(
    script,
    printed('developer-zone.lua', [['https://verify.example.com', `http://${zoneAddress}`]]),
  );
  const text = printed('haproxy.cfg', [
    ['/etc/haproxy/developer-zone.lua', script],
    ['bind :8080', `bind 127.0.0.1:${port}`],
    ['127.0.0.1:9000', `127.0.0.1:${apiPort}`],
  ]);
  writeFileSync(file, text);
  // With -W, as systemd starts it, HAProxy prints when it listens.
  return startChild('haproxy', ['-W', '-f', file], /Loading success/, { env: { VERIFY_SECRET } });
};

const gateways = [
  { name: 'nginx', isHere: isHere('nginx', 'nginx'), start: startNginx },
  { name: 'caddy', isHere: isHere('caddy', 'caddy'), start: startCaddy },
  { name: 'haproxy', isHere: isHere('haproxy', 'haproxy'), start: startHaproxy },
];

/** A WSGI server that answers with the identity variables of its application, as JSON. */
async function startWsgi(port: number): Promise<Child> {
  const script = join(folder, 'application.py');
  writeFileSync(
    script,
    // It reads the body. A server that closes a connection with unread data resets it, and a gateway may then answer 502.
    `import json, re, sys
from wsgiref.simple_server import make_server
def read_body(body, length, chunked):
    body.read(length)
    size = 1 if chunked else 0
    while size > 0:
        size = int(body.readline(), 16)
        body.read(size)
        while body.readline().strip(): pass
def application(environ, start_response):
    read_body(environ['wsgi.input'], int(environ.get('CONTENT_LENGTH') or 0), 'HTTP_TRANSFER_ENCODING' in environ)
    start_response('200 OK', [('Content-Type', 'application/json')])
    told = {k: v for k, v in environ.items() if re.search('ORGANI|TOKEN', k, re.I)}
    return [json.dumps(told).encode()]
server = make_server('127.0.0.1', int(sys.argv[1]), application)
print('listening', flush=True)
server.serve_forever()
`,
  );
  return startChild('python3', [script, String(port)], /listening/);
}

/** The same in PHP. */
function startPhpApi(port: number): Promise<Child> {
  const script = join(folder, 'index.php');
  writeFileSync(
    script,
    `<?php header('Content-Type: application/json'); $told = [];
foreach ($_SERVER as $key => $value) if (preg_match('/ORGANI|TOKEN/i', $key)) $told[$key] = $value;
echo json_encode($told);`,
  );
  return startPhp(folder, port, script);
}

const apis = [
  { api: 'PHP', isThere: isHere('php', 'php-cli'), startApi: startPhpApi },
  { api: 'a WSGI server', isThere: isHere('python3', 'python3'), startApi: startWsgi },
];

const FORGED_TRAILERS = [
  'X-Organisation-Id',
  'X-Organisation-Plan',
  'X-Token-Id',
  'X-Token-Access',
  'X_Organisation_Id',
];

/** The answer to a call whose body is chunked and ends with forged trailers. */
function callWithTrailers(port: number, secret: string, announced: boolean): Promise<string> {
  return exchange(
    port,
    [
      'POST /events HTTP/1.1',
      `Host: 127.0.0.1:${port}`,
      'Connection: close',
      `Authorization: Bearer ${secret}`,
      ...(announced ? [`Trailer: ${FORGED_TRAILERS.join(', ')}`, 'TE: trailers'] : []),
      'Transfer-Encoding: chunked',
      '',
      '5',
      'hello',
      '0',
      ...FORGED_TRAILERS.map((name) => `${name}: forged`),
      '',
      '',
    ].join('\r\n'),
  );
}

const KEY = 'AAAAAAAAAAAAAAAAAAAAAA==';
/** The answer of a server to this key (RFC 6455 section 4.2.2). */
const ACCEPT = createHash('sha1').update(`${KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');

/** An API that accepts every protocol and every tunnel. `heads`: the request line and headers of all requests. */
async function startTunnelApi(): Promise<{ port: number; heads: string[]; stop(): Promise<void> }> {
  const heads: string[] = [];
  const { port, stop } = await startSocketUpstream(({ socket, text }) => {
    let start = 0;
    const read = () => {
      for (;;) {
        const end = text().indexOf('\r\n\r\n', start);
        if (end < 0) return;
        const head = text().slice(start, end);
        start = end + 4;
        heads.push(head);
        const protocol = /^upgrade: *([^\s,]+)/im.exec(head)?.[1];
        if (head.startsWith('CONNECT ')) socket.write('HTTP/1.1 200 OK\r\n\r\n');
        else if (protocol === undefined) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
        else {
          const accept = `Sec-WebSocket-Accept: ${ACCEPT}\r\n`;
          socket.write(
            `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n${accept}\r\n`,
          );
        }
      }
    };
    read();
    socket.on('data', read);
  });
  return { port, heads, stop };
}

/** All characters that may be between the words of a header's name (RFC 9110 section 5.6.2). */
const SEPARATORS = [..."-._~!#$%&'*+^`|"];
const forgedNames = SEPARATORS.flatMap((separator) => [
  ['X', 'Organisation', 'Id'].join(separator),
  ['x', 'organisation', 'plan'].join(separator),
  ['X', 'TOKEN', 'ID'].join(separator),
]);
forgedNames.push(
  'X.Organisation-Id',
  'X-Organisation.Id',
  'x.organisation_id',
  'X_Token.Id',
  'X-Organisation_Plan',
);

describe.for(gateways)('behind $name', ({ name: program, isHere: here, start }) => {
  describe.runIf(here)('a call', () => {
    let gateway: Child;
    let origin: string;
    beforeAll(async () => {
      const port = await freePort();
      gateway = await start(port, new URL(zone.origin).host, upstream.port);
      origin = `http://127.0.0.1:${port}`;
    });
    afterAll(() => gateway?.stop());

    const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` });

    it('passes a good call on, with the identity of the caller and without the secret', async () => {
      const token = await zone.givenToken();
      const { secret } = token;
      for (const headers of [bearer(secret), { 'x-api-key': secret }]) {
        const answer = await call(`${origin}/events?page=2`, { method: 'POST', headers, body: 'hello' });
        expect(answer).toMatchObject({ status: 200, body: 'ok' });
      }
      expect(upstream.seen).toHaveLength(2);
      for (const { method, url, headers } of upstream.seen) {
        expect([method, url]).toEqual(['POST', '/events?page=2']);
        expect(Object.fromEntries(headers)).toMatchObject(Object.fromEntries(identityOf(token)));
        expect(JSON.stringify(headers)).not.toContain(secret);
        expect(JSON.stringify(headers)).not.toContain(VERIFY_SECRET);
      }
    });

    it.each([
      ['no credential', {}, ''],
      ['a made-up token', bearer('9pMadeUp'), 'error="invalid_token"'],
      ['a malformed credential', bearer('two words'), 'error="invalid_request"'],
      ['another scheme', { authorization: 'Basic YTpi' }, ''],
    ])('refuses %s with 401 and the challenge', async (_, headers, error) => {
      const answer = await call(`${origin}/events`, { headers });
      expect(answer.status).toBe(401);
      expect(answer.headers['www-authenticate']).toContain('Bearer realm="api"');
      expect(answer.headers['www-authenticate']).toContain(error);
      expect(upstream.seen).toEqual([]);
    });

    it('refuses with 403 when the organisation has left Enterprise', async () => {
      const { organisation, secret } = await zone.givenToken();
      await zone.write('PUT', `/operator/organisations/${organisation}`, { name: 'Acme', plan: 'pro' });
      expect((await call(`${origin}/events`, { headers: bearer(secret) })).status).toBe(403);
      expect(upstream.seen).toEqual([]);
    });

    describe('of a limited token', () => {
      const given = async (limits: object): Promise<GivenToken> => {
        const token = await zone.givenToken();
        await zone.write('PATCH', token.path, limits);
        return token;
      };
      const statusOf = async (
        { secret }: GivenToken,
        path = '/v1/events',
        options: { method?: string; headers?: Record<string, string | string[]>; from?: string } = {},
      ): Promise<number> => {
        const headers = { ...options.headers, ...bearer(secret) };
        return (await call(origin + path, { ...options, headers })).status;
      };
      const DENIED = 'Bearer realm="api", error="insufficient_scope", scope="full"';

      it('reads and does not write, and the refusal has its challenge', async () => {
        const token = await given({ access: 'read' });
        expect(await statusOf(token)).toBe(200);
        expect(Object.fromEntries(upstream.seen[0]?.headers ?? [])).toMatchObject(
          Object.fromEntries(identityOf(token, 'read')),
        );
        for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
          const answer = await call(`${origin}/v1/events`, { method, headers: bearer(token.secret) });
          expect([method, answer.status]).toEqual([method, 403]);
          expect(answer.headers['www-authenticate']).toBe(DENIED);
        }
        expect(upstream.seen).toHaveLength(1);
      });

      it('keeps to its paths', async () => {
        const token = await given({ paths: ['/v1/events'] });
        const inside = ['/v1/events', '/v1/events/7?page=2'];
        const outside = ['/v1/faces', '/v1/eventsmore', '/v1/events/%2e%2e/faces', '/v1/events/..%2ffaces'];
        for (const path of [...inside, ...outside]) {
          expect([path, await statusOf(token, path)]).toEqual([path, inside.includes(path) ? 200 : 403]);
        }
        expect(upstream.seen.map(({ url }) => url)).toEqual(inside);
      });

      it('keeps to its networks: the address is that of the connection', async () => {
        const token = await given({ networks: ['127.0.0.2/32'] });
        expect(await statusOf(token, undefined, { from: '127.0.0.2' })).toBe(200);
        expect(await statusOf(token, undefined, { from: '127.0.0.3' })).toBe(401);
        expect(upstream.seen).toHaveLength(1);
      });

      it('keeps to its websites', async () => {
        const token = await given({ origins: ['https://shop.example'] });
        const from = (website: string) => statusOf(token, undefined, { headers: { origin: website } });
        expect(await from('https://shop.example')).toBe(200);
        expect(await from('https://other.example')).toBe(401);
        expect(await statusOf(token)).toBe(200);
      });

      const forged = (method: string, path: string, address: string) => ({
        'X-Original-Method': method,
        'X-Original-URI': path,
        X_Original_Method: method,
        'X-Forwarded-Method': method,
        'X-Forwarded-Uri': path,
        'X-HTTP-Method': method,
        'X-HTTP-Method-Override': method,
        'X-Method-Override': method,
        'X-Original-URL': path,
        'X-Rewrite-URL': path,
        'X-Client-IP': address,
        'X-Forwarded-For': address,
        'X-Real-IP': address,
        Forwarded: `for=${address}`,
        'X-Verify-Secret': 'forged',
        Connection:
          'close, X-Original-Method, X-Forwarded-Method, X-Forwarded-Uri, X-Client-IP, X-Verify-Secret',
      });

      it.each([1, 2])('gets nothing more from headers that a caller forges, each %i times', async (times) => {
        const headers = Object.fromEntries(
          Object.entries(forged('GET', '/v1/events', '127.0.0.2')).map(([name, value]) => [
            name,
            Array<string>(name === 'Connection' ? 1 : times).fill(value),
          ]),
        );
        const reading = await given({ access: 'read' });
        expect(await statusOf(reading, undefined, { method: 'DELETE', headers })).toBe(403);
        expect(await statusOf(await given({ paths: ['/v1/events'] }), '/v1/faces', { headers })).toBe(403);
        const nearby = await given({ networks: ['127.0.0.2/32'] });
        for (const secret of ['forged', VERIFY_SECRET]) {
          const sent = { ...headers, 'X-Verify-Secret': secret };
          expect(await statusOf(nearby, undefined, { from: '127.0.0.3', headers: sent })).toBe(401);
        }
        expect(upstream.seen).toEqual([]);
      });

      it('gets nothing less from them', async () => {
        const headers = forged('DELETE', '/v1/faces', '127.0.0.3');
        const token = await given({ access: 'read', paths: ['/v1/events'], networks: ['127.0.0.2/32'] });
        expect(await statusOf(token, undefined, { from: '127.0.0.2', headers })).toBe(200);
      });

      it('reaches the API without a header that asks for another call', async () => {
        expect(
          await statusOf(await zone.givenToken(), '/v1/events', {
            headers: forged('DELETE', '/v1/faces', '127.0.0.3'),
          }),
        ).toBe(200);
        const names = upstream.seen.at(-1)?.headers.map(([name]) => name.toLowerCase()) ?? [];
        expect(names).toContain('x-token-id');
        expect(names.filter((name) => /method|original|rewrite|client-ip|verify-secret/.test(name))).toEqual(
          [],
        );
      });

      it('that is narrowed is refused from the answer on', async () => {
        const token = await zone.givenToken();
        expect(await statusOf(token, undefined, { method: 'POST' })).toBe(200);
        await zone.write('PATCH', token.path, { access: 'read' });
        expect(await statusOf(token, undefined, { method: 'POST' })).toBe(403);
      });
    });

    it('refuses every call that starts after a deactivation has been answered', async () => {
      const { path, secret } = await zone.givenToken();
      const early: number[] = [];
      const late: number[] = [];
      let isOff = false;
      const caller = async (): Promise<void> => {
        while (late.length < 200) {
          const statuses = isOff ? late : early;
          statuses.push((await call(`${origin}/events`, { headers: bearer(secret) })).status);
        }
      };
      const callers = Promise.all(Array.from({ length: 4 }, caller));
      await expect.poll(() => early.length, { timeout: 20_000 }).toBeGreaterThan(20);
      expect(new Set(early)).toEqual(new Set([200]));
      await zone.write('PATCH', path, { active: false });
      isOff = true;
      const accepted = upstream.seen.length;
      await callers;
      expect(new Set(late)).toEqual(new Set([401]));
      // Calls that were in flight at the answer may have been verified before it; there are four callers.
      expect(upstream.seen.length - accepted).toBeLessThanOrEqual(4);
      await zone.write('PATCH', path, { active: true });
      expect((await call(`${origin}/events`, { headers: bearer(secret) })).status).toBe(200);
    });

    it('lets no forged identity header reach the API', async () => {
      const token = await zone.givenToken();
      const { secret } = token;
      const forged = {
        'X-Organisation-Id': ['forged', 'forged-too'],
        'x-organisation-plan': 'forged',
        'X-TOKEN-ID': 'forged',
        'X-Token-Access': 'forged',
        X_Organisation_Id: 'forged',
        'X-Organisation_Id': 'forged',
        X_Organisation_Plan: 'forged',
        x_token_id: 'forged',
        'X-Token_Access': 'forged',
      };
      expect((await call(`${origin}/events`, { headers: { ...forged, ...bearer(secret) } })).status).toBe(
        200,
      );
      const headers = upstream.seen[0]?.headers ?? [];
      const identity = headers.filter(([key]) => /^x[-_](?:organisation|token)/.test(key));
      expect(identity.toSorted()).toEqual(identityOf(token));
      expect(JSON.stringify(headers)).not.toContain('forged');
      expect((await call(`${origin}/events`, { headers: forged })).status).toBe(401);
      expect(upstream.seen).toHaveLength(1);
    });

    it('passes the identity headers on, whatever the caller names in Connection', async () => {
      const token = await zone.givenToken();
      const { secret } = token;
      for (const named of [
        'close, X-Organisation-Id, X-Token-Id, X-Organisation-Plan, X-Token-Access',
        'x-organisation-id',
      ]) {
        upstream.seen.length = 0;
        const headers = { ...bearer(secret), connection: named };
        expect((await call(`${origin}/events`, { headers })).status).toBe(200);
        expect(Object.fromEntries(upstream.seen[0]?.headers ?? [])).toMatchObject(
          Object.fromEntries(identityOf(token)),
        );
        // Another proxy between the gateway and the API would drop the headers that Connection names.
        const handedOn = upstream.seen[0]?.headers.filter(([name]) => name === 'connection') ?? [];
        expect(JSON.stringify(handedOn)).not.toMatch(/organisation|token/i);
      }
    });

    it.each([true, false])(
      'accepts no identity from the trailers of a body, announced: %s',
      async (announced) => {
        const token = await zone.givenToken();
        trailers = [];
        const answer = await callWithTrailers(Number(new URL(origin).port), token.secret, announced);
        const identities = upstream.seen.map(({ headers }) =>
          headers.filter(([key]) => /^x.(?:organisation|token)/.test(key)).toSorted(),
        );
        const ours = identityOf(token);
        // HAProxy cannot drop trailers, so its file refuses every body that can have trailers.
        const [status, expected] = program === 'haproxy' ? ['411', []] : ['200', [ours]];
        expect([answer.split(' ')[1], identities, trailers]).toEqual([status, expected, []]);
      },
    );

    it.runIf(program === 'haproxy')('refuses HTTP/2, because no rule can see its trailers', async () => {
      const { secret } = await zone.givenToken();
      const session = connectHttp2(origin);
      const stream = session.request(
        { ':method': 'POST', ':path': '/events', ...bearer(secret) },
        { waitForTrailers: true },
      );
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-organisation-id': 'forged' }));
      stream.end('hello');
      const status = await new Promise((done) => {
        stream.once('response', (headers) => done(headers[':status']));
        session.once('error', () => done('refused'));
        stream.once('error', () => done('refused'));
      });
      session.destroy();
      expect([status, upstream.seen]).toEqual(['refused', []]);
    });

    it('answers the preflight of a website that the file names, and lets its pages read refusals', async () => {
      const website = 'https://www.example.com';
      const preflight = (from: string) =>
        call(`${origin}/events`, {
          method: 'OPTIONS',
          headers: {
            origin: from,
            'access-control-request-method': 'PUT',
            'access-control-request-headers': 'authorization,content-type',
          },
        });
      const answer = await preflight(website);
      expect(answer.status).toBe(204);
      expect(answer.headers['access-control-allow-origin']).toBe(website);
      expect(answer.headers['access-control-allow-methods']).toContain('PUT');
      expect(answer.headers['access-control-allow-headers']?.toLowerCase()).toContain('authorization');
      const refused = await call(`${origin}/events`, { headers: { origin: website } });
      expect([refused.status, refused.headers['access-control-allow-origin']]).toEqual([401, website]);
      expect(refused.headers['access-control-expose-headers']).toContain('WWW-Authenticate');
      expect(refused.headers.vary).toContain('Origin');
      const other = await preflight('https://evil.example');
      expect(other.headers['access-control-allow-origin']).toBeUndefined();
      expect(upstream.seen).toEqual([]);
      const { secret } = await zone.givenToken();
      const good = await call(`${origin}/events`, { headers: { ...bearer(secret), origin: website } });
      expect([good.status, good.headers['access-control-allow-origin']]).toEqual([200, website]);
    });

    it('accepts an upload of 2 MB', async () => {
      const { secret } = await zone.givenToken();
      const body = 'x'.repeat(2 << 20);
      const answer = await call(`${origin}/events`, { method: 'POST', headers: bearer(secret), body });
      expect(answer.status).toBe(200);
    });

    it('passes an event on before the API sends the next one', async () => {
      const { secret } = await zone.givenToken();
      const answer = await fetch(`${origin}/stream`, { headers: bearer(secret) });
      const reader = answer.body?.getReader();
      expect(new TextDecoder().decode((await reader?.read())?.value)).toBe('data: 1\n\n');
      sayNext?.();
      expect(new TextDecoder().decode((await reader?.read())?.value)).toBe('data: 2\n\n');
      await reader?.cancel();
    });

    describe.for(apis)('to $api', ({ isThere, startApi }) => {
      it.runIf(isThere)(
        'names the caller only by our headers, whatever characters are between the words of a name',
        async () => {
          const { id, organisation, secret } = await zone.givenToken();
          const [apiPort, port] = [await freePort(), await freePort()];
          const api = await startApi(apiPort);
          const before = await start(port, new URL(zone.origin).host, apiPort);
          try {
            const forged = Object.fromEntries(forgedNames.map((name) => [name, 'forged']));
            for (const connection of ['close', 'close, X-Organisation-Id, X-Token-Id']) {
              const headers = { ...forged, ...bearer(secret), connection };
              const answer = await call(`http://127.0.0.1:${port}/events`, { headers });
              expect(JSON.parse(answer.body)).toEqual({
                HTTP_X_ORGANISATION_ID: organisation,
                HTTP_X_ORGANISATION_PLAN: 'enterprise',
                HTTP_X_TOKEN_ACCESS: 'full',
                HTTP_X_TOKEN_ID: id,
              });
            }
            for (const announced of [true, false]) {
              const answer = await callWithTrailers(port, secret, announced);
              expect(answer).toContain(program === 'haproxy' ? ' 411 ' : organisation);
              expect(answer).not.toContain('forged');
            }
          } finally {
            await before.stop();
            await api.stop();
          }
        },
      );
    });

    describe('to an API that takes every protocol', () => {
      let api: Awaited<ReturnType<typeof startTunnelApi>>;
      let before: Child;
      let port: number;
      let token: GivenToken;
      beforeAll(async () => {
        api = await startTunnelApi();
        port = await freePort();
        before = await start(port, new URL(zone.origin).host, api.port);
        token = await zone.givenToken();
      });
      beforeEach(() => {
        api.heads.length = 0;
      });
      afterAll(async () => {
        await before?.stop();
        await api?.stop();
      });

      const request = (line: string, ...headers: string[]) =>
        [`${line} HTTP/1.1`, `Host: 127.0.0.1:${port}`, ...headers, '', ''].join('\r\n');
      const handshake = () => [
        `Authorization: Bearer ${token.secret}`,
        'Sec-WebSocket-Version: 13',
        `Sec-WebSocket-Key: ${KEY}`,
        'HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA',
        'Connection: Upgrade, HTTP2-Settings',
      ];
      const HEAD = /\r\n\r\n/;

      it.each([
        ['h2c', ['h2c']],
        ['h2c and WebSocket in two lines', ['h2c', 'websocket']],
        ['WebSocket and h2c in two lines', ['websocket', 'h2c']],
        ['both in one list', ['h2c, websocket']],
        ['WebSocket in capitals', ['WEBSOCKET']],
        ['a protocol whose name begins like WebSocket', ['websocket2']],
      ])('offers the API no protocol but WebSocket, whatever the caller offers: %s', async (_, protocols) => {
        const offers = protocols.map((protocol) => `Upgrade: ${protocol}`);
        const answer = await exchange(port, request('GET /mine', ...offers, ...handshake()), HEAD);
        expect(answer).toMatch(/^HTTP\/1\.1 (?:101|200) /);
        expect(api.heads).toHaveLength(1);
        const offered = api.heads[0]?.match(/^(?:upgrade|http2-settings|connection):.*$/gim) ?? [];
        const lines = offered.map((line) => line.toLowerCase()).toSorted();
        expect([[], ['connection: upgrade', 'upgrade: websocket']]).toContainEqual(lines);
      });

      // The file for nginx passes no upgrade on.
      it.skipIf(program === 'nginx')('opens a WebSocket with the identity of the caller', async () => {
        const answer = await exchange(
          port,
          request(
            'GET /socket',
            'Upgrade: websocket',
            'Connection: Upgrade, X-Organisation-Id',
            ...handshake().slice(0, 3),
          ),
          HEAD,
        );
        expect(answer).toMatch(/^HTTP\/1\.1 101 /);
        const lines = (api.heads[0]?.toLowerCase() ?? '').split('\r\n');
        expect(lines).toEqual(
          expect.arrayContaining([
            `x-organisation-id: ${token.organisation}`,
            'x-organisation-plan: enterprise',
            `x-token-id: ${token.id}`,
            'x-token-access: full',
            'upgrade: websocket',
          ]),
        );
      });

      const next = () =>
        request('GET /secret', 'X-Organisation-Id: victim', 'X-Token-Id: victim', 'Connection: close');
      it.each([
        ['as it is', () => [], next],
        [
          'with the next call as its body',
          () => [`Content-Length: ${next().length}`],
          () => `${next()}${next()}`,
        ],
        [
          'with the next call as its chunked body',
          () => ['Transfer-Encoding: chunked'],
          () => `${next().length.toString(16)}\r\n${next()}\r\n0\r\n\r\n${next()}`,
        ],
      ])('gets no CONNECT, %s, and no unverified call after it', async (_, framing, rest) => {
        const authorization = `Authorization: Bearer ${token.secret}`;
        const line = `CONNECT 127.0.0.1:${port}`;
        const answer = await exchange(port, request(line, authorization, ...framing()) + rest());
        const [first, ...others] = [...answer.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status);
        expect(['400', '405']).toContain(first);
        expect(others.filter((status) => status !== '401' && status !== '400')).toEqual([]);
        expect(api.heads).toEqual([]);
      });
    });

    it('answers 503 with Retry-After while the database cannot be read', async () => {
      const { secret } = await zone.givenToken();
      const db = await zone.miniflare.getD1Database('DB', ZONE);
      await db.prepare('ALTER TABLE tokens RENAME TO tokens_away').run();
      try {
        const answer = await call(`${origin}/events`, { headers: bearer(secret) });
        expect(answer.status).toBe(503);
        expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
        expect(answer.headers['www-authenticate']).toBeUndefined();
        expect(upstream.seen).toEqual([]);
      } finally {
        await db.prepare('ALTER TABLE tokens_away RENAME TO tokens').run();
      }
    });
  });
});

it('passes no call on when the Developer Zone itself cannot be reached', async () => {
  const nowhere = `127.0.0.1:${await freePort()}`;
  const { secret } = await zone.givenToken();
  const statuses: number[] = [];
  for (const { start } of gateways.filter((gateway) => gateway.isHere)) {
    const port = await freePort();
    const gateway = await start(port, nowhere, upstream.port);
    const answer = await call(`http://127.0.0.1:${port}/events`, {
      headers: { authorization: `Bearer ${secret}` },
    });
    await gateway.stop();
    statuses.push(answer.status);
  }
  expect([502, 503]).toEqual(expect.arrayContaining(statuses));
  expect(upstream.seen).toEqual([]);
});
