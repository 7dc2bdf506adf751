// Requests that no client library sends, as bytes to the deployed bundle in workerd: headers twice, empty, folded, with
// control characters; tokens in wrong places; unusual methods; and request smuggling.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDeployment, type Deployment } from './deployment.ts';
import type { GivenToken } from './member.ts';
import { emptyDeployment, SETTINGS } from './isolates.ts';
import { sendBytes, type Reply } from './raw.ts';

/** A second deployment, which is not in local mode and has its own address. */
const DEPLOYED = 'deployed';

let zone: Deployment;
let token: GivenToken;
let port: number;

beforeAll(async () => {
  const { LOCAL_MODE: _, ...deployed } = SETTINGS;
  // One of the calls has the token in its URL, which must not end the token for the others.
  zone = await startDeployment({ EXPOSED_TOKENS: 'record' }, [
    emptyDeployment(DEPLOYED, { ...deployed, ORIGINS: 'https://zone.example' }),
  ]);
  token = await zone.givenToken();
  port = Number(new URL(zone.origin).port);
});
afterAll(() => zone?.stop());

/** `SECRET` is replaced by the secret of a good token. */
function send(method: string, path: string, lines: string[], body = ''): Promise<Reply> {
  const head = [`${method} ${path} HTTP/1.1`, `Host: 127.0.0.1:${port}`, 'Connection: close', ...lines];
  return sendBytes(port, `${head.join('\r\n')}\r\n\r\n${body}`.replaceAll('SECRET', token.secret));
}

const slugOf = ({ body }: Reply): string | undefined => /"type":"[^"]*#([\w-]+)"/.exec(body)?.[1];

describe('a credential', () => {
  it.each([
    ['as the RFC writes it', ['Authorization: Bearer SECRET']],
    ['with its scheme in small letters', ['authorization: bearer SECRET']],
    ['with its scheme in capitals', ['AUTHORIZATION: BEARER SECRET']],
    ['after more than one space', ['Authorization: Bearer   SECRET']],
    ['with space around the value, which is no part of it', ['Authorization:\t Bearer SECRET \t']],
    ['in X-API-Key', ['X-API-Key: SECRET']],
    ['in both headers alike', ['Authorization: Bearer SECRET', 'X-API-Key: SECRET']],
  ])('is read %s', async (_, lines) => {
    expect((await send('GET', '/v1/ping', lines)).status).toBe(200);
  });

  it.each([
    ['in two Authorization headers', ['Authorization: Bearer SECRET', 'Authorization: Bearer SECRET']],
    ['beside another scheme', ['Authorization: Basic YTpi', 'Authorization: Bearer SECRET']],
    ['in a list', ['Authorization: Bearer SECRET, Bearer SECRET']],
    ['in two X-API-Key headers', ['X-API-Key: SECRET', 'X-API-Key: SECRET']],
    ['after a TAB', ['Authorization: Bearer\tSECRET']],
    ['after a no-break space', ['Authorization: Bearer\u00A0SECRET']],
    ['after a no-break space in UTF-8', ['Authorization: Bearer\u00C2\u00A0SECRET']],
    ['in quotes', ['Authorization: Bearer "SECRET"']],
    ['with a vertical tab', ['Authorization: Bearer \u000BSECRET']],
    ['with DEL at its end', ['Authorization: Bearer SECRET\u007F']],
    ['that is a scheme and nothing more', ['Authorization: Bearer']],
  ])('is malformed %s', async (_, lines) => {
    const reply = await send('GET', '/v1/ping', lines);
    expect([reply.status, slugOf(reply)]).toEqual([400, 'malformed-credential']);
    expect(reply.head).toContain('error="invalid_request"');
  });

  // workerd itself refuses these before any Worker runs.
  it.each([
    ['NUL', ['Authorization: Bearer SECRET\0']],
    ['NUL after the scheme', ['Authorization: Bearer\0 SECRET']],
    ['CR', ['Authorization: Bearer SECRET\rX-Evil: 1']],
    ['a folded line', ['Authorization: Bearer\r\n SECRET']],
    ['a continued line', ['Authorization: Bearer SECRET\r\n\tmore']],
    ['a space before the colon', ['Authorization : Bearer SECRET']],
  ])('is refused with %s', async (_, lines) => {
    const reply = await send('GET', '/v1/ping', lines);
    expect(reply.status).toBe(400);
    expect(reply.answers).toBe(1);
  });

  it('ends at LF, which ends a line (RFC 9112 section 2.2), and the text after it is another header', async () => {
    const good = await send('GET', '/v1/ping', ['Authorization: Bearer SECRET\nX-API-Key: SECRET']);
    expect(good.status).toBe(200);
    const reply = await send('GET', '/v1/ping', ['Authorization: Bearer SECRET\nX-API-Key: another']);
    expect([reply.status, slugOf(reply)]).toEqual([400, 'malformed-credential']);
  });

  // workerd does not pass a header without a value to a Worker.
  it.each([
    ['empty', ['Authorization:']],
    ['nothing but space', ['Authorization: \t ']],
  ])('that is %s counts as missing', async (_, lines) => {
    const reply = await send('GET', '/v1/ping', lines);
    expect([reply.status, slugOf(reply)]).toEqual([401, 'authentication-required']);
  });

  it.each([
    ['the query', '/v1/ping?access_token=SECRET&token=SECRET', [], ''],
    ['a form', '/v1/ping', ['Content-Type: application/x-www-form-urlencoded'], 'access_token=SECRET'],
    ['JSON', '/v1/ping', ['Content-Type: application/json'], '{"token":"SECRET"}'],
    ['a cookie', '/v1/ping', ['Cookie: token=SECRET; Authorization=Bearer SECRET'], ''],
    ['Proxy-Authorization', '/v1/ping', ['Proxy-Authorization: Bearer SECRET'], ''],
    ['X-Forwarded-Authorization', '/v1/ping', ['X-Forwarded-Authorization: Bearer SECRET'], ''],
    ['X_API_Key', '/v1/ping', ['X_API_Key: SECRET'], ''],
    ['the user name of the URL', 'http://SECRET@127.0.0.1/v1/ping', [], ''],
  ])('is not taken from %s', async (_, path, lines, text) => {
    const body = text.replaceAll('SECRET', token.secret);
    const length = body === '' ? [] : [`Content-Length: ${body.length}`];
    for (const each of [path, path.replace('/v1/ping', '/verify')]) {
      const reply = await send('GET', each, [...lines, ...length], body);
      expect([400, 401]).toContain(reply.status);
      expect(reply.answers).toBe(1);
      expect(reply.body).not.toContain(token.secret);
    }
  });

  it('of wrong length is refused by its length, and the answer does not repeat it', async () => {
    for (const length of [58, 4096, 65_536, 250_000]) {
      const reply = await send('GET', '/v1/ping', [`Authorization: Bearer ${'a'.repeat(length)}`]);
      expect(reply.status).toBe(401);
      expect(reply.body.length).toBeLessThan(500);
    }
  });

  it('gets the same refusals from /verify, as 401 instead of 400', async () => {
    for (const lines of [
      ['Authorization: Bearer SECRET', 'Authorization: Bearer SECRET'],
      ['Authorization: Bearer\tSECRET'],
      ['Authorization: Bearer "SECRET"'],
      ['Authorization:'],
    ]) {
      const reply = await send('GET', '/verify', [...lines, 'X-Organisation-Id: forged']);
      expect(reply.status).toBe(401);
      expect(reply.head).toMatch(/\r\nx-organisation-id:\s*\r\n/);
    }
  });
});

describe('a request', () => {
  it.each(['TRACE', 'PROPFIND', 'SEARCH', 'QUERY', 'PURGE', 'PUT', 'DELETE'])(
    'by %s is a method that this API does not allow',
    async (method) => {
      const reply = await send(method, '/v1/ping', ['Authorization: Bearer SECRET']);
      expect([reply.status, slugOf(reply)]).toEqual([405, 'method-not-allowed']);
      expect(reply.body).not.toContain(token.secret);
    },
  );

  it.each(['CONNECT', 'FOO', 'get', 'TRACK', 'GET\t'])('by %s is refused by workerd', async (method) => {
    const path = method === 'CONNECT' ? 'localhost:80' : '/v1/ping';
    expect((await send(method, path, ['Authorization: Bearer SECRET'])).status).toBeGreaterThanOrEqual(400);
  });

  it('has the method of its request line, whatever another header says', async () => {
    for (const name of ['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override']) {
      const lines = [`${name}: GET`, 'Authorization: Bearer SECRET', 'Content-Length: 0'];
      expect((await send('POST', '/v1/ping', lines)).status).toBe(405);
    }
    const lines = [...zone.member, 'X-HTTP-Method-Override: DELETE', 'Content-Length: 0'];
    expect((await send('POST', `${token.path}?_method=DELETE`, lines)).status).toBe(405);
    expect((await send('GET', '/v1/ping', ['Authorization: Bearer SECRET'])).status).toBe(200);
  });

  it('from two origins, or with a type given twice, changes nothing', async () => {
    for (const lines of [
      ['Content-Type: application/json', 'Origin: https://evil.example'],
      ['Content-Type: application/json', 'Content-Type: text/plain'],
      ['Content-Type: application/json', 'Sec-Fetch-Site: same-origin', 'Sec-Fetch-Site: cross-site'],
    ]) {
      const body = '{"active":false}';
      const reply = await send(
        'PATCH',
        token.path,
        [...zone.member, ...lines, `Content-Length: ${body.length}`],
        body,
      );
      expect([reply.status, slugOf(reply)]).toEqual([403, 'cross-site-request']);
    }
    expect((await send('GET', '/v1/ping', ['Authorization: Bearer SECRET'])).status).toBe(200);
  });

  it('with a body over 16 KiB is refused before the whole body has arrived', async () => {
    const begun = `{"name":"${'x'.repeat(20_000)}`;
    const lines = [...zone.member, 'Content-Type: application/json', 'Content-Length: 10485760'];
    const reply = await send('PATCH', token.path, lines, begun);
    expect([reply.status, slugOf(reply)]).toEqual([413, 'payload-too-large']);
  });

  it('that another server may read as two requests is one request here', async () => {
    const smuggled = 'GET /v1/ping HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer SECRET\r\n\r\n';
    for (const lines of [
      ['Content-Length: 0', `Content-Length: ${smuggled.length}`],
      ['Content-Length: 5', 'Transfer-Encoding: chunked'],
      ['Transfer-Encoding: chunked', 'Transfer-Encoding: identity'],
      ['Transfer-Encoding: xchunked'],
    ]) {
      const reply = await send('POST', '/v1/ping', lines, `0\r\n\r\n${smuggled}`);
      expect(reply.status).toBeGreaterThanOrEqual(400);
      expect(reply.answers).toBe(1);
    }
  });

  it('with a very long URL is refused, and the answer does not repeat it', async () => {
    const long = await send('GET', `/v1/ping?${'a'.repeat(20_000)}`, []);
    expect(long.status).toBe(401);
    const endless = await send('GET', `/v1/ping?${'a'.repeat(200_000)}`, []);
    expect(endless.status).toBe(414);
    expect(long.body.length + endless.body.length).toBeLessThan(1000);
  });
});

describe('a request', () => {
  /** To the deployment that is not in local mode. */
  async function ask(path: string, lines: string[], method = 'GET', body = ''): Promise<Reply> {
    const address = await zone.miniflare.unsafeGetDirectURL(DEPLOYED);
    const head = [`${method} ${path} HTTP/1.1`, 'Connection: close', ...lines];
    return sendBytes(Number(address.port), `${head.join('\r\n')}\r\n\r\n${body}`);
  }

  it.each(['evil.example', 'zone.example.evil.example', 'zone.example:8443', 'localhost', '127.0.0.1'])(
    'to the host %s is refused by a deployment with another host',
    async (host) => {
      const link = '{"email":"owner@example.com"}';
      const json = ['Content-Type: application/json', `Content-Length: ${link.length}`];
      for (const reply of [
        await ask('/v1/ping', [`Host: ${host}`, `Authorization: Bearer ${token.secret}`]),
        await ask('/developer-zone', [`Host: ${host}`]),
        await ask('/api/sign-in/link', [`Host: ${host}`, `Origin: http://${host}`, ...json], 'POST', link),
        await ask('/v1/ping', [
          `Host: ${host}`,
          'X-Forwarded-Host: zone.example',
          'Forwarded: host=zone.example',
        ]),
      ]) {
        expect([reply.status, slugOf(reply)]).toEqual([421, 'misdirected-request']);
        expect(reply.body).toContain('"type":"https://zone.example/');
        expect(reply.head + reply.body).not.toContain('evil');
      }
      expect((await ask('/verify', [`Host: ${host}`])).status).toBe(503);
    },
  );

  it('over http is refused outside local mode, whatever a header says about the scheme', async () => {
    const secret = `Authorization: Bearer ${token.secret}`;
    for (const lines of [
      [],
      ['X-Forwarded-Proto: https'],
      ['Forwarded: proto=https'],
      ['CF-Visitor: {"scheme":"https"}'],
    ]) {
      const reply = await ask('/v1/ping', ['Host: zone.example', secret, ...lines]);
      expect([reply.status, slugOf(reply)]).toEqual([403, 'https-required']);
    }
    const page = await ask('/developer-zone?organisation=acme', ['Host: zone.example']);
    expect(page.status).toBe(308);
    expect(page.head).toContain('location: https://zone.example/developer-zone?organisation=acme');
    expect((await ask('/healthz', ['Host: 10.0.0.1'])).status).toBe(200);
  });
});
