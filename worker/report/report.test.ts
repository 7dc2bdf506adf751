// Reports of leaked tokens, over HTTP: who may send one, what it ends, and what it costs.
import { env } from 'cloudflare:workers';
import { describe, expect, it, vi } from 'vitest';
import { openDeployment } from '../deployment/deployment.ts';
import type { Env } from '../deployment/env.ts';
import { deploymentWith } from '../test/faults.ts';
import {
  actionsOf,
  bearer,
  call,
  givenOrganisation,
  givenSession,
  givenToken,
  settledAt,
  slugOf,
  statusOf,
  withinOneMinute,
  write,
} from '../test/harness.ts';
import { sha256Hex } from '../random.ts';
import { hashOfSecret, mintSecret } from '../token/secret.ts';
import type { Token } from '../token/store.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
/** Well-formed and genuine, but of no row: minted and deleted, say. */
const mintedOnly = () => mintSecret(openDeployment(env).settings.tagKeys);

/** A report of a client of its own. What runs behind the answer is waited for. */
const send = (body: BodyInit, headers: HeadersInit = JSON_TYPE, deployment: Env = env, path = '/report') =>
  settledAt(deployment, path, {
    method: 'POST',
    body,
    headers: { 'cf-connecting-ip': crypto.randomUUID(), ...Object.fromEntries(new Headers(headers)) },
  });
const report = (tokens: string[], url?: string, deployment: Env = env) =>
  send(JSON.stringify({ tokens, url }), JSON_TYPE, deployment);

/** A write to the token, or below the list of tokens. */
type Change = [method: string, below: string, body?: object];
/** `wasActive`: whether the mark says that the exposure switched the token off; null: there is no mark. Null: there is no token. */
type Ending = { active: boolean; wasActive: boolean | null; isTogether: boolean } | null;

async function given(active = true) {
  const email = `${crypto.randomUUID()}@example.com`;
  const organisation = await givenOrganisation('enterprise', [email]);
  const token = await givenToken(organisation, active);
  const session = await givenSession(email);
  const path = `/api/organisations/${organisation}/tokens`;
  const shown = async () => {
    const answer = await call(path, { headers: session });
    const { tokens } = await answer.json<{ tokens: Token[] }>();
    return tokens.find(({ id }) => id === token.id);
  };
  return { organisation, ...token, session, path: `${path}/${token.id}`, shown };
}

/** The same deployment, and what is asked of its storage. */
function counting(): { deployment: Env; asked: string[] } {
  const asked: string[] = [];
  const watch = <T extends object>(binding: T, prefix: string): T =>
    new Proxy(binding, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        asked.push(`${prefix}.${String(name)}`);
        return value.bind(target);
      },
    });
  const deployment = {
    ...env,
    DB: watch(env.DB, 'DB'),
    TOKEN_CACHE: watch(env.TOKEN_CACHE, 'KV'),
    CHANGE_HUB: watch(env.CHANGE_HUB, 'hub'),
  };
  return { deployment, asked };
}

describe('a reported token', () => {
  it('is refused from then on, marked, and on record; a made-up one beside it changes nothing', async () => {
    const { organisation, secret, shown } = await given();
    expect(await statusOf(secret)).toBe(200);
    const answer = await report(
      [secret, 'made up', `${secret.slice(0, -1)}_`],
      'https://paste.example/a?b=1',
    );
    expect([answer.status, await answer.json()]).toEqual([202, { received: 3 }]);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(await statusOf(secret)).toBe(401);
    expect(await shown()).toMatchObject({
      active: false,
      exposed: { by: 'report', where: 'https://paste.example/a?b=1', paused: true },
    });
    expect(await actionsOf(organisation)).toEqual(['token.exposed', 'token.deactivated']);
  });

  it('is found in the line that it stands in, also behind one that was cut', async () => {
    for (const line of [
      (text: string) => `export TOKEN="${text}" # staging`,
      (text: string) => `${mintedOnly().slice(0, 52)}${text}`,
      (text: string) => `${mintedOnly().slice(0, 54)}${text}${text}`,
    ]) {
      const { secret, shown } = await given();
      await report([line(secret)]);
      expect(await shown()).toMatchObject({ active: false, exposed: { where: null } });
    }
  });

  it('works again when a member resumes it, and with its new value once it is replaced', async () => {
    const { secret, session, path, shown } = await given();
    await report([secret]);
    expect((await write('PATCH', path, session, { active: true })).status).toBe(200);
    expect(await shown()).toMatchObject({ active: true, exposed: null });
    expect(await statusOf(secret)).toBe(200);
    await report([secret]);
    expect(await statusOf(secret)).toBe(401);
    const replaced = await write('POST', `${path}/rotate`, session, { retire: 'now' });
    const { secret: fresh, token } = await replaced.json<{ secret: string; token: Token }>();
    expect(token).toMatchObject({ active: true, exposed: null });
    expect([await statusOf(secret), await statusOf(fresh)]).toEqual([401, 200]);
    await report([secret]);
    expect(await statusOf(fresh)).toBe(200);
  });

  it('that is retiring ends now, and the current value goes on', async () => {
    const { organisation, secret, session, path, shown } = await given();
    const replaced = await write('POST', `${path}/rotate`, session, { retire: '24h' });
    const { secret: current } = await replaced.json<{ secret: string }>();
    expect([await statusOf(secret), await statusOf(current)]).toEqual([200, 200]);
    await report([secret]);
    expect([await statusOf(secret), await statusOf(current)]).toEqual([401, 200]);
    expect(await shown()).toMatchObject({ active: true, exposed: null, retiring: null });
    expect((await actionsOf(organisation)).slice(1)).toEqual(['token.exposed', 'token.retired']);
  });

  it('while it is replaced is ended or has ended, whichever comes first', async () => {
    for (const retire of ['now', '24h']) {
      const isFinal = retire === 'now';
      const { secret, session, path, shown } = await given();
      const [, replaced] = await Promise.all([
        report([secret]),
        write('POST', `${path}/rotate`, session, { retire }),
      ]);
      const { secret: fresh } = await replaced.json<{ secret: string }>();
      expect(await statusOf(secret)).toBe(401);
      const { active, exposed } = (await shown()) ?? {};
      // Reported before a replacement that keeps the old value: both wait for a member.
      expect([active, isFinal && exposed !== null]).toEqual([exposed === null, false]);
      expect(await statusOf(fresh)).toBe(active === true ? 200 : 401);
    }
  });

  it.each<{ what: string; before?: Change; change: Change; ends: [Ending, Ending] }>([
    {
      what: 'it is switched on',
      before: ['PATCH', '', { active: false }],
      change: ['PATCH', '', { active: true }],
      ends: [
        { active: true, wasActive: null, isTogether: false },
        { active: false, wasActive: true, isTogether: false },
      ],
    },
    {
      what: 'it is switched off',
      change: ['PATCH', '', { active: false }],
      ends: [
        { active: false, wasActive: true, isTogether: false },
        { active: false, wasActive: false, isTogether: false },
      ],
    },
    {
      what: 'all tokens are paused',
      change: ['POST', '/../pause'],
      ends: [
        { active: false, wasActive: true, isTogether: false },
        { active: false, wasActive: false, isTogether: true },
      ],
    },
    {
      what: 'all tokens are resumed',
      before: ['POST', '/../pause'],
      change: ['POST', '/../resume'],
      ends: [
        { active: false, wasActive: false, isTogether: true },
        { active: false, wasActive: true, isTogether: false },
      ],
    },
    {
      what: 'it is deleted',
      change: ['DELETE', ''],
      ends: [null, null],
    },
  ])(
    'while $what ends as if one of the two had come first, and is verified so',
    async ({ before, change, ends }) => {
      const rounds = Array.from({ length: 3 }, async () => {
        const { organisation, secret, session, path, shown } = await given();
        const make = ([method, below, body]: Change) => write(method, path + below, session, body);
        if (before !== undefined) await make(before);
        const [reported, changed] = await Promise.all([report([secret]), make(change)]);
        expect([reported.status, changed.status]).toEqual([202, 200]);
        const token = await shown();
        const ended: Ending =
          token === undefined
            ? null
            : {
                active: token.active,
                wasActive: token.exposed?.paused ?? null,
                isTogether: token.pausedTogether !== null,
              };
        expect(ends).toContainEqual(ended);
        expect(await statusOf(secret)).toBe(ended?.active === true ? 200 : 401);
        // What is on record agrees with how the token stands.
        const actions = await actionsOf(organisation);
        const last = actions.findLast((action) => /^token\.(?:de)?activated$|^token\.deleted$/.test(action));
        expect(last).toBe(
          ended === null ? 'token.deleted' : ended.active ? 'token.activated' : 'token.deactivated',
        );
      });
      await Promise.all(rounds);
    },
  );

  it('of which two people know is marked once', async () => {
    const { organisation, secret } = await given();
    const answers = await Promise.all(Array.from({ length: 4 }, () => report([secret, secret])));
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202]);
    expect(await actionsOf(organisation)).toEqual(['token.exposed', 'token.deactivated']);
  });

  it('tells members nothing of the reporter but that there was one', async () => {
    const { secret, session, organisation } = await given();
    const address = '203.0.113.77';
    const answer = await send(JSON.stringify({ tokens: [secret] }), {
      ...JSON_TYPE,
      'cf-connecting-ip': address,
      'user-agent': 'a scanner',
    });
    expect(answer.status).toBe(202);
    const activity = await call(`/api/organisations/${organisation}/activity`, { headers: session });
    const { events } = await activity.json<{ events: { actor: string; ip: null; userAgent: null }[] }>();
    expect(events.map(({ actor, ip, userAgent }) => [actor, ip, userAgent])).toEqual([
      ['reporter', null, null],
      ['reporter', null, null],
    ]);
    // The operator may have to stop someone.
    const kept = await env.DB.prepare('SELECT DISTINCT ip, user_agent FROM events WHERE organisation_id = ?')
      .bind(organisation)
      .all();
    expect(kept.results).toEqual([{ ip: address, user_agent: 'a scanner' }]);
  });

  it('is never kept in the address where it was seen', async () => {
    const { organisation, secret, shown } = await given();
    const other = mintedOnly();
    const encoded = [...other].map((digit) => `%${digit.charCodeAt(0).toString(16)}`).join('');
    await report([secret], `https://me:${secret}@paste.example/x?token=${other}#${secret}`);
    expect((await shown())?.exposed?.where).toBe(`https://paste.example/x?token=${other.slice(0, 5)}***`);
    const second = await given();
    await report([second.secret], `https://paste.example/${encoded}`);
    expect((await second.shown())?.exposed?.where).toBe('https://paste.example/');
    const { results } = await env.DB.prepare('SELECT * FROM events WHERE organisation_id = ?')
      .bind(organisation)
      .all();
    for (const leaked of [secret, other, encoded]) expect(JSON.stringify(results)).not.toContain(leaked);
  });
});

describe('a flood of reports', () => {
  it('of tokens that were never minted asks nothing of any storage', async () => {
    const { deployment, asked } = counting();
    const { secret } = await given();
    const madeUp = Array.from({ length: 100 }, (_, n) => {
      const tail = String(n).padStart(6, '0');
      return n % 2 === 0 ? secret.slice(0, -6) + tail : secret.slice(0, 40) + tail + secret.slice(46);
    });
    for (let n = 0; n < 20; n++) expect((await report(madeUp, undefined, deployment)).status).toBe(202);
    expect(asked).toEqual([]);
  });

  it('of one genuine token writes once, and is refused after some 30 a minute, by any number of clients', async () => {
    const { organisation, secret } = await given();
    const other = await given();
    const rows = async () =>
      (await env.DB.prepare('SELECT count(*) AS n, max(id) AS last FROM events').first()) as object;
    const changes = async () =>
      (await env.DB.prepare('SELECT max(seq) AS last FROM changes').first()) as object;
    await report([secret]);
    const before = [await rows(), await changes()];
    const statuses = await withinOneMinute(async () => {
      const all: number[] = [];
      for (let n = 0; n < 35; n++) all.push((await report([secret])).status);
      return all;
    });
    expect([await rows(), await changes()]).toEqual(before);
    expect(statuses.slice(0, 20)).toEqual(Array<number>(20).fill(202));
    expect(statuses.at(-1)).toBe(429);
    expect(await actionsOf(organisation)).toEqual(['token.exposed', 'token.deactivated']);
    // A neighbour in the same report is ended all the same.
    const answer = await report([secret, other.secret]);
    expect(answer.headers.get('retry-after')).toBe('60');
    expect(await other.shown()).toMatchObject({ active: false });
  });

  it('of one client is refused, and nothing of it is read', async () => {
    const keys: string[] = [];
    const limiter = {
      limit: async ({ key }: { key: string }) => {
        keys.push(key);
        return { success: false };
      },
    };
    const { secret, shown } = await given();
    const answer = await send(
      JSON.stringify({ tokens: [secret] }),
      { ...JSON_TYPE, 'cf-connecting-ip': '203.0.113.9' },
      { ...env, FAILED_LOGINS_PER_CLIENT: limiter },
    );
    expect([answer.status, await slugOf(answer)]).toEqual([429, 'too-many-requests']);
    expect(keys).toEqual(['report:203.0.113.9']);
    expect(await shown()).toMatchObject({ active: true });
  });

  it('counts a token by no hash that is kept elsewhere', async () => {
    const keys: string[] = [];
    const limiter = {
      limit: async ({ key }: { key: string }) => {
        keys.push(key);
        return { success: true };
      },
    };
    const { secret } = await given();
    await report([secret], undefined, { ...env, FAILED_LOGINS_PER_CLIENT: limiter });
    expect(keys[1]).toBe(`reported:${sha256Hex(hashOfSecret(secret))}`);
  });
});

describe('when storage fails', { timeout: 60_000 }, () => {
  it.each(['lost', 'unanswered', 'slow'] as const)(
    'a report is all or nothing, is told to be repeated, and a repeat completes it: a call is %s',
    async (kind) => {
      const clean = deploymentWith(null);
      const model = await given();
      expect((await report([model.secret], undefined, clean.env)).status).toBe(202);
      expect(clean.calls).toContain('D1.batch');
      const attempts = clean.calls.map(async (name, at) => {
        const { organisation, secret, shown } = await given();
        const answer = await report([secret], undefined, deploymentWith({ at, kind }).env);
        const isDone = (await shown())?.active === false;
        const actions = await actionsOf(organisation);
        if (answer.status === 202 ? !isDone : await isNoProblem(answer)) return `${name}: ${answer.status}`;
        if (answer.status !== 202 && !name.startsWith('D1')) return `${name} failed the report`;
        if (actions.length !== (isDone ? 2 : 0)) return `${name}: half done`;
        const repeat = await report([secret]);
        const isCompleted =
          repeat.status === 202 &&
          (await shown())?.active === false &&
          (await actionsOf(organisation)).length === 2;
        return isCompleted ? null : `${name}: not completed`;
      });
      expect((await Promise.all(attempts)).filter((wrong) => wrong !== null)).toEqual([]);
    },
  );

  it.each(['lost', 'unanswered', 'slow'] as const)(
    'a secret in a URL is ended completely or not at all, the call is answered as ever, and the next one completes it: a call is %s',
    async (kind) => {
      const inUrl = (deployment: Env, secret: string) =>
        settledAt(deployment, `/v1/ping?token=${secret}`, {});
      const clean = deploymentWith(null);
      await inUrl(clean.env, (await given()).secret);
      expect(clean.calls).toContain('D1.batch');
      const attempts = clean.calls.map(async (name, at) => {
        const { organisation, secret, shown } = await given();
        const isWhole = async () => {
          const isDone = (await shown())?.active === false;
          return (await actionsOf(organisation)).length === (isDone ? 2 : 0) ? isDone : null;
        };
        const answer = await inUrl(deploymentWith({ at, kind }).env, secret);
        if (answer.status !== 401) return `${name}: ${answer.status}`;
        if ((await isWhole()) === null) return `${name}: half done`;
        await inUrl(clean.env, secret);
        return (await isWhole()) === true ? null : `${name}: not completed`;
      });
      expect((await Promise.all(attempts)).filter((wrong) => wrong !== null)).toEqual([]);
    },
  );
});

async function isNoProblem(answer: Response): Promise<boolean> {
  return (
    answer.status !== 503 ||
    answer.headers.get('retry-after') === null ||
    (await slugOf(answer)) !== 'storage-unavailable'
  );
}

describe('a report', () => {
  it.each([
    ['{}', 'Field "tokens": missing'],
    ['{"tokens":[]}', 'Field "tokens": not 1 to 100 tokens'],
    [JSON.stringify({ tokens: Array<string>(101).fill('a') }), 'Field "tokens": not 1 to 100 tokens'],
    ['{"tokens":"a"}', 'Field "tokens": not a list'],
    ['{"tokens":["a",1]}', 'Field "tokens.1": not a string'],
    ['{"tokens":["a"],"url":5}', 'Field "url": not a string'],
    [
      '{"tokens":["a"],"url":"javascript:alert(1)"}',
      'Field "url": not an http or https address of at most 2048 characters',
    ],
    [
      JSON.stringify({ tokens: ['a'], url: `https://a.example/${'x'.repeat(2040)}` }),
      'Field "url": not an http or https address of at most 2048 characters',
    ],
    ['{"tokens":["a"],"active":true}', 'Field "active": unknown'],
    ['{"tokens":["a"],"tokens":["b"]}', 'Field "tokens": given twice'],
    ['["a"]', 'The body is not a JSON object'],
    ['tokens=a', 'The body is not JSON'],
  ])('is refused for %s, with the field', async (body, detail) => {
    const answer = await send(body);
    expect([answer.status, await answer.json()]).toEqual([422, expect.objectContaining({ detail })]);
  });

  it('is JSON or the form, and at most 64 KiB', async () => {
    for (const type of ['text/plain', 'multipart/form-data; boundary=x', '']) {
      const answer = await send('{"tokens":["a"]}', { 'content-type': type });
      expect(await slugOf(answer)).toBe('invalid-body');
    }
    const answer = await send(JSON.stringify({ tokens: ['x'.repeat(65 * 1024)] }));
    expect([answer.status, await slugOf(answer)]).toEqual([413, 'payload-too-large']);
  });

  it.each(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS'])('is not %s', async (method) => {
    for (const path of ['/report', '/report/github']) {
      const answer = await call(path, { method });
      expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST']);
      expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
    }
  });

  it('is not sent by the browser of a visitor of another website', async () => {
    const { secret, shown } = await given();
    for (const site of ['cross-site', 'same-site', 'none'])
      for (const [body, type] of [
        [JSON.stringify({ tokens: [secret] }), JSON_TYPE],
        [`tokens=${secret}`, FORM],
      ] as const) {
        const answer = await send(body, { ...type, origin: 'https://evil.example', 'sec-fetch-site': site });
        expect([answer.status, await slugOf(answer)]).toEqual([403, 'cross-site-request']);
      }
    expect(await shown()).toMatchObject({ active: true });
  });

  it('is answered by https alone, and nowhere but at this deployment', async () => {
    const body = JSON.stringify({ tokens: ['a'] });
    const deployment = { ...env, LOCAL_MODE: '0', VERIFY_HOST: 'verify.example' };
    const at = (origin: string) => send(body, JSON_TYPE, deployment, `${origin}/report`);
    expect((await at('https://zone.example')).status).toBe(202);
    expect(await slugOf(await at('http://zone.example'))).toBe('https-required');
    expect(await slugOf(await at('https://other.example'))).toBe('misdirected-request');
    // Forward-auth: a report is a call without a credential there.
    expect((await at('https://verify.example')).status).toBe(401);
  });

  it('leaves no token in the log', async () => {
    const log = vi.spyOn(console, 'log');
    const { secret } = await given();
    await report([secret], `https://paste.example/?t=${secret}`);
    await send(`{"tokens":["${secret}"],"url":"no address ${secret}"}`);
    const lines = log.mock.calls.flat().map(String);
    log.mockRestore();
    expect(lines.map((line) => (JSON.parse(line) as { route?: string }).route)).toContain('/report');
    for (const line of lines) expect(line).not.toMatch(/paste|9p\w{3}_dz/);
  });
});

describe('the form', () => {
  const fill = (tokens: string, url = '', headers: Record<string, string> = {}) =>
    send(new URLSearchParams({ tokens, url }).toString(), {
      ...FORM,
      'sec-fetch-site': 'same-origin',
      'sec-fetch-mode': 'navigate',
      origin: 'null',
      ...headers,
    });

  it('leads to the same page whatever the tokens are, and ends the genuine ones', async () => {
    const [one, other] = [await given(), await given()];
    for (const text of [`${one.secret}\r\n\r\n  ${other.secret}\n`, 'made up', mintedOnly()]) {
      const answer = await fill(text, ' https://paste.example/1 ');
      expect([answer.status, answer.headers.get('location')]).toEqual([303, '/docs/reported']);
    }
    for (const { secret, shown } of [one, other]) {
      expect(await statusOf(secret)).toBe(401);
      expect((await shown())?.exposed?.where).toBe('https://paste.example/1');
    }
  });

  it.each([
    ['no token', '\n \n', '', 'Enter 1 to 100 tokens, one on each line'],
    ['101 lines', 'a\n'.repeat(101), '', 'Enter 1 to 100 tokens, one on each line'],
    [
      'an address of a file',
      'a',
      'file:///etc/passwd',
      'The place where you saw them is not an http or https address',
    ],
  ])('with %s answers a page that says what is wrong', async (_, tokens, url, detail) => {
    const answer = await fill(tokens, url);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([422, 'text/html; charset=utf-8']);
    expect(await answer.text()).toContain(detail);
  });

  it('is answered by a page when storage fails', async () => {
    const { secret } = await given();
    const { env: failing } = deploymentWith({ at: 2, kind: 'lost' });
    const answer = await send(
      new URLSearchParams({ tokens: secret }).toString(),
      { ...FORM, 'sec-fetch-mode': 'navigate' },
      failing,
    );
    expect([answer.status, answer.headers.get('content-type')]).toEqual([503, 'text/html; charset=utf-8']);
  });
});

describe('a secret in a URL', () => {
  const inUrl = (secret: string, headers: HeadersInit = {}, changed: Partial<Env> = {}) =>
    settledAt({ ...env, ...changed }, `/v1/ping?token=${secret}`, { headers });

  it('ends what it opens, once, also beside a good credential', async () => {
    const [leaked, good] = [await given(), await given()];
    expect((await inUrl(leaked.secret, bearer(good.secret))).status).toBe(200);
    expect(await leaked.shown()).toMatchObject({
      active: false,
      exposed: { by: 'url', where: null, paused: true },
    });
    expect([await statusOf(leaked.secret), await statusOf(good.secret)]).toEqual([401, 200]);
    await inUrl(leaked.secret);
    expect(await actionsOf(leaked.organisation)).toEqual(['token.exposed', 'token.deactivated']);
  });

  it('is on record and no more where EXPOSED_TOKENS is "record"', async () => {
    const { organisation, secret, shown } = await given();
    for (let n = 0; n < 2; n++) await inUrl(secret, {}, { EXPOSED_TOKENS: 'record' });
    expect(await shown()).toMatchObject({ active: true, exposed: null });
    expect(await actionsOf(organisation)).toEqual(['token.exposed']);
  });

  it.each([
    ['in the path', (secret: string) => `/v1/ping/${secret}/x`],
    ['in the path, encoded', (secret: string) => `/v1/p/${secret.replaceAll('_dz', '%5F%64%7A')}`],
    ['in the path beside what cannot be decoded', (secret: string) => `/v1/${secret}/%E0%A4`],
    ['as the name of a parameter', (secret: string) => `/v1/ping?${secret}`],
    ['with its scheme', (secret: string) => `/v1/ping?authorization=Bearer%20${secret}`],
    ['in an address', (secret: string) => `/v1/ping?next=https://a.example/?t%3D${secret}`],
    ['where there is no endpoint', (secret: string) => `/v1/nowhere?token=${secret}`],
  ])('ends %s', async (_, path) => {
    const { secret, shown } = await given();
    await settledAt(env, path(secret));
    expect(await shown()).toMatchObject({ active: false, exposed: { by: 'url' } });
  });

  it('ends whatever the method of the call is', async () => {
    for (const method of ['POST', 'OPTIONS']) {
      const { secret, shown } = await given();
      await settledAt(env, `/v1/ping?token=${secret}`, { method });
      expect(await shown()).toMatchObject({ active: false });
    }
  });

  it('can be reported while integrations send it all the time where EXPOSED_TOKENS is "record"', async () => {
    const { secret, shown } = await given();
    const deployment = { ...env, EXPOSED_TOKENS: 'record' };
    const answer = await withinOneMinute(async () => {
      const integration = () =>
        settledAt(deployment, `/v1/ping?token=${secret}`, { headers: bearer(secret) });
      await Promise.all(Array.from({ length: 35 }, integration));
      return report([secret], undefined, deployment);
    });
    expect(answer.status).toBe(202);
    expect(await shown()).toMatchObject({ active: false, exposed: { by: 'report' } });
  });

  it('is ended by either of the two words alone', async () => {
    const answer = await inUrl('', {}, { EXPOSED_TOKENS: 'delete' });
    expect([answer.status, await answer.json()]).toEqual([
      500,
      expect.objectContaining({ detail: 'EXPOSED_TOKENS: neither "pause" nor "record"' }),
    ]);
  });
});
