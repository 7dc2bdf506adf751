import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { openDeployment } from '../deployment/deployment.ts';
import { deploymentWith } from '../test/faults.ts';
import { markedValue } from '../marked.ts';
import { randomValue } from '../random.ts';
import {
  call,
  callAt,
  callWith,
  givenCode,
  givenOrganisation,
  givenSession,
  withinOneMinute,
  write,
  writing,
} from '../test/harness.ts';
import { redeemLinkCode } from './link-code.ts';
import { findSession, readSession } from './session.ts';

function cookieOf(answer: Response): string {
  return (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
}

async function askForLink(email: string, cookie = ''): Promise<{ code: string; browser: string }> {
  const answer = await write('POST', '/api/sign-in/link', { cookie }, { email });
  expect(answer.status).toBe(202);
  const { link } = await answer.json<{ link: string }>();
  return { code: link.split('#code=')[1] ?? '', browser: cookieOf(answer) };
}

function redeem(code: string, cookie: string): Promise<Response> {
  return write('POST', '/api/sign-in/redeem', { cookie }, { code });
}

/** A link for a member, which a browser with this cookie asks for. The whole answer of the cookie is looked at. */
async function givenLinkOf(cookie: string): Promise<{ code: string; browser: string }> {
  const email = address();
  await givenOrganisation('enterprise', [email]);
  const answer = await write('POST', '/api/sign-in/link', { cookie }, { email });
  expect([answer.status, answer.headers.get('x-evil')]).toEqual([202, null]);
  expect(answer.headers.getSetCookie()).toEqual([
    expect.stringMatching(/^local-sign-in=[\w-]{43}; Max-Age=600; Path=\/; HttpOnly; SameSite=Lax$/),
  ]);
  const { link } = await answer.json<{ link: string }>();
  return { code: link.split('#code=')[1] ?? '', browser: cookieOf(answer) };
}

function address(): string {
  return `${crypto.randomUUID()}@example.com`;
}

describe('signing in by link', () => {
  it('gives a session with the member and their organisations', async () => {
    const email = address();
    const organisation = await givenOrganisation('pro', [email]);
    const { code, browser } = await askForLink(email.toUpperCase());
    const answer = await redeem(code, browser);
    expect(answer.status).toBe(204);
    expect(answer.headers.getSetCookie()[0]).toMatch(
      /^local-session=[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; SameSite=Lax$/,
    );
    const session = await call('/api/session', { headers: { cookie: cookieOf(answer) } });
    expect(await session.json()).toEqual({
      member: { email },
      organisations: [{ id: organisation, name: organisation, plan: 'pro', pausedAt: null }],
    });
  });

  it('sets cookies only for its host and https, and accepts no other', async () => {
    const email = address();
    await givenOrganisation('pro', [email]);
    const code = await givenCode(email, 'browser', Date.now());
    const ask = (path: string, cookie: string, method = 'POST') =>
      callAt(
        env,
        `https://zone.example${path}`,
        writing(method, { cookie, origin: 'https://zone.example' }, method === 'POST' ? { code } : undefined),
      );
    expect((await ask('/api/sign-in/redeem', 'local-sign-in=browser')).status).toBe(401);
    const answer = await ask('/api/sign-in/redeem', '__Host-sign-in=browser');
    const [sessionCookie, knownCookie] = answer.headers.getSetCookie();
    expect(sessionCookie).toMatch(
      /^__Host-session=[\w-]{43}; Max-Age=43200; Path=\/; Secure; HttpOnly; SameSite=Lax$/,
    );
    expect(knownCookie).toMatch(
      /^__Host-known-browser=[\w-]{43}; Max-Age=15552000; Path=\/; Secure; HttpOnly; SameSite=Lax$/,
    );
    const session = cookieOf(answer);
    expect((await ask('/api/session', session, 'GET')).status).toBe(200);
    expect((await ask('/api/session', session.replace('__Host-', 'local-'), 'GET')).status).toBe(401);
    // Nor does local mode take theirs.
    expect((await call('/api/session', { headers: { cookie: session } })).status).toBe(401);
  });

  it('accepts a link once, even with ten redemptions at the same time', async () => {
    const email = address();
    await givenOrganisation('enterprise', [email]);
    const { code, browser } = await askForLink(email);
    const answers = await Promise.all(Array.from({ length: 10 }, () => redeem(code, browser)));
    expect(answers.filter((answer) => answer.status === 204)).toHaveLength(1);
    expect(answers.filter((answer) => answer.status === 401)).toHaveLength(9);
  });

  it('accepts a link only in the browser that asked for it', async () => {
    const email = address();
    await givenOrganisation('enterprise', [email]);
    const { code } = await askForLink(email);
    const other = await askForLink(address());
    expect((await redeem(code, other.browser)).status).toBe(401);
    expect((await redeem(code, '')).status).toBe(401);
  });

  it('accepts a link for ten minutes', async () => {
    const email = address();
    await givenOrganisation('enterprise', [email]);
    const db = await openDeployment(env).openDatabase();
    const code = await givenCode(email, 'browser', 0);
    const redeemedAt = (now: number) =>
      redeemLinkCode(
        db,
        code,
        { code: 'browser', session: undefined, newSession: randomValue(), isKnown: true },
        { requestId: 'r', ip: null, userAgent: null, at: new Date(now).toISOString() },
        now,
      );
    expect(await redeemedAt(10 * 60_000)).toBeNull();
    expect(await redeemedAt(10 * 60_000 - 1)).toMatch(/^__Host-session=/);
  });

  it('answers a stranger as it answers a member, and lets no stranger in', async () => {
    const { code, browser } = await askForLink(address());
    expect((await redeem(code, browser)).status).toBe(401);
  });

  it('shows the link only on a local host', async () => {
    const answer = await call('https://zone.example/api/sign-in/link', {
      method: 'POST',
      headers: { origin: 'https://zone.example', 'content-type': 'application/json' },
      body: JSON.stringify({ email: address() }),
    });
    expect(answer.status).toBe(404);
  });

  it.each([
    'a',
    'a@b',
    'ａ@example.com',
    'a@exаmple.com',
    'a b@example.com',
    '"a"@example.com',
    `${'a'.repeat(65)}@example.com`,
  ])('refuses %s as an address', async (email) => {
    const answer = await write('POST', '/api/sign-in/link', {}, { email });
    expect(answer.status).toBe(422);
    expect(await answer.json()).toMatchObject({ detail: 'Field "email": not an e-mail address' });
  });

  it('limits the links of one address', async () => {
    const email = address();
    const statuses: number[] = [];
    for (let ask = 0; ask < 11; ask++) {
      const headers = { 'cf-connecting-ip': address() };
      statuses.push((await write('POST', '/api/sign-in/link', headers, { email })).status);
    }
    expect(statuses).toEqual([...Array<number>(9).fill(202), 429, 429]);
  });

  it('gives a member a link while two other clients ask for their address all the time', async () => {
    const email = address();
    await givenOrganisation('enterprise', [email]);
    const ask = (ip: string) => write('POST', '/api/sign-in/link', { 'cf-connecting-ip': ip }, { email });
    const others = [address(), address()];
    for (let count = 0; count < 5; count++) for (const ip of others) await ask(ip);
    const mine = await ask(address());
    expect(mine.status).toBe(202);
    // What they ask for then takes nothing away.
    for (const ip of [...others, address(), address(), address()]) await ask(ip);
    const { link } = await mine.json<{ link: string }>();
    expect((await redeem(link.split('#code=')[1] ?? '', cookieOf(mine))).status).toBe(204);
  });

  it('gives a browser in which the member has signed in a link, however many clients ask for their address', async () => {
    const email = address();
    await givenOrganisation('enterprise', [email]);
    const { code, browser } = await askForLink(email);
    const known = (await redeem(code, browser)).headers.getSetCookie()[1]?.split(';')[0] ?? '';
    const network = address();
    const ask = (cookie: string, to = email, ip = network) =>
      write('POST', '/api/sign-in/link', { cookie, 'cf-connecting-ip': ip }, { email: to });
    // From many networks, and from the member's own.
    for (let count = 0; count < 12; count++) await ask('', email, address());
    for (let count = 0; count < 4; count++) await ask('');
    expect((await ask('')).status).toBe(429);
    const forged = known.replace(/.$/, (last) => (last === 'A' ? 'E' : 'A'));
    expect((await ask(forged)).status).toBe(429);
    const mine = await ask(known);
    expect(mine.status).toBe(202);
    const { link } = await mine.json<{ link: string }>();
    expect((await redeem(link.split('#code=')[1] ?? '', cookieOf(mine))).status).toBe(204);
    // It is worth nothing for another address.
    const other = address();
    for (let count = 0; count < 9; count++) await ask('', other, address());
    expect((await ask(known, other, address())).status).toBe(429);
  });

  it('limits the links of one client for all addresses together, and counts an IPv6 network as one client', async () => {
    const part = (): string => Math.floor(Math.random() * 65_536).toString(16);
    const ask = async (ip: string): Promise<number> =>
      (await write('POST', '/api/sign-in/link', { 'cf-connecting-ip': ip }, { email: address() })).status;
    const [statuses, last, other] = await withinOneMinute(async () => {
      // Anew for each burst: one that a minute's end cut in two has counted already.
      const networks = [`2001:db8:${part()}:${part()}`, `2001:db8:${part()}:${part()}`] as const;
      return [
        await Promise.all(Array.from({ length: 30 }, (_, host) => ask(`${networks[0]}::${host + 1}`))),
        await ask(`${networks[0]}::ffff`),
        await ask(`${networks[1]}::1`),
      ] as const;
    });
    expect([new Set(statuses), last, other]).toEqual([new Set([202]), 429, 202]);
  });

  it.each([
    ['a line break', 'a%0d%0aX-Evil:%201'],
    ['an attribute', 'a%3B%20Domain%3Devil%3B'],
    ['an attribute after a value of the right length', `${'a'.repeat(43)}%3B%20Domain%3Devil`],
    ['a line break after a value of the right length', `${'a'.repeat(43)}%0a`],
    ['a character outside ASCII', `${'a'.repeat(42)}%C4%80`],
    ['a value that is too short', 'a'.repeat(42)],
    ['a value that is too long', 'a'.repeat(44)],
    ['nothing', ''],
  ])('gives a new cookie to a browser that sends one that was not made here: %s', async (_, sent) => {
    const { code, browser } = await givenLinkOf(`local-sign-in=${sent}`);
    expect(browser.split('=')[1]).not.toBe(decodeURIComponent(sent));
    expect((await redeem(code, browser)).status).toBe(204);
  });

  it('lets a browser keep the cookie that it was given, for its other links', async () => {
    const first = await givenLinkOf('');
    const second = await givenLinkOf(first.browser);
    expect(second.browser).toBe(first.browser);
    expect((await redeem(first.code, first.browser)).status).toBe(204);
  });

  it('does not ask storage for made-up codes, and limits them', async () => {
    const { browser } = await askForLink(address());
    const ip = address();
    const { env: counted, calls } = deploymentWith(null);
    const statuses: number[] = [];
    for (let count = 0; count < 100; count++) {
      const code = count % 2 === 0 ? randomValue() : 'x';
      const asked = writing('POST', { cookie: browser, 'cf-connecting-ip': ip }, { code });
      statuses.push((await callAt(counted, '/api/sign-in/redeem', asked)).status);
    }
    expect(new Set(statuses)).toEqual(new Set([401, 429]));
    expect(calls.filter((name) => !name.startsWith('limiter'))).toEqual([]);
  });

  it('limits the attempts with one genuine code, and does not lock out other people at the same address', async () => {
    const [email, other, ip] = [address(), address(), address()];
    await givenOrganisation('enterprise', [email, other]);
    const [code, colleagues] = [await givenCode(email, 'mine'), await givenCode(other, 'theirs')];
    const from = (browser: string) => ({ cookie: `local-sign-in=${browser}`, 'cf-connecting-ip': ip });
    const statuses = await withinOneMinute(async () => {
      const answers: number[] = [];
      for (let count = 0; count < 35; count++)
        answers.push((await write('POST', '/api/sign-in/redeem', from('another'), { code })).status);
      return answers;
    });
    expect(new Set(statuses)).toEqual(new Set([401, 429]));
    const answer = await write('POST', '/api/sign-in/redeem', from('theirs'), { code: colleagues });
    expect(answer.status).toBe(204);
  });

  it('sends a few links to one address, fewer of them for one client, and the owner can still sign in', async () => {
    const email = address();
    await givenOrganisation('enterprise', [email]);
    // No other limit refuses first: the requests are spread over the day.
    const unlimited = { limit: () => Promise.resolve({ success: true }) };
    const settings = {
      ...env,
      LINKS_PER_CLIENT: unlimited,
      LINKS_PER_ADDRESS_AND_CLIENT: unlimited,
    };
    const ask = (ip: string) =>
      callAt(settings, '/api/sign-in/link', writing('POST', { 'cf-connecting-ip': ip }, { email }));
    const statuses: number[] = [];
    for (let count = 0; count < 20; count++) statuses.push((await ask('203.0.113.66')).status);
    expect(statuses).toEqual([202, 202, 202, ...Array<number>(17).fill(429)]);
    expect((await ask('203.0.113.66')).headers.get('retry-after')).toBe('600');
    const mine = await ask('198.51.100.1');
    expect(mine.status).toBe(202);
    const { link } = await mine.json<{ link: string }>();
    expect((await redeem(link.split('#code=')[1] ?? '', cookieOf(mine))).status).toBe(204);
  });

  it('counts by address and client first: refused requests of one client do not count for the address', async () => {
    const ask = async (ip: string, email: string) =>
      (await write('POST', '/api/sign-in/link', { 'cf-connecting-ip': ip }, { email })).status;
    const [statuses, mine] = await withinOneMinute(async () => {
      const [email, attacker, owner] = [address(), address(), address()];
      const answers: number[] = [];
      for (let count = 0; count < 10; count++) answers.push(await ask(attacker, email));
      return [answers, await ask(owner, email)] as const;
    });
    expect(statuses).toEqual([202, 202, 202, ...Array<number>(7).fill(429)]);
    expect(mine).toBe(202);
  });

  it('does not ask storage for a link over the limit of the minute, by address and client', async () => {
    const [email, ip] = [address(), address()];
    const { env: counted, calls } = deploymentWith(null);
    const keys: string[] = [];
    const limiter = {
      limit: ({ key }: { key: string }) => {
        keys.push(key);
        return Promise.resolve({ success: false });
      },
    };
    const settings = { ...counted, LINKS_PER_ADDRESS_AND_CLIENT: limiter };
    const asked = writing('POST', { 'cf-connecting-ip': ip }, { email });
    const answer = await callAt(settings, '/api/sign-in/link', asked);
    expect(answer.status).toBe(429);
    expect(keys).toEqual([`${email} ${ip}`]);
    expect(calls.filter((name) => !name.startsWith('limiter'))).toEqual([]);
  });

  it('writes 1000 links a day for one network address, whatever the addresses', async () => {
    const client = address();
    const day = Math.floor(Date.now() / 86_400_000);
    await env.DB.prepare("INSERT INTO daily_counts VALUES (?, 'link', ?, 999)").bind(client, day).run();
    const ask = (email: string) =>
      write('POST', '/api/sign-in/link', { 'cf-connecting-ip': client }, { email });
    expect((await ask(address())).status).toBe(202);
    const email = address();
    const answer = await ask(email);
    expect(answer.status).toBe(429);
    expect(Number(answer.headers.get('retry-after'))).toBeLessThanOrEqual(86_400);
    const rows = await env.DB.prepare('SELECT count(*) AS n FROM sign_ins WHERE email = ?')
      .bind(email)
      .first('n');
    expect(rows).toBe(0);
  });

  it('counts a /48 of IPv6 together as well, which one customer may own', async () => {
    const site = `2001:db8:${Math.floor(Math.random() * 65_536).toString(16)}`;
    const keys: string[] = [];
    const limiter = {
      limit: ({ key }: { key: string }) => Promise.resolve({ success: keys.push(key) <= 3 }),
    };
    const from = async (ip: string, path: string, body: object) => {
      const settings = { ...env, REQUESTS_PER_NETWORK: limiter };
      const asked = writing('POST', { 'cf-connecting-ip': ip }, body);
      return (await callAt(settings, `/api/sign-in/${path}`, asked)).status;
    };
    const statuses: number[] = [];
    for (let net = 0; net < 3; net++)
      statuses.push(await from(`${site}:${net}::1`, 'link', { email: address() }));
    for (let net = 3; net < 5; net++)
      statuses.push(await from(`${site}:${net}::1`, 'link', { email: address() }));
    statuses.push(await from(`${site}:5::1`, 'redeem', { code: 'x' }));
    expect(statuses).toEqual([202, 202, 202, 429, 429, 429]);
    expect(new Set(keys)).toEqual(new Set([`${site}::/48`]));
    // An IPv4 address is one client.
    expect(await from('203.0.113.77', 'link', { email: address() })).toBe(202);
  });

  it('sends three links of one /48 to an address, and 3,000 a day to all addresses', async () => {
    const site = `2001:db8:${Math.floor(Math.random() * 65_536).toString(16)}`;
    const ask = (net: number, email: string) =>
      write('POST', '/api/sign-in/link', { 'cf-connecting-ip': `${site}:${net}::1` }, { email });
    const email = address();
    await withinOneMinute(async () => {
      for (let net = 0; net < 3; net++) expect((await ask(net, email)).status).toBe(202);
      expect((await ask(3, email)).status).toBe(429);
    });
    const day = Math.floor(Date.now() / 86_400_000);
    await env.DB.prepare("INSERT OR REPLACE INTO daily_counts VALUES (?, 'link', ?, 2999)")
      .bind(`${site}::/48`, day)
      .run();
    expect((await ask(4, address())).status).toBe(202);
    const answer = await ask(5, address());
    expect(answer.status).toBe(429);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it('lets a member sign in 200 times a day', async () => {
    const email = address();
    await givenOrganisation('enterprise', [email]);
    const cookie = { cookie: 'local-sign-in=browser' };
    const day = Math.floor(Date.now() / 86_400_000);
    await env.DB.prepare("INSERT INTO daily_counts VALUES (?, 'sign-in', ?, 199)").bind(email, day).run();
    const redeemOne = async () =>
      write('POST', '/api/sign-in/redeem', cookie, { code: await givenCode(email, 'browser') });
    expect((await redeemOne()).status).toBe(204);
    const answer = await redeemOne();
    expect(answer.status).toBe(429);
    expect(Number(answer.headers.get('retry-after'))).toBeLessThanOrEqual(86_400);
    expect(answer.headers.get('set-cookie')).toBeNull();
  });

  it('does not count the sign-in of a person without an organisation', async () => {
    const email = address();
    const code = await givenCode(email, 'browser');
    const answer = await write('POST', '/api/sign-in/redeem', { cookie: 'local-sign-in=browser' }, { code });
    expect(answer.status).toBe(401);
    const counted = await env.DB.prepare('SELECT * FROM daily_counts WHERE subject = ?').bind(email).first();
    expect(counted).toBeNull();
  });

  it('tells the sign-in page which ways to sign in there are', async () => {
    const methods = async (origin: string, settings: object): Promise<unknown> => {
      return (await callWith(settings, `${origin}/api/sign-in/methods`)).json();
    };
    const provider = {
      OIDC_ISSUER: 'https://issuer.example',
      OIDC_CLIENT_ID: 'zone',
      OIDC_NAME: 'Acme Login',
    };
    expect(await methods('http://localhost', {})).toEqual({ link: true, oidc: null });
    expect(await methods('https://zone.example', provider)).toEqual({
      link: false,
      oidc: { name: 'Acme Login' },
    });
    expect(await methods('https://zone.example', { EMAIL_FROM: 'zone@example.com' })).toMatchObject({
      link: true,
    });
  });
});

describe('a session', () => {
  it('begins with a new id, and ends the session that the browser sent', async () => {
    const email = address();
    await givenOrganisation('enterprise', [email]);
    const planted = await givenSession(address());
    const { code, browser } = await askForLink(email);
    const answer = await redeem(code, `${browser}; ${planted.cookie}`);
    expect(cookieOf(answer)).not.toBe(planted.cookie);
    expect((await call('/api/session', { headers: planted })).status).toBe(401);
  });

  it('ends when the member signs out', async () => {
    const session = await givenSession(address());
    const answer = await write('POST', '/api/sign-out', session);
    expect(answer.status).toBe(204);
    expect(answer.headers.get('set-cookie')).toContain('Max-Age=0');
    expect(answer.headers.get('clear-site-data')).toBe('"cache", "storage"');
    expect((await call('/api/session', { headers: session })).status).toBe(401);
  });

  it('ends after two idle hours, and after twelve however busy', async () => {
    const { cookie } = await givenSession(address());
    const db = await openDeployment(env).openDatabase();
    const value = cookie.split('=')[1] ?? '';
    const hour = 3_600_000;
    const start = Date.now();
    await env.DB.prepare('UPDATE sessions SET expires_at = ? WHERE seen_at <= ?')
      .bind(start + 12 * hour, start)
      .run();
    expect(await readSession(db, value, start + 2 * hour + 60_000)).toBeNull();
    for (let at = 1; at < 12; at++) expect(await readSession(db, value, start + at * hour)).not.toBeNull();
    expect(await readSession(db, value, start + 12 * hour)).toBeNull();
  });

  it('is listed and ended only by its own member', async () => {
    const email = address();
    const [mine, other, stranger] = [
      await givenSession(email),
      await givenSession(email),
      await givenSession(address()),
    ];
    const list = async (headers: HeadersInit) =>
      (
        await (
          await call('/api/sessions', { headers })
        ).json<{ sessions: { id: string; current: boolean }[] }>()
      ).sessions;
    const target = (await list(mine)).find((session) => !session.current);
    expect((await write('DELETE', `/api/sessions/${target?.id}`, stranger)).status).toBe(404);
    expect((await write('DELETE', `/api/sessions/${target?.id}`, mine)).status).toBe(204);
    expect((await call('/api/session', { headers: other })).status).toBe(401);
    expect(await list(mine)).toHaveLength(1);
  });

  it('ends everywhere at once', async () => {
    const email = address();
    const sessions = [await givenSession(email), await givenSession(email)];
    expect((await write('POST', '/api/sessions/sign-out-everywhere', sessions[0] ?? {})).status).toBe(204);
    for (const session of sessions)
      expect((await call('/api/session', { headers: session })).status).toBe(401);
  });

  it.each(['', 'x', '../..', 'a'.repeat(43)])('is not opened by the cookie "%s"', async (value) => {
    expect((await call('/api/session', { headers: { cookie: `local-session=${value}` } })).status).toBe(401);
  });

  it.each(['/api/session', '/api/sessions', '/api/organisations/acme/tokens', '/developer-zone'])(
    'that was made up asks the storage nothing at %s, and counts against its client at /api alone',
    async (path) => {
      const { env: counted, calls } = deploymentWith(null);
      const ip = address();
      const statuses: number[] = [];
      for (let count = 0; count < 100; count++) {
        const headers = { cookie: `local-session=${randomValue()}`, 'cf-connecting-ip': ip };
        statuses.push((await callAt(counted, path, { headers })).status);
      }
      expect(new Set(statuses)).toEqual(new Set(path.startsWith('/api') ? [401, 429] : [200]));
      expect(calls.filter((name) => /^(?:D1|KV|hub)/.test(name))).toEqual([]);
      // A colleague at the same address is signed in all the while.
      const { cookie } = await givenSession(address());
      const colleague = await call('/api/session', { headers: { cookie, 'cf-connecting-ip': ip } });
      expect(colleague.status).toBe(200);
    },
  );

  it('that has ended asks storage once, and is answered as ended however often it is sent', async () => {
    const session = await givenSession(address());
    expect((await write('POST', '/api/sign-out', session)).status).toBe(204);
    const { env: counted, calls } = deploymentWith(null);
    for (let count = 0; count < 100; count++) {
      expect((await callAt(counted, '/api/session', { headers: session })).status).toBe(401);
    }
    expect(calls).toEqual(['D1.raw']);
  });

  it('that has ended is known without storage until a thousand others have ended', async () => {
    const { env: counted, calls } = deploymentWith(null);
    const db = await openDeployment(counted).openDatabase();
    const { tagKeys } = openDeployment(counted).settings;
    const ended = Array.from({ length: 1001 }, () => markedValue(tagKeys, 'session'));
    const ask = (cookie = '') => findSession(tagKeys, db, cookie, Date.now());
    await ask(ended[0]);
    for (let start = 1; start < ended.length; start += 100)
      await Promise.all(ended.slice(start, start + 100).map(ask));
    expect(calls).toHaveLength(1001);
    await ask(ended[1]);
    expect(calls).toHaveLength(1001);
    await ask(ended[0]);
    expect(calls).toHaveLength(1002);
  });

  it('is recorded when it begins and when it ends, and nothing else is recorded', async () => {
    const email = address();
    const organisation = await givenOrganisation('enterprise', [email]);
    const actions = async () =>
      (
        await env.DB.prepare('SELECT action, detail FROM events WHERE organisation_id = ? ORDER BY id')
          .bind(organisation)
          .all<{ action: string; detail: string | null }>()
      ).results.map(({ action, detail }) => `${action} ${detail}`);
    const { code, browser } = await askForLink(email);
    const mine = { cookie: cookieOf(await redeem(code, browser)) };
    expect((await write('DELETE', `/api/sessions/${crypto.randomUUID()}`, mine)).status).toBe(404);
    expect(await actions()).toEqual(['sign-in link, new browser']);
    await write('POST', '/api/sign-out', mine);
    expect(await actions()).toEqual(['sign-in link, new browser', 'sign-out null']);
  });

  it('is written at most once a minute when it is read', async () => {
    const { cookie } = await givenSession(address());
    const db = await openDeployment(env).openDatabase();
    const value = cookie.split('=')[1] ?? '';
    const first = await readSession(db, value, Date.now());
    const seen = first?.seenAt ?? 0;
    expect((await readSession(db, value, seen + 59_000))?.seenAt).toBe(seen);
    await readSession(db, value, seen + 61_000);
    expect((await readSession(db, value, seen + 61_001))?.seenAt).toBe(seen + 61_000);
  });

  it('shows nothing to a removed member, from the next request on', async () => {
    const email = address();
    const organisation = await givenOrganisation('enterprise', [email]);
    const session = await givenSession(email);
    const path = `/api/organisations/${organisation}/tokens`;
    expect((await call(path, { headers: session })).status).toBe(200);
    await env.DB.prepare('DELETE FROM members WHERE email = ?').bind(email).run();
    expect((await call(path, { headers: session })).status).toBe(404);
  });
});
