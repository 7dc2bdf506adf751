// Which addresses a deployment answers at: its own, over https. Local mode needs no setting; nothing else goes without one.
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import type { Env } from '../deployment/env.ts';
import { bearer, callAt, givenOrganisation, givenSession, givenToken } from '../test/harness.ts';
import { recordMails } from '../test/mails.ts';
import { OPERATOR_SECRET } from '../test/faults.ts';

const [FIRST, SECOND] = ['https://zone.example', 'https://api.zone.example:8443'];
const CLIENT = 'a-client-secret-of-these-tests-alone';
const DEPLOYED = {
  ...(env as Env),
  LOCAL_MODE: '0',
  ORIGINS: `${FIRST}, ${SECOND}`,
  OPERATOR_SECRET,
  INTROSPECTION_CLIENTS: JSON.stringify({ gateway: CLIENT }),
};

const send = (url: string, init: RequestInit = {}, changed: Partial<Env> = {}) =>
  callAt({ ...DEPLOYED, ...changed }, url, init);

type ProblemBody = { type: string; detail?: string };

/** One call of every route group that takes a credential, with a good one. */
async function goodCalls(): Promise<[path: string, init: RequestInit][]> {
  const email = `${crypto.randomUUID()}@example.com`;
  const organisation = await givenOrganisation('enterprise', [email]);
  const { secret } = await givenToken(organisation);
  const { cookie } = await givenSession(email);
  return [
    ['/v1/ping', { headers: bearer(secret) }],
    ['/verify', { headers: bearer(secret) }],
    [
      '/introspect',
      {
        method: 'POST',
        headers: {
          authorization: `Basic ${btoa(`gateway:${CLIENT}`)}`,
          'content-type': 'application/x-www-form-urlencoded',
        },
        body: `token=${secret}`,
      },
    ],
    // Under both of its names: local mode over http has its own.
    ['/api/session', { headers: { cookie: `${cookie}; ${cookie.replace('local-', '__Host-')}` } }],
    ['/operator/organisations', { headers: bearer(OPERATOR_SECRET) }],
  ];
}

describe('a deployment that names its origins', () => {
  it('takes credentials at each of them', async () => {
    for (const origin of [FIRST, SECOND])
      for (const [path, init] of await goodCalls())
        expect((await send(origin + path, init)).status).toBe(200);
  });

  it.each([
    'https://evil.example',
    'https://zone.example.evil.example',
    'https://evil-zone.example',
    'https://zone.example:8443',
    'https://zone.example.',
    'https://api.zone.example',
    'http://evil.example',
  ])('refuses every credential at the other host %s with 421, and names itself', async (origin) => {
    for (const [path, init] of await goodCalls()) {
      const answer = await send(origin + path, init);
      const { type } = await answer.json<ProblemBody>();
      // A gateway knows 200, 401, 403 and 503 alone.
      const expected = path === '/verify' ? [503, 'verification-unavailable'] : [421, 'misdirected-request'];
      expect([answer.status, type]).toEqual([expected[0], `${FIRST}/docs/problems#${expected[1]}`]);
    }
    for (const page of ['/', '/sign-in', '/developer-zone', '/docs', '/openapi.json', '/nowhere'])
      expect((await send(origin + page)).status).toBe(421);
    expect((await send(`${origin}/healthz`)).status).toBe(200);
  });

  it('refuses every credential over http, before it is looked at', async () => {
    for (const [path, init] of await goodCalls()) {
      const answer = await send(FIRST.replace('https', 'http') + path, init);
      expect(answer.status).toBe(403);
      const problem = await answer.json<ProblemBody>();
      expect(problem.type).toBe(`${FIRST}/docs/problems#https-required`);
      expect(problem.detail).toContain(`Call ${FIRST}.`);
      // A gateway takes the identity from here, whatever the caller sent under this name.
      expect(answer.headers.get('x-organisation-id')).toBe(path === '/verify' ? '' : null);
    }
  });

  it('redirects no call of a program, however its path is encoded', async () => {
    const credentials = { headers: { ...bearer(OPERATOR_SECRET), cookie: '__Host-session=x' } };
    for (const path of [
      '/%76%31/ping',
      '/v%31',
      '/%61pi/session',
      '/ap%69/session',
      '/%76erify',
      '/introspec%74',
      '/%6fperator/organisations',
      '/%6Fperator/%ff',
      '/%6fperator/%zz',
      '/api/%',
    ]) {
      const answer = await send(FIRST.replace('https', 'http') + path, credentials);
      const { type } = await answer.json<ProblemBody>();
      expect([path, answer.status, type]).toEqual([path, 403, `${FIRST}/docs/problems#https-required`]);
    }
    // The router knows no such call, so that it is a page like any other that is not there.
    for (const path of ['/%2576%2531/ping', '/v1x', '/apis']) {
      const answer = await send(FIRST.replace('https', 'http') + path);
      expect([path, answer.headers.get('location')]).toEqual([path, FIRST + path]);
    }
  });

  it.each(['http://zone.example', 'http://api.zone.example:8443', SECOND])(
    'shows a page that is asked for at %s at its first origin',
    async (origin) => {
      for (const path of ['/', '/sign-in', '/developer-zone?organisation=acme', '/docs', '/openapi.json']) {
        const answer = await send(origin + path);
        expect([answer.status, answer.headers.get('location')]).toEqual([308, FIRST + path]);
      }
      const written = await send(`${origin}/developer-zone`, { method: 'POST' });
      expect(written.headers.get('location')).toBeNull();
    },
  );

  it('mails links, and names itself in problems, documents and introspection, by the first', async () => {
    const email = `${crypto.randomUUID()}@example.com`;
    await givenOrganisation('enterprise', [email]);
    const { EMAIL, mails } = recordMails();
    const asked = await send(
      `${SECOND}/api/sign-in/link`,
      {
        method: 'POST',
        headers: { origin: SECOND, 'content-type': 'application/json' },
        body: JSON.stringify({ email }),
      },
      { EMAIL, EMAIL_FROM: 'zone@example.com' },
    );
    expect(asked.status).toBe(202);
    expect(mails.map(({ text }) => text).join('')).toContain(`${FIRST}/sign-in#code=`);
    expect(mails.map(({ text }) => text).join('')).not.toContain(SECOND);
    const refused = await send(`${SECOND}/v1/ping`);
    expect((await refused.json<ProblemBody>()).type).toBe(`${FIRST}/docs/problems#authentication-required`);
    const [, , [path, init] = ['', {}]] = await goodCalls();
    expect(await (await send(SECOND + path, init)).json()).toMatchObject({ iss: FIRST });
    const { servers } = await (await send(`${FIRST}/openapi.json`)).json<{ servers: object[] }>();
    expect(servers).toEqual([{ url: FIRST }]);
  });

  it('tells the identity provider to come back to the first', async () => {
    const issuer = 'https://issuer-of-origins.example';
    const real = globalThis.fetch;
    globalThis.fetch = async () =>
      Response.json({
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/keys`,
      });
    const answer = await send(
      `${SECOND}/api/sign-in/oidc`,
      {},
      { OIDC_ISSUER: issuer, OIDC_CLIENT_ID: 'zone' },
    );
    globalThis.fetch = real;
    const asked = new URL(answer.headers.get('location') ?? '').searchParams;
    expect(asked.get('redirect_uri')).toBe(`${FIRST}/api/sign-in/oidc/callback`);
  });
});

describe('the host of forward-auth', () => {
  it('is one of its own beside the origins, over https alone', async () => {
    const [, [, init] = ['', {}]] = await goodCalls();
    const VERIFY_HOST = 'verify.example';
    expect((await send('https://verify.example/any/path', init, { VERIFY_HOST })).status).toBe(200);
    for (const LOCAL_MODE of ['0', '1']) {
      const answer = await send('http://verify.example/any/path', init, { VERIFY_HOST, LOCAL_MODE });
      expect([answer.status, answer.headers.get('x-organisation-id')]).toEqual([403, '']);
      expect((await answer.json<ProblemBody>()).type).toBe(`${FIRST}/docs/problems#https-required`);
    }
    const local = { VERIFY_HOST: 'verify.localhost', LOCAL_MODE: '1' };
    expect((await send('http://verify.localhost:8787/any/path', init, local)).status).toBe(200);
  });
});

describe('a deployment that names no origin', () => {
  const unnamed = { ORIGINS: '' };

  it('takes credentials over https, at whatever host is routed to it, and none over http', async () => {
    for (const [path, init] of await goodCalls()) {
      expect((await send(`https://any.example${path}`, init, unnamed)).status).toBe(200);
      expect((await send(`http://any.example${path}`, init, unnamed)).status).toBe(403);
    }
    const page = await send('http://any.example/docs', {}, unnamed);
    expect([page.status, page.headers.get('location')]).toEqual([308, 'https://any.example/docs']);
  });

  it('refuses every sign-in: a link made of the address of a request leads where its sender wants', async () => {
    const settings = {
      ...unnamed,
      EMAIL: { send: () => Promise.reject(new Error('must not be called')) } as unknown as NonNullable<
        Env['EMAIL']
      >,
      EMAIL_FROM: 'zone@example.com',
      OIDC_ISSUER: 'https://issuer.example',
      OIDC_CLIENT_ID: 'zone',
    };
    const origin = 'https://any.example';
    const asked = await send(
      `${origin}/api/sign-in/link`,
      {
        method: 'POST',
        headers: { origin, 'content-type': 'application/json' },
        body: '{"email":"a@b.example"}',
      },
      settings,
    );
    for (const answer of [asked, await send(`${origin}/api/sign-in/oidc`, {}, settings)]) {
      expect(answer.status).toBe(500);
      expect((await answer.json<ProblemBody>()).detail).toContain('ORIGINS');
    }
    expect(await (await send(`${origin}/sign-in`, {}, settings)).text()).toContain(
      '"methods":{"link":false,"oidc":null}',
    );
  });
});

describe('local mode', () => {
  it.each(['http://localhost', 'http://localhost:8787', 'http://127.0.0.1:8787', 'https://localhost:8787'])(
    'needs no setting at %s, and minds none',
    async (origin) => {
      for (const ORIGINS of ['', FIRST])
        for (const [path, init] of await goodCalls())
          expect((await send(origin + path, init, { LOCAL_MODE: '1', ORIGINS })).status).toBe(200);
      expect((await send(`${origin}/docs`, {}, { LOCAL_MODE: '1', ORIGINS: '' })).status).toBe(200);
    },
  );

  it.each([
    'http://localhost.evil.example',
    'http://evil.example',
    'http://127.0.0.1.evil.example',
    'http://192.0.2.7:8787',
  ])('opens nothing at %s', async (origin) => {
    for (const [path, init] of await goodCalls())
      expect((await send(origin + path, init, { LOCAL_MODE: '1', ORIGINS: '' })).status).toBe(403);
  });
});

describe('every answer', () => {
  const PATHS = [
    ['/healthz', 200],
    ['/openapi.json', 200],
    ['/llms.txt', 200],
    ['/docs', 200],
    ['/docs.md', 200],
    ['/docs/docs.css', 200],
    ['/.well-known/security.txt', 200],
    ['/', 302],
    ['/sign-in', 200],
    ['/nowhere', 404],
    ['/api/session', 401],
    ['/api/nowhere', 404],
    ['/v1/ping', 401],
    ['/verify', 401],
    ['/introspect', 405],
    ['/operator/organisations', 401],
  ] as const;

  it.each(PATHS)(
    'has nosniff, a policy without base and forms of others, and HSTS: %s',
    async (path, status) => {
      const answer = await send(FIRST + path);
      expect(answer.status).toBe(status);
      const { headers } = answer;
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('content-security-policy')).toMatch(
        /default-src 'none'.*base-uri 'none'.*form-action '(?:none|self)'/,
      );
      expect(headers.get('strict-transport-security')).toBe('max-age=63072000');
      const wide = await send(FIRST + path, {}, { HSTS_SUBDOMAINS: 'yes' });
      expect(wide.headers.get('strict-transport-security')).toBe('max-age=63072000; includeSubDomains');
    },
  );

  it.each(PATHS.filter(([path, status]) => status >= 400 && !/^\/v(?:1|erify)/.test(path)))(
    'that refuses is never stored, sends no referrer and belongs to this origin alone: %s',
    async (path) => {
      const { headers } = await send(FIRST + path);
      expect(Object.fromEntries(headers)).toMatchObject({
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
      });
    },
  );

  it('that is security.txt names a contact and the first origin, and is out of date in half a year', async () => {
    const text = await (await send(`${FIRST}/.well-known/security.txt`)).text();
    expect(text).toContain(`Canonical: ${FIRST}/.well-known/security.txt\n`);
    expect(text).toMatch(/^Contact: https:/);
    const expires = Date.parse(/Expires: (.*)/.exec(text)?.[1] ?? '');
    expect(expires - Date.now()).toBeGreaterThan(170 * 86_400_000);
    expect(expires - Date.now()).toBeLessThan(365 * 86_400_000);
  });
});
