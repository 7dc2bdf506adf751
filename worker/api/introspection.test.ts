// Introspection: what a client is told about a token, a token that is deleted meanwhile, and the line in the log.
import { env } from 'cloudflare:workers';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { callAt, callWith, givenOrganisation, givenToken } from '../test/harness.ts';

const CLIENT_SECRET = 'client-secret-for-tests-0123456789abcdef';
/** Long leases: what an isolate has remembered stays good during a test. */
const deployment = {
  ...env,
  INTROSPECTION_CLIENTS: JSON.stringify({ client: CLIENT_SECRET }),
  REVOCATION_LEASE_MS: '60000',
  HUB_LEASE_MS: '60000',
};
afterEach(() => vi.restoreAllMocks());

const askRemembering = (secret: string) =>
  callAt(deployment, '/introspect', {
    method: 'POST',
    headers: {
      authorization: `Basic ${btoa(`client:${CLIENT_SECRET}`)}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: `token=${secret}`,
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

it('answers {"active":false} about a token that is deleted after it was verified', async () => {
  const { id, secret } = await givenToken(await givenOrganisation());
  expect(await (await askRemembering(secret)).json()).toMatchObject({ active: true });
  await env.DB.prepare('DELETE FROM tokens WHERE id = ?').bind(id).run();
  const answer = await askRemembering(secret);
  expect([answer.status, await answer.text()]).toEqual([200, '{"active":false}']);
});

it('logs the token that was asked about, and the reason if it was refused', async () => {
  const organisationId = await givenOrganisation();
  const { id, secret } = await givenToken(organisationId);
  const printed: string[] = [];
  vi.spyOn(console, 'log').mockImplementation((text: string) => {
    printed.push(text);
  });
  await askRemembering(secret);
  expect(printed.map((text): unknown => JSON.parse(text))).toEqual([
    expect.objectContaining({ route: '/introspect', status: 200, organisationId, tokenId: id }),
  ]);
});
