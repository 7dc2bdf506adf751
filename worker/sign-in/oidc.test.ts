// Single sign-on against an issuer that answers wrongly in many ways. The browser's journey against a real provider is
// e2e/oidc.test.ts. Only the network is replaced.
import { env } from 'cloudflare:workers';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { openDeployment } from '../deployment/deployment.ts';
import { FAULTS, deploymentWith } from '../test/faults.ts';
import { ORIGIN, call, givenOrganisation, givenSession, settledAt } from '../test/harness.ts';
import { pathToReturnTo } from './redirect.ts';
import { beginRoundTrip, readRoundTrip } from './round-trip.ts';

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
  silent?: boolean;
};
let lies: Lies = {};
/** Who is asked: a provider's discovery is remembered for ten minutes, so some tests ask one of their own. */
let issuer = ISSUER;
/** What the issuer was asked for, by the last part of the path. */
let requests: string[] = [];
/** Codes that were exchanged: a provider takes each once (RFC 6749 section 4.1.2). */
const usedCodes = new Set<string>();
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
    iss: issuer,
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
  const asksFor = new URL(request.url).pathname.split('/').at(-1) ?? '';
  requests.push(asksFor);
  if (lies.down === true) throw new TypeError('network down');
  if (lies.silent === true) {
    const { signal } = request;
    return new Promise((_, reject) => {
      if (signal.aborted) reject(signal.reason as Error);
      else signal.addEventListener('abort', () => reject(signal.reason as Error));
    });
  }
  switch (asksFor) {
    case 'openid-configuration': {
      const base = issuer.replace(/\/$/, '');
      return Response.json({
        issuer,
        authorization_endpoint: `${base}/authorize`,
        token_endpoint: `${base}/token`,
        userinfo_endpoint: `${base}/userinfo`,
        jwks_uri: `${base}/keys`,
        authorization_response_iss_parameter_supported: true,
        id_token_signing_alg_values_supported: ['ES256', 'none'],
      });
    }
    case 'keys': {
      const key = await crypto.subtle.exportKey('jwk', keys.publicKey);
      return Response.json({ keys: [{ ...key, kid: 'k', use: 'sig', alg: 'ES256' }] });
    }
    case 'token': {
      const form = await request.formData();
      const code = String(form.get('code'));
      if (usedCodes.has(code)) return Response.json({ error: 'invalid_grant' }, { status: 400 });
      usedCodes.add(code);
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

const send = (path: string, cookie = '', settings: object = SETTINGS, ip: string = crypto.randomUUID()) =>
  settledAt({ ...env, ...settings }, path, { headers: { cookie, 'cf-connecting-ip': ip } });

/** The cookie that the answer begins: of a session, or else of a round trip. */
function cookieOf(answer: Response): string {
  const begun = answer.headers
    .getSetCookie()
    .filter((cookie) => !cookie.includes('Max-Age=0'))
    .map((cookie) => cookie.split(';')[0] ?? '');
  return begun.find((cookie) => cookie.startsWith('local-session=')) ?? begun[0] ?? '';
}

async function begin(
  returnTo = '/activity',
  settings: object = SETTINGS,
): Promise<{ browser: string; state: string }> {
  const answer = await send(`/api/sign-in/oidc?return_to=${encodeURIComponent(returnTo)}`, '', settings);
  expect(answer.status).toBe(302);
  asked = new URL(answer.headers.get('location') ?? '').searchParams;
  return { browser: cookieOf(answer), state: asked.get('state') ?? '' };
}

function comeBack(
  trip: { browser: string; state: string },
  iss = issuer,
  deployment = {},
): Promise<Response> {
  const parameters = new URLSearchParams({ code: `c-${trip.state}`, state: trip.state, iss });
  return send(`/api/sign-in/oidc/callback?${parameters}`, trip.browser, { ...SETTINGS, ...deployment });
}

function count(table: 'sessions' | 'identities', email: string): Promise<unknown> {
  return env.DB.prepare(`SELECT count(*) AS n FROM ${table} WHERE email = ?`).bind(email).first('n');
}

async function errorOf(answer: Response): Promise<string | null> {
  expect(answer.status).toBe(302);
  // A round trip may end with it; nothing begins.
  expect(cookieOf(answer)).toBe('');
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
  issuer = ISSUER;
  requests = [];
  vi.stubGlobal('fetch', answerAsIssuer);
  vi.spyOn(console, 'warn').mockImplementation(() => {});
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

describe('single sign-on', () => {
  it('makes the browser known to the member, and says so on record', async () => {
    const email = await givenMember();
    const first = await comeBack(await begin());
    const known = first.headers.getSetCookie().find((cookie) => cookie.startsWith('local-known-browser='));
    expect(known).toMatch(
      /^local-known-browser=[\w-]{43}; Max-Age=15552000; Path=\/; HttpOnly; SameSite=Lax$/,
    );
    const trip = await begin();
    await comeBack({ ...trip, browser: `${trip.browser}; ${known?.split(';')[0]}` });
    const { results } = await env.DB.prepare(
      "SELECT detail FROM events WHERE actor = ? AND action = 'sign-in' ORDER BY id",
    )
      .bind(email)
      .all();
    expect(results).toEqual([{ detail: 'oidc, new browser' }, { detail: 'oidc' }]);
  });

  it('leads a member to the page that they asked for, with a new session', async () => {
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

  it('asks the provider for the address when the ID token does not have it', async () => {
    const email = await givenMember();
    lies = { userInfo: { email, email_verified: true } };
    expect(cookieOf(await comeBack(await begin()))).toMatch(/^local-session=/);
  });

  it('ends a round trip with its callback; the provider refuses a callback that is sent again', async () => {
    await givenMember();
    const trip = await begin();
    const answer = await comeBack(trip);
    expect(cookieOf(answer)).toMatch(/^local-session=/);
    const [name] = trip.browser.split('=');
    expect(answer.headers.getSetCookie()).toContainEqual(expect.stringMatching(`^${name}=; Max-Age=0; `));
    // As the browser has it now, and as an attacker kept it.
    expect(await errorOf(await comeBack({ ...trip, browser: '' }))).toBe('sign-in-expired');
    expect(await errorOf(await comeBack(trip))).toBe('sign-in-failed');
  });

  it('keeps a round trip sealed in the browser, and beginning one does not use the database', async () => {
    const { env: counted, calls } = deploymentWith(null);
    const answer = await send('/api/sign-in/oidc', '', { ...counted, ...SETTINGS });
    expect(calls.filter((name) => !name.startsWith('limiter'))).toEqual([]);
    const [cookie] = answer.headers.getSetCookie();
    expect(cookie).toMatch(/^local-oidc-[\w-]{8}=1[\w-]+; Max-Age=600; Path=\/; HttpOnly; SameSite=Lax$/);
    const location = new URL(answer.headers.get('location') ?? '');
    const text = atob(cookie?.split('=1')[1]?.split(';')[0]?.replaceAll('-', '+').replaceAll('_', '/') ?? '');
    for (const name of ['state', 'nonce', 'code_challenge'])
      expect(text).not.toContain(location.searchParams.get(name) ?? 'missing');
    const { results } = await env.DB.prepare('SELECT hash FROM sign_ins WHERE nonce IS NOT NULL').all();
    expect(results).toEqual([]);
  });

  it('still works after a change of the tag keys, and cannot be read without the key', async () => {
    await givenMember();
    const [first, second] = ['AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8', 'B'.repeat(43)];
    const both = { TAG_KEYS: JSON.stringify({ 1: first, 2: second }), TAG_KEY_CURRENT: '2' };
    expect(cookieOf(await comeBack(await begin(), ISSUER, both))).toMatch(/^local-session=/);
    const other = { TAG_KEYS: JSON.stringify({ 2: second }), TAG_KEY_CURRENT: '2' };
    expect(await errorOf(await comeBack(await begin(), ISSUER, other))).toBe('sign-in-expired');
  });

  it('works in three tabs of one browser, and ends the oldest when a fourth begins', async () => {
    await givenMember();
    const tabs = [await begin(), await begin(), await begin()];
    const browser = tabs.map((tab) => tab.browser).join('; ');
    const fourth = (await send('/api/sign-in/oidc', browser)).headers.getSetCookie();
    expect(fourth.filter((cookie) => cookie.includes('Max-Age=0'))).toHaveLength(3);
    const third = { state: tabs[2]?.state ?? '', browser };
    expect(cookieOf(await comeBack(third))).toMatch(/^local-session=/);
  });

  it('ends a bounded number of round trips with one answer, and no other cookie', async () => {
    const ours = Array.from({ length: 500 }, (_, index) => `local-oidc-${String(index).padStart(8, 'a')}=1`);
    const others = ['local-oidc-=1', 'local-oidc-12345678901=1', 'local-oidc-{}{}{}{}=1'];
    const browser = [...others, ...ours].join('; ');
    const ended = (await send('/api/sign-in/oidc', browser)).headers.getSetCookie().slice(1);
    expect(ended).toHaveLength(20);
    for (const cookie of ended) expect(cookie).toMatch(/^local-oidc-a+\d+=; Max-Age=0; /);
  });

  it('accepts a callback only in the browser that began the sign-in', async () => {
    await givenMember();
    const trip = await begin();
    const other = await begin();
    expect(await errorOf(await comeBack({ ...trip, browser: other.browser }))).toBe('sign-in-expired');
    expect(await errorOf(await comeBack({ ...trip, browser: '' }))).toBe('sign-in-expired');
  });

  it('accepts a callback for ten minutes', async () => {
    const trip = { state: 'state-of-a-tab', nonce: 'n', codeVerifier: 'v', returnTo: '/' };
    const ring = openDeployment(env).settings.tagKeys;
    const [cookie = ''] = await beginRoundTrip(ring, trip, 'bound', {}, 0);
    const [name = '', sealed = ''] = (cookie.split(';')[0] ?? '').split('=');
    const readAt = (now: number, bound = 'bound', state = trip.state) =>
      readRoundTrip(ring, state, bound, { [name]: sealed }, now);
    expect(await readAt(600_000)).toBeNull();
    expect(await readAt(599_999)).toEqual(trip);
    expect(await readAt(0, 'another')).toBeNull();
    // The same name, another state.
    expect(await readAt(0, 'bound', 'state-of-x')).toBeNull();
  });

  it('does not add a person as a member because the provider knows them', async () => {
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

  it('accepts only the subject that first used an address, and only the address that a subject first used', async () => {
    const email = await givenMember();
    const { claims } = lies;
    expect(cookieOf(await comeBack(await begin()))).toMatch(/^local-session=/);
    lies = { claims: { ...claims, sub: 'somebody else' } };
    expect(await errorOf(await comeBack(await begin()))).toBe('sign-in-failed');
    await givenMember();
    lies.claims = { ...lies.claims, sub: claims?.['sub'] };
    expect(await errorOf(await comeBack(await begin()))).toBe('sign-in-failed');
    lies = { claims: { ...claims, email } };
    expect(cookieOf(await comeBack(await begin()))).toMatch(/^local-session=/);
  });

  it('counts only sign-ins that succeed: a refused one does not use up a member’s sign-ins of the day', async () => {
    const counts = (email: string) =>
      env.DB.prepare("SELECT count FROM daily_counts WHERE subject = ? AND kind = 'sign-in'")
        .bind(email)
        .first('count');
    const email = await givenMember();
    const { claims } = lies;
    expect(cookieOf(await comeBack(await begin()))).toMatch(/^local-session=/);
    lies = { claims: { ...claims, sub: 'somebody else' } };
    for (let attempt = 0; attempt < 3; attempt++)
      expect(await errorOf(await comeBack(await begin()))).toBe('sign-in-failed');
    expect(await counts(email)).toBe(1);
    // A subject that is bound to another address, and a person without an organisation: no row at all.
    const other = await givenMember();
    lies.claims = { ...lies.claims, sub: claims?.['sub'] };
    expect(await errorOf(await comeBack(await begin()))).toBe('sign-in-failed');
    expect(await counts(other)).toBeNull();
    const stranger = `${crypto.randomUUID()}@example.com`;
    lies = { claims: { email: stranger, email_verified: true, sub: crypto.randomUUID() } };
    expect(await errorOf(await comeBack(await begin()))).toBe('unknown-member');
    expect(await counts(stranger)).toBeNull();
    // The member's own are counted, and end.
    const day = Math.floor(Date.now() / 86_400_000);
    await env.DB.prepare('UPDATE daily_counts SET count = 199, day = ? WHERE subject = ?')
      .bind(day, email)
      .run();
    lies = { claims: { ...claims, email } };
    expect(cookieOf(await comeBack(await begin()))).toMatch(/^local-session=/);
    expect(await errorOf(await comeBack(await begin()))).toBe('too-many-requests');
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

  it('never shows a text of the provider', async () => {
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

  it('asks a failing provider once in ten seconds, for all clients together', async () => {
    issuer = 'https://failing.example';
    const settings = { ...SETTINGS, OIDC_ISSUER: issuer };
    lies = { down: true };
    const at = vi.spyOn(Date, 'now').mockReturnValue(Date.now());
    for (let n = 0; n < 60; n++)
      expect(await errorOf(await send('/api/sign-in/oidc', '', settings))).toBe('provider-unavailable');
    expect(requests).toHaveLength(1);
    at.mockReturnValue(Date.now() + 10_000);
    lies = {};
    expect((await send('/api/sign-in/oidc', '', settings)).headers.get('location')).toContain(issuer);
    expect(requests).toHaveLength(2);
  });

  it('keeps the discovery document of the provider for ten minutes', async () => {
    issuer = 'https://remembered.example';
    const settings = { ...SETTINGS, OIDC_ISSUER: issuer };
    const start = Date.now();
    const at = vi.spyOn(Date, 'now');
    const askedAfter = async (ms: number) => {
      at.mockReturnValue(start + ms);
      expect((await send('/api/sign-in/oidc', '', settings)).status).toBe(302);
      return requests.length;
    };
    expect(await askedAfter(0)).toBe(1);
    expect(await askedAfter(599_999)).toBe(1);
    expect(await askedAfter(600_000)).toBe(2);
  });

  it('waits ten seconds for a provider that does not answer, at each step', async () => {
    const trip = await begin();
    lies = { silent: true };
    const waits: number[] = [];
    vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
      waits.push(ms);
      // The time is up at once.
      return AbortSignal.abort(new DOMException('too late', 'TimeoutError'));
    });
    expect(await errorOf(await comeBack(trip))).toBe('sign-in-failed');
    issuer = 'https://silent.example';
    const settings = { ...SETTINGS, OIDC_ISSUER: issuer };
    expect(await errorOf(await send('/api/sign-in/oidc', '', settings))).toBe('provider-unavailable');
    expect(waits).toEqual([10_000, 10_000]);
  });

  it('limits a client before it asks for the discovery document', async () => {
    issuer = 'https://limited.example';
    const settings = { ...SETTINGS, OIDC_ISSUER: issuer };
    lies = { down: true };
    let now = Date.now();
    // Each request comes when the failure before it is forgotten.
    vi.spyOn(Date, 'now').mockImplementation(() => (now += 10_000));
    const outcomes: (string | null)[] = [];
    for (let n = 0; n < 100; n++)
      outcomes.push(await errorOf(await send('/api/sign-in/oidc', '', settings, '203.0.113.1')));
    expect(outcomes.at(-1)).toBe('too-many-requests');
    expect(requests.length).toBe(outcomes.filter((outcome) => outcome !== 'too-many-requests').length);
    expect(requests.length).toBeLessThanOrEqual(60);
  });

  it('asks neither the provider nor storage for a callback that no sign-in began, and limits such callbacks', async () => {
    const { env: counted, calls } = deploymentWith(null);
    const { browser, state } = await begin();
    requests = [];
    // Not its last character: some of that one's bits mean nothing.
    const forged = browser.replace(/.(?=.{8}$)/, (one) => (one === 'A' ? 'B' : 'A'));
    const cookies = ['', browser, forged];
    const outcomes: (string | null)[] = [];
    for (let n = 0; n < 400; n++) {
      const asks = n % 3 === 2 ? state : 'made-up';
      const query = new URLSearchParams({ code: 'c', state: asks, iss: ISSUER });
      const path = `/api/sign-in/oidc/callback?${query}`;
      const settings = { ...counted, ...SETTINGS };
      outcomes.push(await errorOf(await send(path, cookies[n % 3], settings, '203.0.113.2')));
    }
    expect(new Set(outcomes)).toEqual(new Set(['sign-in-expired', 'too-many-requests']));
    expect(outcomes.filter((outcome) => outcome === 'sign-in-expired').length).toBeLessThanOrEqual(60);
    expect(calls.filter((name) => !name.startsWith('limiter'))).toEqual([]);
    expect(requests).toEqual([]);
  });

  it('asks the provider for at most 60 made-up codes of one client a minute, and storage for none', async () => {
    await begin();
    const { browser, state } = await begin();
    const { env: counted, calls } = deploymentWith(null);
    requests = [];
    const outcomes = await Promise.all(
      Array.from({ length: 150 }, async (_, n) => {
        usedCodes.add(`made-up-${n}`);
        const query = new URLSearchParams({ code: `made-up-${n}`, state, iss: ISSUER });
        const path = `/api/sign-in/oidc/callback?${query}`;
        return errorOf(await send(path, browser, { ...counted, ...SETTINGS }, '203.0.113.3'));
      }),
    );
    expect(new Set(outcomes)).toEqual(new Set(['sign-in-failed', 'too-many-requests']));
    // A minute may end in between.
    expect(requests.filter((request) => request === 'token').length).toBeLessThanOrEqual(120);
    expect(calls.filter((name) => !name.startsWith('limiter'))).toEqual([]);
  });

  it('says on the sign-in page that the browser is over the limit', async () => {
    const settings = { ...SETTINGS, SIGN_INS_PER_CLIENT: { limit: async () => ({ success: false }) } };
    const trip = await begin();
    requests = [];
    expect(await errorOf(await send('/api/sign-in/oidc', '', settings))).toBe('too-many-requests');
    expect(await errorOf(await comeBack(trip, ISSUER, settings))).toBe('too-many-requests');
    expect(requests).toEqual([]);
  });

  it.each(FAULTS)(
    'is all or nothing at whatever step storage fails, and signing in again completes it: a call is %s',
    async (kind) => {
      const clean = deploymentWith(null);
      await givenMember();
      expect(cookieOf(await comeBack(await begin(), ISSUER, clean.env))).toMatch(/^local-session=/);
      expect(clean.calls).toContain('D1.batch');
      for (const [at, name] of clean.calls.entries()) {
        const email = await givenMember();
        const answer = await comeBack(await begin(), ISSUER, deploymentWith({ at, kind }).env);
        const isDone = (await count('sessions', email)) === 1;
        expect(await count('identities', email)).toBe(Number(isDone));
        // A slow call is waited for, a limiter that fails lets pass; after any other the person stands on the sign-in page
        // without a session.
        const passes = kind === 'slow' || name.startsWith('limiter');
        const said = passes ? (answer.headers.get('location') ?? '') : await errorOf(answer);
        expect(said).toBe(passes ? `${ORIGIN}/activity` : 'storage-unavailable');
        expect(cookieOf(await comeBack(await begin()))).toMatch(/^local-session=/);
        expect(await count('identities', email)).toBe(1);
      }
    },
  );

  it.each(['/api/sign-in/oidc', '/api/sign-in/oidc/callback'])(
    'answers 404 at %s unless it is set up',
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

/** ID tokens as these providers make them, by their documentation; what every token has is left out. */
const TENANT = '6babcaad-604b-40ac-a9d7-9fd97c0b779f';
const PROVIDERS = {
  Okta: {
    issuer: 'https://acme.okta.example',
    claims: { ver: 1, amr: ['pwd'], idp: '00o1', auth_time: 1, at_hash: 'h', preferred_username: 'a' },
    sign: { email_verified: true },
  },
  Google: {
    issuer: 'https://accounts.google.example',
    claims: { azp: 'zone', hd: 'example.com', at_hash: 'h' },
    sign: { email_verified: true },
  },
  Authentik: {
    issuer: 'https://authentik.example/application/o/zone/',
    claims: {
      acr: 'goauthentik.io/providers/oauth2/default',
      amr: ['pwd'],
      sid: 's',
      groups: ['g'],
      uid: 'u',
    },
    sign: { email_verified: true },
  },
  Keycloak: {
    issuer: 'https://sso.example/realms/acme',
    claims: { azp: 'zone', typ: 'ID', acr: '1', sid: 's', preferred_username: 'a', name: 'A' },
    sign: { email_verified: true },
  },
  Clerk: {
    issuer: 'https://clerk.acme.example',
    claims: { azp: 'zone', family_name: 'A', given_name: 'B', public_metadata: {} },
    sign: { email_verified: true },
  },
  'Microsoft Entra': {
    issuer: `https://login.microsoftonline.com/${TENANT}/v2.0`,
    claims: { ver: '2.0', tid: TENANT, oid: 'o', preferred_username: 'a', rh: 'r', uti: 'u' },
    sign: { xms_edov: true },
  },
  'Cloudflare Access': {
    issuer: 'https://acme.cloudflareaccess.example/cdn-cgi/access/sso/oidc/1',
    claims: { amr: ['pwd'], name: 'A' },
    sign: {},
    settings: { OIDC_EMAIL_TRUSTED: '1' },
  },
};

describe('a token of', () => {
  /** Signs in with a token of the provider's shape, changed by `more`. */
  async function signInBy(
    name: keyof typeof PROVIDERS,
    more: Record<string, unknown> = {},
    settings: object = {},
  ): Promise<Response> {
    await givenMember();
    const { email, sub } = lies.claims ?? {};
    const provider: { issuer: string; claims: object; sign: object; settings?: object } = PROVIDERS[name];
    issuer = provider.issuer;
    lies = { claims: { email, sub, ...provider.claims, ...provider.sign, ...more } };
    const deployment = { ...SETTINGS, OIDC_ISSUER: issuer, ...provider.settings, ...settings };
    return comeBack(await begin('/activity', deployment), issuer, deployment);
  }

  it.each(Object.keys(PROVIDERS) as (keyof typeof PROVIDERS)[])('%s signs a member in', async (name) => {
    expect(cookieOf(await signInBy(name))).toMatch(/^local-session=/);
  });

  it('Okta without the address, which its user info has, signs a member in', async () => {
    await givenMember();
    const { email, sub } = lies.claims ?? {};
    issuer = PROVIDERS.Okta.issuer;
    lies = { claims: { sub, ...PROVIDERS.Okta.claims }, userInfo: { sub, email, email_verified: true } };
    const deployment = { ...SETTINGS, OIDC_ISSUER: issuer };
    expect(cookieOf(await comeBack(await begin('/', deployment), issuer, deployment))).toMatch(
      /^local-session=/,
    );
  });

  it.each([1, '1', 'true'])('Entra whose xms_edov is %j signs a member in', async (xms_edov) => {
    expect(cookieOf(await signInBy('Microsoft Entra', { xms_edov }))).toMatch(/^local-session=/);
  });

  it.each<[string, keyof typeof PROVIDERS, Record<string, unknown>, object]>([
    ['Entra that does not say xms_edov', 'Microsoft Entra', { xms_edov: undefined }, {}],
    ['Entra whose xms_edov is false', 'Microsoft Entra', { xms_edov: false }, {}],
    ['Entra whose xms_edov is 0', 'Microsoft Entra', { xms_edov: 0 }, {}],
    ['Entra that says false, whatever xms_edov is', 'Microsoft Entra', { email_verified: false }, {}],
    [
      'Entra without xms_edov, though trusted',
      'Microsoft Entra',
      { xms_edov: 0 },
      { OIDC_EMAIL_TRUSTED: '1' },
    ],
    ['another issuer that says xms_edov', 'Keycloak', { email_verified: undefined, xms_edov: true }, {}],
    ['Authentik as it is set up at first', 'Authentik', { email_verified: false }, {}],
    ['Keycloak of an address that is not verified', 'Keycloak', { email_verified: false }, {}],
    ['Access that nobody said to trust', 'Cloudflare Access', {}, { OIDC_EMAIL_TRUSTED: '' }],
    ['a trusted issuer that says false', 'Cloudflare Access', { email_verified: false }, {}],
    ['a trusted issuer that says null', 'Cloudflare Access', { email_verified: null }, {}],
  ])('%s signs no person in', async (_, name, more, settings) => {
    expect(await errorOf(await signInBy(name, more, settings))).toBe('email-not-verified');
  });

  it('another tenant of Entra signs no person in', async () => {
    const tid = crypto.randomUUID();
    expect(await errorOf(await signInBy('Microsoft Entra', { tid }))).toBe('sign-in-failed');
    const iss = `https://login.microsoftonline.com/${tid}/v2.0`;
    expect(await errorOf(await signInBy('Microsoft Entra', { tid, iss }))).toBe('sign-in-failed');
    expect(await errorOf(await signInBy('Microsoft Entra', { tid: undefined }))).toBe('sign-in-failed');
  });
});

describe('the way back', () => {
  const TOKEN_PAGE = '/developer-zone/tokens/00000000-0000-4000-8000-000000000000?organisation=acme';
  it.each(['/developer-zone?organisation=acme', TOKEN_PAGE, '/activity', '/sessions'])('keeps %s', (path) => {
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
    '/developer-zone/tokens/',
    '/developer-zone/tokens/a/b',
    '/developer-zone%2f..',
    'javascript:alert(1)',
    `/${'a'.repeat(2000)}`,
  ])('leads %s to the dashboard', (path) => {
    expect(pathToReturnTo(path, ORIGIN)).toBe('/developer-zone');
  });
});
