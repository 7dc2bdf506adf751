// Calls that are forwarded to the upstream: what it gets, what the caller gets, and what is never forwarded.
import { describe, expect, it } from 'vitest';
import { bearer, callWith, givenOrganisation, givenToken, slugOf } from '../test/harness.ts';

const EDGE_SECRET = 'edge-secret-for-tests-0123456789abcdefgh';

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
