// A limited token at every place that verifies: /v1 and the API behind it, forward-auth, introspection and RPC.
import { createExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { openDeployment } from '../deployment/deployment.ts';
import type { Env } from '../deployment/env.ts';
import { Verifier } from '../index.ts';
import type { VerifiedCall } from '../verifier.ts';
import { bearer, callAt, givenOrganisation, givenToken } from '../test/harness.ts';

const CLIENT_SECRET = 'client-secret-for-tests-0123456789abcdef';
const VERIFY_SECRET = 'verify-secret-for-tests-0123456789abcdefg';
const SHOP = 'https://shop.example';

type Columns = {
  access?: string;
  paths?: string[];
  networks?: string[];
  origins?: string[];
  expires_at?: string;
};

/** A token with these columns, and every way to ask about it in a deployment of its own. */
async function given(columns: Columns, settings: Partial<Env> = {}) {
  const { id, secret } = await givenToken(await givenOrganisation());
  for (const [name, value] of Object.entries(columns)) {
    const written = Array.isArray(value) ? JSON.stringify(value) : value;
    await env.DB.prepare(`UPDATE tokens SET ${name} = ? WHERE id = ?`).bind(written, id).run();
  }
  const sent: Request[] = [];
  const upstream = {
    fetch: async (request: Request) => {
      sent.push(request);
      return new Response('from the API');
    },
  };
  const deployment: Env = {
    ...env,
    INTROSPECTION_CLIENTS: JSON.stringify({ client: CLIENT_SECRET }),
    VERIFY_SECRET,
    // The one method of a service binding that is used.
    UPSTREAM: upstream as unknown as Fetcher,
    ...settings,
  };
  const ask = (path: string, init: RequestInit) => callAt(deployment, path, init);
  return {
    id,
    sent,
    call: (method: string, path: string, headers: Record<string, string> = {}) =>
      ask(path, { method, headers: { ...bearer(secret), ...headers } }),
    verify: (headers: Record<string, string>, path = '/verify', method = 'GET') =>
      ask(path, { method, headers: { ...bearer(secret), ...headers } }),
    introspect: async (fields: Record<string, string> | string[][] = {}) => {
      const headers = {
        authorization: `Basic ${btoa(`client:${CLIENT_SECRET}`)}`,
        'content-type': 'application/x-www-form-urlencoded',
      };
      const body = new URLSearchParams(fields);
      body.set('token', secret);
      return (await ask('/introspect', { method: 'POST', headers, body: body.toString() })).json<
        Record<string, unknown>
      >();
    },
    rpc: (call?: VerifiedCall) => new Verifier(createExecutionContext(), deployment).verify(secret, call),
  };
}

async function problemOf(answer: Response) {
  const { type, detail } = await answer.json<{ type: string; detail?: string }>();
  return { status: answer.status, slug: type.split('#')[1], detail };
}

describe('read access', () => {
  it('reads through the gateway; other calls do not reach the API', async () => {
    const { call, sent } = await given({ access: 'read' });
    for (const method of ['GET', 'HEAD']) expect((await call(method, '/v1/events')).status).toBe(200);
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      const answer = await call(method, '/v1/events');
      expect(answer.headers.get('www-authenticate')).toBe(
        'Bearer realm="api", error="insufficient_scope", scope="full"',
      );
      expect(await problemOf(answer)).toMatchObject({ status: 403, slug: 'access-denied' });
    }
    expect(sent.map(({ method, headers }) => [method, headers.get('x-token-access')])).toEqual([
      ['GET', 'read'],
      ['HEAD', 'read'],
    ]);
  });

  it('is not widened by a header or a query that asks for another method', async () => {
    const { call, sent } = await given({ access: 'read' });
    const headers = {
      'x-http-method-override': 'GET',
      'x-original-method': 'GET',
      'x-forwarded-method': 'GET',
    };
    expect((await call('POST', '/v1/events?_method=GET', headers)).status).toBe(403);
    expect(
      (await call('GET', '/v1/events?_method=DELETE', { 'x-http-method-override': 'DELETE' })).status,
    ).toBe(200);
    expect(sent[0]?.headers.has('x-http-method-override')).toBe(false);
  });

  it('makes the calls that READ_REQUESTS names', async () => {
    const { call, verify, rpc } = await given(
      { access: 'read' },
      { READ_REQUESTS: 'POST /v1/events/*/faces' },
    );
    expect((await call('POST', '/v1/events/7/faces')).status).toBe(200);
    expect((await call('POST', '/v1/events/7/faces/1')).status).toBe(403);
    expect((await call('PUT', '/v1/events/7/faces')).status).toBe(403);
    const asked = (method: string) =>
      verify({ 'x-original-method': method, 'x-original-uri': '/v1/events/7/faces?x=1' });
    expect([(await asked('POST')).status, (await asked('DELETE')).status]).toEqual([200, 403]);
    expect(await rpc({ method: 'POST', path: '/v1/events/7/faces' })).toMatchObject({
      ok: true,
      access: 'read',
    });
  });

  it('is told to the API, and full access too', async () => {
    const { call, sent, verify, introspect } = await given({});
    await call('DELETE', '/v1/events');
    expect(sent[0]?.headers.get('x-token-access')).toBe('full');
    expect((await verify({})).headers.get('x-token-access')).toBe('full');
    expect(await introspect()).toMatchObject({ active: true, scope: 'full' });
  });
});

describe('paths', () => {
  it.each([
    ['/v1/events', 200],
    ['/v1/events/7', 200],
    ['/v1/events?page=2', 200],
    ['/v1/events/', 200],
    ['/v1/eventsmore', 403],
    ['/v1/Events', 403],
    ['/v1/%65vents', 403],
    ['/v1/ping', 403],
    ['/v1/token', 403],
    ['/v1/events/../faces', 403],
    ['/v1/events/%2e%2e/faces', 403],
    ['/v1/events/..%2ffaces', 400],
  ])('/v1/events: %s is answered %i', async (path, status) => {
    const { call, sent } = await given({ paths: ['/v1/events'] });
    expect((await call('GET', path)).status).toBe(status);
    expect(sent).toHaveLength(status === 200 ? 1 : 0);
  });
});

describe('forward-auth', () => {
  it.each([
    ['nginx', { 'x-original-method': 'GET', 'x-original-uri': '/v1/events?x=1' }, 200],
    ['Caddy and Traefik', { 'x-forwarded-method': 'GET', 'x-forwarded-uri': '/v1/events?x=1' }, 200],
    ['a call that is no read', { 'x-original-method': 'POST', 'x-original-uri': '/v1/events' }, 403],
    ['another path', { 'x-original-method': 'GET', 'x-original-uri': '/v1/faces' }, 403],
    ['a path that steps up', { 'x-original-method': 'GET', 'x-original-uri': '/v1/events/../faces' }, 403],
    ['a whole URL', { 'x-original-method': 'GET', 'x-original-uri': 'http://x/v1/events' }, 403],
    [
      'two headers that agree',
      { 'x-original-method': 'GET', 'x-forwarded-method': 'GET', 'x-original-uri': '/v1/events' },
      200,
    ],
  ])('takes the call that the gateway holds from its headers: %s', async (_, headers, status) => {
    const { verify } = await given({ access: 'read', paths: ['/v1/events'] });
    const answer = await verify(headers);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('x-token-access')).toBe(status === 200 ? 'read' : '');
  });

  it.each([
    [
      'nothing',
      {},
      'Header "X-Original-Method": missing. The token is limited, and the gateway must send it. Header "X-Original-URI": missing. The token is limited, and the gateway must send it',
    ],
    [
      'two paths',
      { 'x-original-method': 'GET', 'x-original-uri': '/v1/events/1, /v1/faces' },
      'Header "X-Original-URI": not a path that every server reads alike',
    ],
    [
      'no path',
      { 'x-original-method': 'GET' },
      'Header "X-Original-URI": missing. The token is limited, and the gateway must send it',
    ],
    [
      'a method of the gateway, and one of the caller',
      { 'x-original-method': 'GET', 'x-forwarded-method': 'POST', 'x-original-uri': '/v1/events' },
      'Headers "X-Original-Method" and "X-Forwarded-Method": they differ',
    ],
    [
      'a path of the gateway, and one of the caller',
      { 'x-original-method': 'GET', 'x-original-uri': '/v1/events', 'x-forwarded-uri': '/v1/faces' },
      'Headers "X-Original-URI" and "X-Forwarded-Uri": they differ',
    ],
    [
      'a path that servers read differently',
      { 'x-original-method': 'GET', 'x-original-uri': '/v1/events/..%2ffaces' },
      'Header "X-Original-URI": not a path that every server reads alike',
    ],
  ])(
    'refuses a limited token where the gateway says %s, and names the header',
    async (_, headers, detail) => {
      const { verify } = await given({ access: 'read', paths: ['/v1/events'] });
      expect(await problemOf(await verify(headers))).toEqual({ status: 403, slug: 'access-denied', detail });
    },
  );

  it('accepts a token without limits whatever the gateway says of the call', async () => {
    const { verify } = await given({});
    expect((await verify({ 'x-original-method': 'POST', 'x-forwarded-method': 'GET' })).status).toBe(200);
  });

  it('takes the path and the method of Envoy, which stand behind /verify on a host of its own', async () => {
    const { verify } = await given({ access: 'read', paths: ['/v1/events'] }, { VERIFY_HOST: 'localhost' });
    expect((await verify({}, '/verify/v1/events/7')).status).toBe(200);
    expect((await verify({}, '/verify/v1/events', 'DELETE')).status).toBe(403);
    expect((await verify({}, '/verify/v1/faces')).status).toBe(403);
    const forged = { 'x-original-method': 'GET', 'x-original-uri': '/v1/events' };
    expect((await verify(forged, '/verify/v1/faces', 'DELETE')).status).toBe(403);
  });
});

describe('networks', () => {
  const OFFICE = { networks: ['203.0.113.0/24', '2001:db8::/32'] };
  it.each([
    ['203.0.113.7', 200],
    ['::ffff:203.0.113.7', 200],
    ['2001:db8::7', 200],
    ['203.0.114.7', 401],
    ['2001:db9::7', 401],
    ['unknown', 401],
  ])('are compared with the address that Cloudflare sets: %s is answered %i', async (address, status) => {
    const { call } = await given(OFFICE);
    const forged = {
      'x-client-ip': '203.0.113.7',
      'x-forwarded-for': '203.0.113.7',
      'x-real-ip': '203.0.113.7',
    };
    expect((await call('GET', '/v1/ping', { 'cf-connecting-ip': address, ...forged })).status).toBe(status);
  });

  it.each([
    ['a gateway that proves itself', { 'x-client-ip': '203.0.113.7', 'x-verify-secret': VERIFY_SECRET }, 200],
    ['a caller outside', { 'x-client-ip': '203.0.114.7', 'x-verify-secret': VERIFY_SECRET }, 401],
    ['another secret', { 'x-client-ip': '203.0.113.7', 'x-verify-secret': 'x'.repeat(40) }, 401],
    ['no secret', { 'x-client-ip': '203.0.113.7' }, 401],
    [
      'a list of addresses',
      { 'x-client-ip': '203.0.113.7, 10.0.0.1', 'x-verify-secret': VERIFY_SECRET },
      401,
    ],
    ['other headers', { 'x-forwarded-for': '203.0.113.7', 'x-verify-secret': VERIFY_SECRET }, 401],
    ['its own address alone', { 'cf-connecting-ip': '203.0.113.7', 'x-verify-secret': VERIFY_SECRET }, 401],
  ])('behind a gateway are compared with X-Client-IP: %s', async (_, headers, status) => {
    const { verify } = await given(OFFICE);
    const answer = await verify(headers);
    expect(answer.status).toBe(status);
  });

  it('keep refused addresses with the token, and no other address anywhere', async () => {
    const { call, verify, id } = await given(OFFICE);
    await call('GET', '/v1/ping', { 'cf-connecting-ip': '203.0.113.7' });
    await call('GET', '/v1/ping', { 'cf-connecting-ip': '203.0.114.7' });
    await verify({ 'x-client-ip': '::ffff:203.0.114.8', 'x-verify-secret': VERIFY_SECRET });
    await verify({ 'x-client-ip': '203.0.114.9' });
    await call('GET', '/v1/ping', { 'cf-connecting-ip': 'unknown' });
    const read = async () => {
      await openDeployment(env).haveHubsWrite();
      const { results } = await env.DB.prepare(
        'SELECT address FROM refused_addresses WHERE token_id = ? ORDER BY 1',
      )
        .bind(id)
        .all<{ address: string }>();
      return results.map(({ address }) => address);
    };
    // What an isolate counted is told to the hub within ten seconds.
    await expect.poll(read, { timeout: 30_000, interval: 500 }).toEqual(['203.0.114.7/32', '203.0.114.8/32']);
  });

  it('always refuse behind a gateway if VERIFY_SECRET is not set', async () => {
    const { verify } = await given(OFFICE, { VERIFY_SECRET: '' });
    expect((await verify({ 'x-client-ip': '203.0.113.7', 'x-verify-secret': '' })).status).toBe(401);
  });

  it('refuse with the same answer as every bad token', async () => {
    const { call } = await given(OFFICE);
    const outside = await call('GET', '/v1/ping', { 'cf-connecting-ip': '203.0.114.7' });
    const bad = await call('GET', '/v1/ping', bearer('9p'));
    const bodyOf = async (answer: Response) => ({ ...(await answer.json<object>()), requestId: '' });
    expect(await bodyOf(outside)).toEqual(await bodyOf(bad));
    expect(outside.headers.get('www-authenticate')).toBe(bad.headers.get('www-authenticate'));
  });
});

describe('websites', () => {
  it.each([
    [{ origin: SHOP }, 200],
    [{}, 200],
    [{ referer: 'https://other.example/' }, 200],
    [{ origin: 'https://other.example' }, 401],
    [{ origin: 'https://shop.example.evil.example' }, 401],
    [{ origin: 'http://shop.example' }, 401],
    [{ origin: 'null' }, 401],
    [{ origin: 'none' }, 401],
    [{ origin: 'https://other.example', referer: `${SHOP}/` }, 401],
  ])('are compared with the Origin exactly: %j is answered %i', async (headers, status) => {
    const { call, verify } = await given({ origins: [SHOP] });
    expect((await call('GET', '/v1/ping', headers)).status).toBe(status);
    expect((await verify({ 'x-original-method': 'GET', ...headers })).status).toBe(status);
  });
});

it('refuse behind a gateway that does not describe the call, because it may not send the website either', async () => {
  const { verify } = await given({ origins: [SHOP] });
  expect((await verify({})).status).toBe(401);
  expect((await verify({ origin: SHOP })).status).toBe(200);
});

describe('introspection', () => {
  it('answers access, paths and end', async () => {
    const { introspect } = await given({
      access: 'read',
      paths: ['/v1/a', '/v1/b'],
      expires_at: '2090-01-01T00:00:00.000Z',
    });
    expect(await introspect()).toMatchObject({
      active: true,
      scope: 'read path:/v1/a path:/v1/b',
      exp: Date.parse('2090-01-01T00:00:00.000Z') / 1000,
    });
  });

  it('refuses a field that is given twice', async () => {
    const { introspect } = await given({ networks: ['203.0.113.0/24'] });
    expect(
      await introspect([
        ['ip', '203.0.113.7'],
        ['ip', '8.8.8.8'],
      ]),
    ).toMatchObject({ detail: 'Field "ip": given twice' });
  });

  it('says that a token with networks or websites is active only if it is told the caller’s address and website', async () => {
    const { introspect } = await given({ networks: ['203.0.113.0/24'], origins: [SHOP] });
    const inactive = { active: false };
    expect(await introspect()).toEqual(inactive);
    expect(await introspect({ ip: '203.0.113.7' })).toEqual(inactive);
    expect(await introspect({ ip: '203.0.114.7', origin: SHOP })).toEqual(inactive);
    expect(await introspect({ ip: '203.0.113.7', origin: 'https://other.example' })).toEqual(inactive);
    expect(await introspect({ ip: '203.0.113.7', origin: SHOP })).toMatchObject({ active: true });
    expect(await introspect({ ip: '203.0.113.7', origin: '' })).toMatchObject({ active: true });
  });
});

describe('RPC', () => {
  const ALL = { access: 'read', paths: ['/v1/a'], networks: ['203.0.113.0/24'], origins: [SHOP] };
  const GOOD: VerifiedCall = { method: 'GET', path: '/v1/a', ip: '203.0.113.7', origin: null };

  it('accepts a limited token if it is told all that the limits need', async () => {
    const { rpc, id } = await given(ALL);
    expect(await rpc(GOOD)).toMatchObject({ ok: true, tokenId: id, access: 'read' });
    expect(await rpc({ ...GOOD, origin: SHOP })).toMatchObject({ ok: true });
  });

  it.each([
    '/v1/a/../b',
    '/v1/a/..%2fb',
    '/v1/a/%2e%2e/b',
    '/v1/a/..;/b',
    '/v1/a//../b',
    '/v1/a/..\\\\b',
    '/v1/a/ ../b',
  ])('refuses a path that some server reads as another one: %s', async (path) => {
    const { rpc } = await given({ paths: ['/v1/a'] });
    expect(await rpc({ method: 'GET', path: '/v1/a/7?x=/../1' })).toMatchObject({ ok: true });
    expect(await rpc({ method: 'GET', path })).toMatchObject({ ok: false, reason: 'access-denied' });
  });

  it.each([
    ['nothing', undefined, 'invalid-token'],
    ['null', null, 'invalid-token'],
    ['no address', { ...GOOD, ip: undefined }, 'invalid-token'],
    ['no origin', { method: 'GET', path: '/v1/a', ip: '203.0.113.7' }, 'invalid-token'],
    ['no path', { ...GOOD, path: undefined }, 'access-denied'],
    ['no method', { ...GOOD, method: undefined }, 'access-denied'],
    ['what is no text', { ...GOOD, ip: 7 }, 'invalid-token'],
    ['a write', { ...GOOD, method: 'POST' }, 'access-denied'],
    ['another path', { ...GOOD, path: '/v1/b' }, 'access-denied'],
    ['a path that steps up', { ...GOOD, path: '/v1/a/../b' }, 'access-denied'],
    ['a path that servers read in different ways', { ...GOOD, path: '/v1/a/..%2fb' }, 'access-denied'],
    ['another origin', { ...GOOD, origin: 'https://other.example' }, 'invalid-token'],
  ])('refuses it where it is told %s', async (_, call, reason) => {
    const { rpc } = await given(ALL);
    // Another Worker may send anything.
    expect(await rpc(call as unknown as VerifiedCall)).toMatchObject({ ok: false, reason });
  });
});
