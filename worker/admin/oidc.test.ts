// Single sign-on against an issuer that lies in every way that an issuer can: the browser's journey against a real
// provider is e2e/oidc.test.ts. The network is replaced, nothing of ours.
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { openDatabase } from '../database.ts';
import worker from '../index.ts';
import { FAULTS, deploymentWith } from '../test/faults.ts';
import { ORIGIN, call, givenOrganisation, givenSession } from '../test/harness.ts';
import { keepRoundTrip, takeRoundTrip } from './identity.ts';
import { pathToReturnTo } from './oidc.ts';

const ISSUER = 'https://issuer.example';
let keys: CryptoKeyPair;
let strangersKeys: CryptoKeyPair;

type Lies = {
  claims?: Record<string, unknown>;
  header?: Record<string, unknown>;
  userInfo?: Record<string, unknown>;
  signedByAnother?: boolean;
  unsigned?: boolean;
  down?: boolean;
};
let lies: Lies = {};
/** What the issuer saw in the authorisation request, as a real one would remember it. */
let asked = new URLSearchParams();

function encode(value: unknown): string {
  const bytes = typeof value === 'string' ? value : JSON.stringify(value);
  return btoa(bytes).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

async function idToken(): Promise<string> {
  const seconds = Math.floor(Date.now() / 1000);
  const header = { alg: 'ES256', kid: 'k', ...lies.header };
  const claims = {
    iss: ISSUER,
    aud: 'zone',
    sub: 'subject',
    nonce: asked.get('nonce'),
    iat: seconds,
    exp: seconds + 60,
    ...lies.claims,
  };
  const text = `${encode(header)}.${encode(claims)}`;
  if (lies.unsigned === true) return `${text}.`;
  const { privateKey } = lies.signedByAnother === true ? strangersKeys : keys;
  const signature = await crypto.subtle.sign(
    { name: 'ECDSA', hash: 'SHA-256' },
    privateKey,
    new TextEncoder().encode(text),
  );
  return `${text}.${encode(String.fromCharCode(...new Uint8Array(signature)))}`;
}

async function answerAsIssuer(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const request = new Request(input, init);
  if (lies.down === true) throw new TypeError('network down');
  switch (new URL(request.url).pathname) {
    case '/.well-known/openid-configuration':
      return Response.json({
        issuer: ISSUER,
        authorization_endpoint: `${ISSUER}/authorize`,
        token_endpoint: `${ISSUER}/token`,
        userinfo_endpoint: `${ISSUER}/userinfo`,
        jwks_uri: `${ISSUER}/keys`,
        authorization_response_iss_parameter_supported: true,
        id_token_signing_alg_values_supported: ['ES256', 'none'],
      });
    case '/keys': {
      const key = await crypto.subtle.exportKey('jwk', keys.publicKey);
      return Response.json({ keys: [{ ...key, kid: 'k', use: 'sig', alg: 'ES256' }] });
    }
    case '/token': {
      const form = await request.formData();
      const verifier = new TextEncoder().encode(String(form.get('code_verifier')));
      const challenge = new Uint8Array(await crypto.subtle.digest('SHA-256', verifier));
      // PKCE, as a real issuer checks it.
      if (encode(String.fromCharCode(...challenge)) !== asked.get('code_challenge')) {
        return Response.json({ error: 'invalid_grant' }, { status: 400 });
      }
      return Response.json({ access_token: 'a', token_type: 'Bearer', id_token: await idToken() });
    }
    default:
      return Response.json({ sub: 'subject', ...lies.userInfo });
  }
}

const SETTINGS = { OIDC_ISSUER: ISSUER, OIDC_CLIENT_ID: 'zone', OIDC_CLIENT_SECRET: 'a client secret' };

async function send(path: string, cookie = '', settings: object = SETTINGS): Promise<Response> {
  const context = createExecutionContext();
  const request = new Request(new URL(path, ORIGIN), {
    redirect: 'manual',
    headers: { cookie, 'cf-connecting-ip': crypto.randomUUID() },
  });
  const answer = await worker.fetch(request, { ...env, ...settings }, context);
  await waitOnExecutionContext(context);
  return answer;
}

function cookieOf(answer: Response): string {
  return (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
}

async function begin(returnTo = '/activity'): Promise<{ browser: string; state: string }> {
  const answer = await send(`/api/sign-in/oidc?return_to=${encodeURIComponent(returnTo)}`);
  expect(answer.status).toBe(302);
  asked = new URL(answer.headers.get('location') ?? '').searchParams;
  return { browser: cookieOf(answer), state: asked.get('state') ?? '' };
}

function comeBack(
  trip: { browser: string; state: string },
  iss = ISSUER,
  deployment = {},
): Promise<Response> {
  const parameters = new URLSearchParams({ code: 'c', state: trip.state, iss });
  return send(`/api/sign-in/oidc/callback?${parameters}`, trip.browser, { ...deployment, ...SETTINGS });
}

function count(table: 'sessions' | 'identities', email: string): Promise<unknown> {
  return env.DB.prepare(`SELECT count(*) AS n FROM ${table} WHERE email = ?`).bind(email).first('n');
}

async function errorOf(answer: Response): Promise<string | null> {
  expect(answer.status).toBe(302);
  expect(answer.headers.get('set-cookie')).toBeNull();
  const url = new URL(answer.headers.get('location') ?? '');
  expect(url.origin + url.pathname).toBe(`${ORIGIN}/sign-in`);
  return url.searchParams.get('error');
}

async function givenMember(): Promise<string> {
  const email = `${crypto.randomUUID()}@example.com`;
  await givenOrganisation('enterprise', [email]);
  lies = { claims: { email, email_verified: true, sub: crypto.randomUUID() } };
  return email;
}

beforeAll(async () => {
  const make = async (): Promise<CryptoKeyPair> =>
    // An elliptic-curve algorithm always answers a pair.
    (await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, [
      'sign',
      'verify',
    ])) as CryptoKeyPair;
  [keys, strangersKeys] = [await make(), await make()];
});
beforeEach(() => {
  vi.stubGlobal('fetch', answerAsIssuer);
  vi.spyOn(console, 'warn').mockImplementation(() => {});
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

describe('single sign-on', () => {
  it('leads a member to the page that they wanted, under a new session', async () => {
    const email = await givenMember();
    const planted = await givenSession();
    const trip = await begin('/activity?organisation=acme');
    expect(Object.fromEntries(asked)).toMatchObject({
      client_id: 'zone',
      response_type: 'code',
      scope: 'openid email',
      code_challenge_method: 'S256',
      redirect_uri: `${ORIGIN}/api/sign-in/oidc/callback`,
    });
    const answer = await comeBack({ ...trip, browser: `${trip.browser}; ${planted.cookie}` });
    expect(answer.headers.get('location')).toBe(`${ORIGIN}/activity?organisation=acme`);
    const session = await call('/api/session', { headers: { cookie: cookieOf(answer) } });
    expect(await session.json()).toMatchObject({ member: { email } });
    expect((await call('/api/session', { headers: planted })).status).toBe(401);
  });

  it('asks for the address where the ID token does not carry it', async () => {
    const email = await givenMember();
    lies = { userInfo: { email, email_verified: true } };
    expect(cookieOf(await comeBack(await begin()))).toMatch(/^__Host-session=/);
  });

  it('takes a callback once', async () => {
    await givenMember();
    const trip = await begin();
    expect(cookieOf(await comeBack(trip))).toMatch(/^__Host-session=/);
    expect(await errorOf(await comeBack(trip))).toBe('sign-in-expired');
  });

  it('takes a callback in the browser that began it alone', async () => {
    await givenMember();
    const trip = await begin();
    const other = await begin();
    expect(await errorOf(await comeBack({ ...trip, browser: other.browser }))).toBe('sign-in-expired');
    expect(await errorOf(await comeBack({ ...trip, browser: '' }))).toBe('sign-in-expired');
  });

  it('takes a callback for ten minutes', async () => {
    const db = await openDatabase(env);
    const trip = { state: 'state', nonce: 'n', codeVerifier: 'v', returnTo: '/' };
    await keepRoundTrip(db, trip, 'browser', 0);
    expect(await takeRoundTrip(db, 'state', 'browser', 600_000)).toBeNull();
    expect(await takeRoundTrip(db, 'state', 'browser', 599_999)).toEqual(trip);
  });

  it('makes no member of whom the provider knows', async () => {
    lies = { claims: { email: 'nobody@elsewhere.example', email_verified: true } };
    expect(await errorOf(await comeBack(await begin()))).toBe('unknown-member');
    expect(
      await env.DB.prepare('SELECT count(*) AS n FROM identities WHERE email = ?')
        .bind('nobody@elsewhere.example')
        .first('n'),
    ).toBe(0);
  });

  it.each([false, 'true', 1, undefined, null])(
    'refuses an address that is verified: %s',
    async (verified) => {
      await givenMember();
      lies.claims = { ...lies.claims, email_verified: verified };
      expect(await errorOf(await comeBack(await begin()))).toBe('email-not-verified');
    },
  );

  it('keeps to the subject that first used an address, and to the address that a subject first used', async () => {
    const email = await givenMember();
    const { claims } = lies;
    expect(cookieOf(await comeBack(await begin()))).toMatch(/^__Host-session=/);
    lies = { claims: { ...claims, sub: 'somebody else' } };
    expect(await errorOf(await comeBack(await begin()))).toBe('sign-in-failed');
    await givenMember();
    lies.claims = { ...lies.claims, sub: claims?.['sub'] };
    expect(await errorOf(await comeBack(await begin()))).toBe('sign-in-failed');
    lies = { claims: { ...claims, email } };
    expect(cookieOf(await comeBack(await begin()))).toMatch(/^__Host-session=/);
  });

  const past = Math.floor(Date.now() / 1000) - 3600;
  it.each<[string, Lies]>([
    ['a wrong nonce', { claims: { nonce: 'another' } }],
    ['no nonce', { claims: { nonce: undefined } }],
    ['another issuer', { claims: { iss: 'https://evil.example' } }],
    ['another audience', { claims: { aud: 'somebody' } }],
    ['a time long past', { claims: { iat: past, exp: past + 60 } }],
    ['alg none', { header: { alg: 'none' }, unsigned: true }],
    ['a signature by another key', { signedByAnother: true }],
    ['another algorithm than its key', { header: { alg: 'HS256' } }],
  ])('refuses an ID token with %s', async (_, lie) => {
    await givenMember();
    lies = { ...lies, ...lie, claims: { ...lies.claims, ...lie.claims } };
    expect(await errorOf(await comeBack(await begin()))).toBe('sign-in-failed');
  });

  it('refuses the callback of another issuer', async () => {
    await givenMember();
    expect(await errorOf(await comeBack(await begin(), 'https://evil.example'))).toBe('sign-in-failed');
  });

  it('shows no word of the provider', async () => {
    const trip = await begin();
    const text = 'Call +1 900 now';
    const parameters = new URLSearchParams({
      error: text,
      error_description: text,
      state: trip.state,
      iss: ISSUER,
    });
    const answer = await send(`/api/sign-in/oidc/callback?${parameters}`, trip.browser);
    expect(await errorOf(answer)).toBe('sign-in-failed');
  });

  it('says that the provider cannot be reached', async () => {
    lies = { down: true };
    const settings = { ...SETTINGS, OIDC_ISSUER: 'https://unreachable.example' };
    expect(await errorOf(await send('/api/sign-in/oidc', '', settings))).toBe('provider-unavailable');
  });

  it('tells a browser over the limit so on the sign-in page', async () => {
    const settings = { ...SETTINGS, LINKS_PER_CLIENT: { limit: async () => ({ success: false }) } };
    expect(await errorOf(await send('/api/sign-in/oidc', '', settings))).toBe('too-many-requests');
  });

  it.each(FAULTS)(
    'is all or nothing at whatever step storage fails, and signing in again completes it: a call is %s',
    async (kind) => {
      const clean = deploymentWith(null);
      await givenMember();
      expect(cookieOf(await comeBack(await begin(), ISSUER, clean.env))).toMatch(/^__Host-session=/);
      expect(clean.calls).toContain('D1.batch');
      for (const at of clean.calls.keys()) {
        const email = await givenMember();
        const answer = await comeBack(await begin(), ISSUER, deploymentWith({ at, kind }).env);
        const isDone = (await count('sessions', email)) === 1;
        expect(await count('identities', email)).toBe(Number(isDone));
        // A slow call is waited for; after any other the person stands on the sign-in page without a session.
        const said = kind === 'slow' ? (answer.headers.get('location') ?? '') : await errorOf(answer);
        expect(said).toBe(kind === 'slow' ? `${ORIGIN}/activity` : 'storage-unavailable');
        expect(cookieOf(await comeBack(await begin()))).toMatch(/^__Host-session=/);
        expect(await count('identities', email)).toBe(1);
      }
    },
  );

  it.each(['/api/sign-in/oidc', '/api/sign-in/oidc/callback'])(
    'has no door at %s unless it is set up',
    async (path) => {
      expect((await send(path, '', {})).status).toBe(404);
      expect((await send(path, '', { OIDC_ISSUER: '' })).status).toBe(404);
    },
  );

  it.each<[string, object, string]>([
    ['http elsewhere', { OIDC_ISSUER: 'http://issuer.example' }, ORIGIN],
    [
      'http on this machine, asked from elsewhere',
      { OIDC_ISSUER: 'http://localhost:1' },
      'https://zone.example',
    ],
    ['http outside local mode', { OIDC_ISSUER: 'http://localhost:1', LOCAL_MODE: '0' }, ORIGIN],
    ['no URL', { OIDC_ISSUER: 'issuer' }, ORIGIN],
    ['no client', { OIDC_CLIENT_ID: '' }, ORIGIN],
  ])('refuses an issuer with %s, and names the setting', async (_, settings, origin) => {
    const answer = await send(`${origin}/api/sign-in/oidc`, '', { ...SETTINGS, ...settings });
    expect(answer.status).toBe(500);
    expect(await answer.json()).toMatchObject({ detail: expect.stringContaining('OIDC_ISSUER') });
  });
});

describe('the way back', () => {
  it.each(['/developer-zone?organisation=acme', '/activity', '/sessions'])('keeps %s', (path) => {
    expect(pathToReturnTo(path, ORIGIN)).toBe(path);
  });

  it.each([
    undefined,
    '',
    'https://evil.example',
    '//evil.example',
    '/\\evil.example',
    '/.//evil.example',
    '/a/..//evil.example',
    '/\t/evil.example',
    '/api/sign-out',
    '/%61pi/sign-out',
    '/v1/ping',
    '/docs',
    '/developer-zone/',
    '/developer-zone%2f..',
    'javascript:alert(1)',
    `/${'a'.repeat(2000)}`,
  ])('leads %s to the dashboard', (path) => {
    expect(pathToReturnTo(path, ORIGIN)).toBe('/developer-zone');
  });
});
