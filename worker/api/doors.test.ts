import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import type { Env } from '../deployment/env.ts';
import { ORIGIN, bearer, callAt, givenOrganisation, givenToken, slugOf } from '../test/harness.ts';

const CLIENT_SECRET = 'client-secret-for-tests-0123456789abcdef';
const EDGE_SECRET = 'edge-secret-for-tests-0123456789abcdefgh';

const callWith = (
  variables: Partial<Env>,
  path: string,
  init: RequestInit = {},
  origin = ORIGIN,
): Promise<Response> => callAt({ ...env, ...variables }, origin + path, init);

/** An upstream that keeps what it was sent and answers what it is told to. */
function upstream(answer: (request: Request) => Response | Promise<Response> = () => new Response('ok')) {
  const seen: Request[] = [];
  const fetcher = {
    fetch: async (request: Request) => {
      seen.push(request);
      return answer(request);
    },
  };
  // The one method of a service binding that is used.
  return { seen, UPSTREAM: fetcher as unknown as Fetcher };
}

/** No answer, until the call is given up. */
function untilStopped({ signal }: Request): Promise<Response> {
  return new Promise((_, reject) => {
    const stop = (): void => reject(new Error('stopped'));
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop);
  });
}

describe('the gateway', () => {
  it('forwards a good call with our identity headers, and neither the credential nor the caller’s own', async () => {
    const organisationId = await givenOrganisation();
    const token = await givenToken(organisationId);
    const { seen, UPSTREAM } = upstream();
    const answer = await callWith({ UPSTREAM, UPSTREAM_SECRET: EDGE_SECRET }, '/v1/events?page=2', {
      method: 'POST',
      body: 'hello',
      headers: {
        ...bearer(token.secret),
        'x-api-key': token.secret,
        cookie: 'a=b',
        'x-organisation-id': 'forged',
        x_organisation_id: 'forged',
        'x-token-id': 'forged',
        'x-edge-secret': 'forged',
        'x-http-method-override': 'DELETE',
        'content-type': 'text/plain',
      },
    });
    expect(answer.status).toBe(200);
    const [sent] = seen;
    expect(sent?.url).toBe('http://localhost/v1/events?page=2');
    expect(sent?.method).toBe('POST');
    expect(await sent?.text()).toBe('hello');
    const headers = Object.fromEntries(sent?.headers ?? []);
    expect(headers).toMatchObject({
      'content-type': 'text/plain',
      'x-edge-secret': EDGE_SECRET,
      'x-organisation-id': organisationId,
      'x-organisation-plan': 'enterprise',
      'x-request-id': answer.headers.get('x-request-id'),
      'x-token-id': token.id,
    });
    expect(JSON.stringify(headers)).not.toMatch(/forged|DELETE|a=b/);
    expect(JSON.stringify(headers)).not.toContain(token.secret);
  });

  it('passes on the headers of an answer by allow-list, with no-store and our own rules for browsers', async () => {
    const { secret } = await givenToken(await givenOrganisation());
    const { UPSTREAM } = upstream(
      () =>
        new Response('<p>', {
          status: 418,
          headers: {
            'content-type': 'text/html',
            etag: '"1"',
            'set-cookie': '__Host-session=planted; Secure; Path=/',
            'cache-control': 'public, max-age=3600',
            'access-control-allow-origin': '*',
            'clear-site-data': '"*"',
            location: 'http://localhost/v1/elsewhere',
          },
        }),
    );
    const answer = await callWith({ UPSTREAM }, '/v1/page', { headers: bearer(secret) });
    expect(answer.status).toBe(418);
    expect(await answer.text()).toBe('<p>');
    expect(answer.headers.get('etag')).toBe('"1"');
    expect(answer.headers.get('location')).toBe('/v1/elsewhere');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
    for (const name of ['set-cookie', 'access-control-allow-origin', 'clear-site-data']) {
      expect(answer.headers.has(name)).toBe(false);
    }
  });

  it('asks the upstream again for another organisation, whatever caching the first answer allowed', async () => {
    const { seen, UPSTREAM } = upstream(
      (request) =>
        new Response(request.headers.get('x-organisation-id'), {
          headers: { 'cache-control': 'max-age=3600' },
        }),
    );
    for (const organisation of [await givenOrganisation(), await givenOrganisation()]) {
      const { secret } = await givenToken(organisation);
      const answer = await callWith({ UPSTREAM }, '/v1/same', { headers: bearer(secret) });
      expect(await answer.text()).toBe(organisation);
    }
    expect(seen).toHaveLength(2);
    expect(seen.map(({ cache }) => cache)).toEqual(['no-store', 'no-store']);
  });

  it('streams: the first event arrives while the upstream still holds the second', async () => {
    const { secret } = await givenToken(await givenOrganisation());
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    const { UPSTREAM } = upstream(
      () => new Response(readable, { headers: { 'content-type': 'text/event-stream' } }),
    );
    const answer = await callWith({ UPSTREAM }, '/v1/stream', { headers: bearer(secret) });
    const reader = answer.body?.getReader();
    const first = reader?.read();
    await writer.write(new TextEncoder().encode('data: 1\n\n'));
    expect(new TextDecoder().decode((await first)?.value)).toBe('data: 1\n\n');
    const end = reader?.read();
    await writer.close();
    expect((await end)?.done).toBe(true);
  });

  it('refuses a bad token without asking the upstream', async () => {
    const { seen, UPSTREAM } = upstream();
    const answer = await callWith({ UPSTREAM }, '/v1/events', { headers: bearer('x') });
    expect(answer.status).toBe(401);
    expect(seen).toHaveLength(0);
  });

  it.each([
    '/v1//evil.example/x',
    '/v1/a%2fb',
    '/v1/a%5Cb',
    '/v1/a%00b',
    '/v1/a%0ab',
    '/v1/a%0D%0Ab',
    '/v1/..%2fadmin',
  ])('refuses the path %s', async (path) => {
    const { secret } = await givenToken(await givenOrganisation());
    const { seen, UPSTREAM } = upstream();
    const answer = await callWith({ UPSTREAM }, path, { headers: bearer(secret) });
    expect(answer.status).toBe(400);
    expect(await slugOf(answer)).toBe('not-forwardable');
    expect(seen).toHaveLength(0);
  });

  it('refuses an upgrade and unknown methods', async () => {
    const { secret } = await givenToken(await givenOrganisation());
    const { seen, UPSTREAM } = upstream();
    const upgrade = { headers: { ...bearer(secret), upgrade: 'websocket' } };
    expect((await callWith({ UPSTREAM }, '/v1/socket', upgrade)).status).toBe(400);
    const odd = await callWith({ UPSTREAM }, '/v1/x', { method: 'PROPFIND', headers: bearer(secret) });
    expect(odd.status).toBe(405);
    expect(odd.headers.get('allow')).toContain('PATCH');
    expect(seen).toHaveLength(0);
  });

  it('answers 502 when the upstream is down and 504 when it is slow', async () => {
    const { secret } = await givenToken(await givenOrganisation());
    const down = upstream(() => Promise.reject(new Error('no route to 10.1.2.3')));
    const first = await callWith({ UPSTREAM: down.UPSTREAM }, '/v1/x', { headers: bearer(secret) });
    expect(first.status).toBe(502);
    const text = await first.text();
    expect(text).toContain('upstream-unreachable');
    expect(text).not.toContain('10.1.2.3');
    const slow = upstream(untilStopped);
    const settings = { UPSTREAM: slow.UPSTREAM, UPSTREAM_TIMEOUT_MS: '50' };
    const second = await callWith(settings, '/v1/x', { headers: bearer(secret) });
    expect(second.status).toBe(504);
    expect(await slugOf(second)).toBe('upstream-timeout');
    // The time is used up: there is no second attempt.
    expect(slow.seen).toHaveLength(1);
  });

  it.each([
    ['GET', 2],
    ['HEAD', 2],
    ['POST', 1],
    ['DELETE', 1],
  ])('sends a %s to an upstream that breaks off %i times', async (method, times) => {
    const { secret } = await givenToken(await givenOrganisation());
    const { seen, UPSTREAM } = upstream(() => Promise.reject(new Error('reset')));
    const answer = await callWith({ UPSTREAM }, '/v1/x', { method, headers: bearer(secret) });
    expect(answer.status).toBe(502);
    expect(seen).toHaveLength(times);
  });

  it.each([401, 407])('answers 502 when the upstream refuses the edge: %i', async (status) => {
    const { secret } = await givenToken(await givenOrganisation());
    const { UPSTREAM } = upstream(() => new Response(null, { status }));
    const answer = await callWith({ UPSTREAM }, '/v1/x', { headers: bearer(secret) });
    expect(answer.status).toBe(502);
    expect(await slugOf(answer)).toBe('upstream-refused');
  });

  it('passes on a 401 of the upstream that asks the caller for more', async () => {
    const { secret } = await givenToken(await givenOrganisation());
    const headers = { 'www-authenticate': 'Bearer error="insufficient_scope"' };
    const { UPSTREAM } = upstream(() => new Response(null, { status: 401, headers }));
    expect((await callWith({ UPSTREAM }, '/v1/x', { headers: bearer(secret) })).status).toBe(401);
  });

  it('answers 502 when the upstream switches to a WebSocket', async () => {
    const { secret } = await givenToken(await givenOrganisation());
    const { UPSTREAM } = upstream(
      () => new Response(null, { status: 101, webSocket: new WebSocketPair()[0] }),
    );
    const answer = await callWith({ UPSTREAM }, '/v1/x', { headers: bearer(secret) });
    expect(answer.status).toBe(502);
    expect(await slugOf(answer)).toBe('upstream-unreachable');
  });

  it('passes on an answer of a bound Worker with a status that Cloudflare also uses', async () => {
    const { secret } = await givenToken(await givenOrganisation());
    const { UPSTREAM } = upstream(
      () => new Response('mine', { status: 522, headers: { server: 'cloudflare' } }),
    );
    const answer = await callWith({ UPSTREAM }, '/v1/x', { headers: bearer(secret) });
    expect([answer.status, await answer.text()]).toEqual([522, 'mine']);
  });

  it('sets no time limit for a body that goes on after the upstream has answered', async () => {
    const { secret } = await givenToken(await givenOrganisation());
    const { seen, UPSTREAM } = upstream(() => new Response('early'));
    const answered = Promise.withResolvers<void>();
    const body = new ReadableStream({
      type: 'bytes',
      pull: async (controller) => {
        await answered.promise;
        controller.enqueue(new Uint8Array(8));
      },
    });
    const settings = { UPSTREAM, UPSTREAM_TIMEOUT_MS: '1' };
    const answer = await callWith(settings, '/v1/x', { method: 'POST', headers: bearer(secret), body });
    expect(await answer.text()).toBe('early');
    answered.resolve();
    await scheduler.wait(50);
    expect(seen[0]?.signal.aborted).toBe(false);
  });

  it('answers 400 when the body of the caller breaks off', async () => {
    const { secret } = await givenToken(await givenOrganisation());
    const { UPSTREAM } = upstream(untilStopped);
    const body = new ReadableStream({
      type: 'bytes',
      pull: (controller) => controller.error(new Error('hung up')),
    });
    const answer = await callWith({ UPSTREAM }, '/v1/x', { method: 'POST', headers: bearer(secret), body });
    expect(answer.status).toBe(400);
    expect(await slugOf(answer)).toBe('not-forwardable');
  });
});

describe('forward-auth', () => {
  it.each(['GET', 'POST', 'DELETE', 'OPTIONS', 'PROPFIND'])(
    'accepts by %s, naming the caller',
    async (method) => {
      const organisationId = await givenOrganisation();
      const token = await givenToken(organisationId);
      const answer = await callWith({}, '/verify', { method, headers: bearer(token.secret) });
      expect(answer.status).toBe(200);
      expect(answer.headers.get('x-organisation-id')).toBe(organisationId);
      expect(answer.headers.get('x-organisation-plan')).toBe('enterprise');
      expect(answer.headers.get('x-token-id')).toBe(token.id);
    },
  );

  const NAMES = ['x-organisation-id', 'x-organisation-plan', 'x-token-id'];
  const PATHS = [
    '/',
    '/healthz',
    '/docs',
    '/docs/docs.css',
    '/openapi.json',
    '/llms.txt',
    '/sign-in',
    '/v1/ping',
    '/v1/events/7?page=2',
    '/verify',
    '/verify/../healthz',
    '/verify/%2e%2e/docs',
    '/results\\..\\..\\healthz',
    '/api/session',
    '/operator/organisations',
    '/introspect',
    '/robots.txt',
    '/favicon.svg',
    '/nowhere',
  ];

  it.each(PATHS)('is the only answer of the host of forward-auth: %s', async (path) => {
    const token = await givenToken(await givenOrganisation());
    for (const host of ['verify.example', 'verify.example:8443', 'verify.example.']) {
      const ask = (variables: Partial<Env>, init: RequestInit = {}) =>
        callWith({ VERIFY_HOST: 'verify.example', ...variables }, path, init, `https://${host}`);
      for (const method of ['GET', 'POST', 'OPTIONS']) {
        const good = await ask({}, { method, headers: bearer(token.secret) });
        expect([good.status, good.headers.get('x-token-id')]).toEqual([200, token.id]);
        const forged = await ask({}, { method, headers: { 'x-organisation-id': 'acme' } });
        expect([forged.status, ...NAMES.map((name) => forged.headers.get(name))]).toEqual([401, '', '', '']);
      }
      expect((await ask({ TAG_KEYS: '{}' })).status).toBe(503);
    }
  });

  it('is at exactly /verify on every other host; no path below it is answered by forward-auth', async () => {
    const { secret } = await givenToken(await givenOrganisation());
    const headers = bearer(secret);
    for (const host of ['localhost', 'verify.example.evil.example', 'another.verify.example']) {
      const ask = (path: string) =>
        callWith({ VERIFY_HOST: 'verify.example', ORIGINS: '' }, path, { headers }, `https://${host}`);
      for (const path of ['/verify/', '/verify/events/7', '/verify/../verify/x', '/verifyevents']) {
        expect((await ask(path)).status).toBe(404);
      }
      expect((await ask('/verify')).status).toBe(200);
      expect((await ask('/healthz')).status).toBe(200);
    }
  });

  it.each([
    ['no credential', {}, 401],
    ['a malformed one, which nginx would turn into a 500', { authorization: 'Bearer a, Bearer b' }, 401],
    ['an unknown token', { authorization: 'Bearer x' }, 401],
  ])('refuses %s with empty identity headers', async (_, headers, status) => {
    const answer = await callWith({}, '/verify', { headers: { ...headers, 'x-organisation-id': 'forged' } });
    expect(answer.status).toBe(status);
    for (const name of ['x-organisation-id', 'x-organisation-plan', 'x-token-id']) {
      expect(answer.headers.get(name)).toBe('');
    }
    expect(answer.headers.get('www-authenticate')).toContain('Bearer realm="api"');
  });

  it('answers 403 for an organisation that is no longer on Enterprise, and 503 when the database cannot be reached', async () => {
    const { secret } = await givenToken(await givenOrganisation('pro'));
    const other = await callWith({}, '/verify', { headers: bearer(secret) });
    expect(other.status).toBe(403);
    expect(other.headers.get('x-organisation-id')).toBe('');
    const broken = await callWith({ TAG_KEYS: '{}' }, '/verify', { headers: bearer(secret) });
    expect(broken.status).toBe(503);
    expect(broken.headers.get('x-organisation-id')).toBe('');
    expect(broken.headers.has('retry-after')).toBe(true);
  });
});

describe('introspection', () => {
  const settings = { INTROSPECTION_CLIENTS: JSON.stringify({ 'my client': CLIENT_SECRET }) };
  const FORM = 'application/x-www-form-urlencoded';
  const good = { authorization: `Basic ${btoa(`my+client:${CLIENT_SECRET}`)}`, 'content-type': FORM };

  const encode = (text: string) => String(new URLSearchParams({ '': text })).slice(1);
  const utf8 = (text: string) => String.fromCharCode(...new TextEncoder().encode(text));

  function introspect(body: string, headers: Record<string, string> = good): Promise<Response> {
    return callWith(settings, '/introspect', { method: 'POST', headers, body });
  }

  it('answers a client about a good token', async () => {
    const organisationId = await givenOrganisation();
    const token = await givenToken(organisationId);
    const answer = await introspect(`token=${token.secret}&token_type_hint=access_token`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(await answer.json()).toEqual({
      active: true,
      sub: organisationId,
      client_id: token.id,
      token_type: 'Bearer',
      scope: 'full',
      iat: expect.any(Number),
      iss: 'http://localhost',
    });
  });

  it('answers exactly {"active":false} about every other token', async () => {
    const inactive = await givenToken(await givenOrganisation(), false);
    const downgraded = await givenToken(await givenOrganisation('trial'));
    for (const token of [inactive.secret, downgraded.secret, 'x']) {
      expect(await (await introspect(`token=${token}`)).text()).toBe('{"active":false}');
    }
  });

  it.each([
    ['form-encoded, as RFC 6749 has it', (id: string, secret: string) => [encode(id), encode(secret)]],
    ['as they are', (id: string, secret: string) => [id, secret]],
  ])('knows a client whose id and secret are sent %s', async (_, spelled) => {
    for (const [id, secret] of [
      ['gateway', 'kXv+9/4a=Zq%2B0dL1Yw==abcdefghijklmn'],
      ['my client', 'a secret: 100% made up, for these tests + no others'],
      ['Läufer', 'ein Geheimnis mit Umlauten: äöü ß 0123456789'],
    ] as const) {
      const [one = '', two = ''] = spelled(id, secret);
      for (const basic of [utf8(`${one}:${two}`), `${one}:${two}`]) {
        const answer = await callWith(
          { INTROSPECTION_CLIENTS: JSON.stringify({ [id]: secret }) },
          '/introspect',
          {
            method: 'POST',
            headers: { authorization: `Basic ${btoa(basic)}`, 'content-type': FORM },
            body: 'token=x',
          },
        );
        expect(await answer.text()).toBe('{"active":false}');
      }
    }
  });

  it('accepts the credential of a client in the form too, and only HTTP Basic when that is sent', async () => {
    const fields = new URLSearchParams({ token: 'x', client_id: 'my client', client_secret: CLIENT_SECRET });
    const byForm = await introspect(String(fields), { 'content-type': FORM });
    expect(await byForm.text()).toBe('{"active":false}');
    const beside = { 'content-type': FORM, authorization: `Basic ${btoa('a:b')}` };
    expect((await introspect(String(fields), beside)).status).toBe(401);
    fields.set('client_secret', `${CLIENT_SECRET}x`);
    expect((await introspect(String(fields), { 'content-type': FORM })).status).toBe(401);
  });

  it('names the error as RFC 6749 does', async () => {
    const error = async (answer: Response) => (await answer.json<{ error: string }>()).error;
    expect(await error(await introspect('token=x', { 'content-type': FORM }))).toBe('invalid_client');
    expect(await error(await introspect('token='))).toBe('invalid_request');
    expect(await error(await introspect(`token=${'x'.repeat(17_000)}`))).toBe('invalid_request');
  });

  it.each([
    ['no client', {}],
    ['a wrong secret', { authorization: `Basic ${btoa(`my+client:${'x'.repeat(40)}`)}` }],
    ['an unknown client', { authorization: `Basic ${btoa(`toString:${CLIENT_SECRET}`)}` }],
    ['a bearer token', { authorization: `Bearer ${CLIENT_SECRET}` }],
    ['broken percent-encoding', { authorization: `Basic ${btoa('%:%')}` }],
  ])('refuses %s', async (_, headers) => {
    const answer = await introspect('token=x', { 'content-type': FORM, ...headers });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toContain('Basic realm="introspection"');
  });

  it('refuses other bodies, and names the field', async () => {
    const missing = await introspect('tok=x');
    expect(missing.status).toBe(422);
    expect((await missing.json<{ detail: string }>()).detail).toContain('"token"');
    expect((await introspect('token=x&token=y')).status).toBe(422);
    expect((await introspect('{}', { ...good, 'content-type': 'application/json' })).status).toBe(422);
    expect((await introspect(`token=${'x'.repeat(17_000)}`)).status).toBe(413);
  });

  it('answers 404 when no client is configured, and accepts only POST when one is', async () => {
    expect(
      (await callWith({}, '/introspect', { method: 'POST', headers: good, body: 'token=x' })).status,
    ).toBe(404);
    const wrong = await callWith(settings, '/introspect', { headers: good });
    expect(wrong.status).toBe(405);
    expect(wrong.headers.get('allow')).toBe('POST');
  });

  it('limits a client that guesses secrets', async () => {
    const guess = { 'content-type': FORM, authorization: `Basic ${btoa('a:b')}` };
    const limited = {
      ...settings,
      FAILED_LOGINS_PER_CLIENT: {
        limit: ({ key }: { key: string }) => {
          keys.push(key);
          return Promise.resolve({ success: false });
        },
      },
    };
    const keys: string[] = [];
    const address = { 'cf-connecting-ip': '2001:db8:1:2::5' };
    const init = { method: 'POST', headers: { ...guess, ...address }, body: 'token=x' };
    const answer = await callWith(limited, '/introspect', init);
    expect(keys).toEqual(['2001:db8:1:2::/64']);
    const known = { method: 'POST', headers: { ...good, ...address }, body: 'token=x' };
    expect((await callWith(limited, '/introspect', known)).status).toBe(200);
    expect(keys).toHaveLength(1);
    expect(answer.status).toBe(429);
    expect(answer.headers.get('retry-after')).toBe('60');
  });
});

describe('a deployment that is set up wrongly', () => {
  it.each([
    ['UPSTREAM_URL', 'not a url'],
    ['UPSTREAM_URL', 'https://api.example/path'],
    ['UPSTREAM_URL', 'file:///etc/passwd'],
    ['UPSTREAM_URL', 'http://api.example'],
    ['ORIGINS', 'zone.example'],
    ['ORIGINS', 'http://zone.example'],
    ['ORIGINS', 'https://zone.example/'],
    ['ORIGINS', 'https://ZONE.example'],
    ['ORIGINS', 'https://zone.example:443'],
    ['ORIGINS', 'https://zone.example,,https://b.example'],
    ['ORIGINS', 'https://*.zone.example'],
    ['HSTS_SUBDOMAINS', 'true'],
    ['CONTACT_URL', 'javascript:alert(1)'],
    ['UPSTREAM_TIMEOUT_MS', 'soon'],
    ['REVOCATION_LEASE_MS', '-77'],
    ['JURISDICTION', 'mars'],
    ['JURISDICTION', 'EU'],
    ['HUB_LEASE_MS', 'often'],
    // Shorter than the lease of its own isolates (100 ms in these tests).
    ['HUB_LEASE_MS', '99'],
    ['DATABASE_EPOCH', '-1'],
    ['DATABASE_EPOCH', 'second'],
    ['REVOCATION_LEASE_MS_BEFORE', '1s'],
    ['HUB_LEASE_MS_BEFORE', '10s'],
    ['OPERATOR_SECRET', 'x'.repeat(31)],
    ['OPERATOR_SECRET', 'thirty two characters with spaces'],
    ['OPERATOR_SECRET', `${'x'.repeat(32)}ü`],
    ['OPERATOR_SECRET_NEXT', 'x'.repeat(31)],
    ['OPERATOR_SECRET_NEXT', `${'x'.repeat(32)} `],
    ['UPSTREAM_SECRET', 'too-short'],
    ['VERIFY_HOST', 'https://verify.example'],
    ['VERIFY_HOST', 'verify.example:8443'],
    ['VERIFY_HOST', 'verify.example/verify'],
    ['VERIFY_HOST', 'Verify.example'],
    ['VERIFY_HOST', 'verify.example.'],
    ['VERIFY_HOST', 'two hosts'],
    ['UPSTREAM_SECRET', `${'x'.repeat(32)}\n`],
    ['CORS_ORIGINS', 'https://site.example/path'],
    ['CORS_ORIGINS', 'site.example'],
    ['CORS_ORIGINS', 'capacitor://localhost/path'],
    ['CORS_ORIGINS', 'javascript:alert(1)'],
    ['CORS_ORIGINS', 'https://Site.example'],
    ['UPSTREAM_REQUEST_HEADERS', 'X_Token_Id'],
    ['UPSTREAM_REQUEST_HEADERS', 'x-*-y'],
    ['UPSTREAM_ANSWER_HEADERS', 'Set-Cookie'],
    ['INTROSPECTION_CLIENTS', 'no-json'],
    ['INTROSPECTION_CLIENTS', '{"a":"too-short"}'],
    ['OIDC_ISSUER', 'http://issuer.example'],
    ['TAG_KEYS', '{"1":"too-short"}'],
    ['LIBSQL_URL', 'no url'],
    ['LIBSQL_URL', 'http://database.example'],
    ['LIBSQL_URL', 'wss://database.example'],
    ['LIBSQL_URL', 'libsql://database.example?authToken=abc'],
    ['LIBSQL_URL', 'https://user:word@database.example'],
    // A good one: these tests run the Worker for D1.
    ['LIBSQL_URL', 'libsql://database.example'],
  ])('names %s, and never its value %s', async (name, value) => {
    const answer = await callWith({ [name]: value }, '/v1/ping');
    expect(answer.status).toBe(500);
    // The id is random, and may hold a short value by chance.
    const { requestId, ...problem } = await answer.json<Record<string, unknown>>();
    const text = JSON.stringify(problem);
    expect(requestId).not.toBe(value);
    expect(text).toContain('#misconfigured');
    expect(text).toContain(name);
    expect(text).not.toContain(value);
    // Where the host of forward-auth cannot be told, it may be this one, and a 200 would let a call pass.
    expect((await callWith({ [name]: value }, '/healthz')).status).toBe(name === 'VERIFY_HOST' ? 500 : 200);
  });

  it('says what to do when a Worker was built for D1 and LIBSQL_URL is set', async () => {
    const answer = await callWith({ LIBSQL_URL: 'libsql://database.example' }, '/v1/ping');
    expect(await answer.json()).toMatchObject({
      detail: expect.stringContaining('Run "npm run deploy" with LIBSQL_URL in its environment') as string,
    });
  });
});
