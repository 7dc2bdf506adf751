// Reports of GitHub's secret scanning: signatures, keys, and what they end. GitHub alone is replaced.
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openDeployment } from '../deployment/deployment.ts';
import type { Env } from '../deployment/env.ts';
import { sha256Hex } from '../random.ts';
import { deploymentWith } from '../test/faults.ts';
import { actionsOf, givenOrganisation, givenToken, settledAt, slugOf, statusOf } from '../test/harness.ts';
import { mintSecret } from '../token/secret.ts';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

type Key = { identifier: string; pem: string; sign: (body: string) => Promise<string> };

const base64 = (bytes: Iterable<number>): string => btoa(String.fromCharCode(...bytes));

async function newKey(identifier = sha256Hex(crypto.randomUUID())): Promise<Key> {
  const pair = (await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])) as CryptoKeyPair;
  const spki = (await crypto.subtle.exportKey('spki', pair.publicKey)) as ArrayBuffer;
  const pem = `-----BEGIN PUBLIC KEY-----\n${base64(new Uint8Array(spki)).replaceAll(/.{64}/g, '$&\n')}\n-----END PUBLIC KEY-----`;
  const sign = async (body: string) => {
    const raw = await crypto.subtle.sign(ALGORITHM, pair.privateKey, new TextEncoder().encode(body));
    return base64(derOf(new Uint8Array(raw)));
  };
  return { identifier, pem, sign };
}

/** As ASN.1 writes two numbers: in their shortest form, and positive. */
function derOf(raw: Uint8Array): number[] {
  const numbers = [raw.slice(0, 32), raw.slice(32)].flatMap((bytes) => {
    const digits = [...bytes];
    while (digits.length > 1 && digits[0] === 0) digits.shift();
    if ((digits[0] ?? 0) > 127) digits.unshift(0);
    return [2, digits.length].concat(digits);
  });
  return [48, numbers.length, ...numbers];
}

/** What GitHub publishes, and how it answers. */
let published: Key[];
let isDown: boolean;
/** The addresses that were asked. */
let asked: string[];
let keysUrl: string;

beforeEach(async () => {
  published = [await newKey()];
  isDown = false;
  asked = [];
  keysUrl = `https://github.example/${crypto.randomUUID()}`;
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
    const request = new Request(input, init);
    asked.push(request.url);
    if (isDown) throw new TypeError('network down');
    expect(request.headers.get('user-agent')).toBeTruthy();
    return Response.json({
      public_keys: published.map(({ identifier, pem }) => ({
        key_identifier: identifier,
        key: pem,
        is_current: true,
      })),
    });
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const key = () => published[0] as Key;

/** A report of a client of its own. An `isolate` is told apart by its address of the keys, as its memory is. */
async function send(
  body: string,
  {
    by = key(),
    signature,
    headers = {},
    deployment = env,
  }: {
    by?: Pick<Key, 'identifier' | 'sign'>;
    signature?: string;
    headers?: Record<string, string>;
    deployment?: Env;
  } = {},
): Promise<Response> {
  return settledAt({ ...deployment, GITHUB_KEYS_URL: keysUrl }, '/report/github', {
    method: 'POST',
    body,
    headers: {
      'content-type': 'application/json',
      'cf-connecting-ip': crypto.randomUUID(),
      'github-public-key-identifier': by.identifier,
      'github-public-key-signature': signature ?? (await by.sign(body)),
      ...headers,
    },
  });
}

const matchesOf = (...secrets: string[]) =>
  JSON.stringify(
    secrets.map((token, n) => ({
      token,
      type: 'developer_zone_token',
      url: `https://github.com/octocat/Hello-World/blob/1234/foo/${n}.txt`,
      source: 'content',
    })),
  );

async function given() {
  const organisation = await givenOrganisation();
  return { organisation, ...(await givenToken(organisation)) };
}

const exposureOf = (id: string) =>
  env.DB.prepare('SELECT active, exposed_by AS by, exposed_where AS place FROM tokens WHERE id = ?')
    .bind(id)
    .first();

describe('a report of GitHub', () => {
  it('ends the genuine tokens, and says of each whether it is real', async () => {
    const [one, two] = [await given(), await given()];
    const minted = mintSecret(openDeployment(env).settings.tagKeys);
    const answer = await send(matchesOf(one.secret, 'NMIfyYncKcRALEXAMPLE', two.secret, minted, one.secret));
    expect(answer.status).toBe(200);
    const label = (token: string, isReal: boolean) => ({
      token_hash: sha256Hex(token),
      token_type: 'developer_zone_token',
      label: isReal ? 'true_positive' : 'false_positive',
    });
    expect(await answer.json()).toEqual([
      label(one.secret, true),
      label('NMIfyYncKcRALEXAMPLE', false),
      label(two.secret, true),
      label(minted, true),
      label(one.secret, true),
    ]);
    expect(await exposureOf(one.id)).toEqual({
      active: 0,
      by: 'github',
      place: 'https://github.com/octocat/Hello-World/blob/1234/foo/0.txt',
    });
    expect([await statusOf(one.secret), await statusOf(two.secret)]).toEqual([401, 401]);
    expect(await actionsOf(one.organisation)).toEqual(['token.exposed', 'token.deactivated']);
  });

  it('says of a token with other text around it that it is real, and ends it', async () => {
    const { id, secret } = await given();
    const answer = await send(matchesOf(`"${secret}"`));
    expect(await answer.json()).toMatchObject([
      { token_hash: sha256Hex(`"${secret}"`), label: 'true_positive' },
    ]);
    expect(await exposureOf(id)).toMatchObject({ active: 0 });
  });

  it('of thousands of matches is taken, and ends what is genuine in the last of them', async () => {
    const { id, secret } = await given();
    const rest = Array.from(
      { length: 4000 },
      (_, n) => `${secret.slice(0, -6)}${String(n).padStart(6, '0')}`,
    );
    expect((await send(matchesOf(...rest, secret))).status).toBe(200);
    expect(await exposureOf(id)).toMatchObject({ active: 0 });
  });

  it('may have no address, and fields that GitHub adds', async () => {
    const { id, secret } = await given();
    await send(JSON.stringify([{ token: secret, type: 't', url: '', added: 1 }]));
    expect(await exposureOf(id)).toEqual({ active: 0, by: 'github', place: null });
  });

  it('is never larger than 1 MiB, and never anything but a list of matches', async () => {
    expect((await send(`["${'x'.repeat(1024 * 1024)}"]`)).status).toBe(413);
    for (const body of ['{}', '[1]', '[{"token":"a"}]', 'no JSON'])
      expect(await slugOf(await send(body))).toBe('invalid-body');
  });

  it(
    'is answered 503 when storage fails, and repeated with the same effect',
    { timeout: 60_000 },
    async () => {
      const clean = deploymentWith(null);
      await send(matchesOf((await given()).secret), { deployment: clean.env });
      const wrong = [];
      for (const kind of ['lost', 'unanswered'] as const)
        for (let at = 0; at < clean.calls.length; at++) {
          const { organisation, secret } = await given();
          const answer = await send(matchesOf(secret), { deployment: deploymentWith({ at, kind }).env });
          if (answer.status !== 200 && (await slugOf(answer)) !== 'storage-unavailable')
            wrong.push(answer.status);
          if ((await send(matchesOf(secret))).status !== 200) wrong.push('repeat');
          if ((await actionsOf(organisation)).join() !== 'token.exposed,token.deactivated') wrong.push(at);
        }
      expect(wrong).toEqual([]);
    },
  );

  it('is not found where no address of keys is set, and no other address than https is taken', async () => {
    keysUrl = '';
    expect(await slugOf(await send('[]'))).toBe('not-found');
    keysUrl = 'http://github.example/keys';
    expect(await (await send('[]')).json()).toMatchObject({ detail: 'GITHUB_KEYS_URL: not an https URL' });
  });
});

describe('a body that GitHub did not sign', () => {
  it('is refused, and ends nothing', async () => {
    const { id, secret } = await given();
    const body = matchesOf(secret);
    const stranger = { ...(await newKey()), identifier: key().identifier };
    const good = await key().sign(body);
    const [first = 0, ...rest] = atob(good)
      .split('')
      .map((digit) => digit.charCodeAt(0));
    const refused = [
      await send(body, { by: stranger }),
      // One space more: the bytes count, not the value.
      await send(`${body} `, { signature: good }),
      await send(body, { signature: '' }),
      await send(body, { signature: 'no base64!' }),
      await send(body, { signature: base64([first, ...rest, 0]) }),
      await send(body, { signature: base64([first, ...rest].slice(0, -1)) }),
      await send(body, { signature: base64([48, 6, 2, 1, 1, 2, 1, 1]) }),
      await send(body, { signature: base64([48, 6, 2, 1, 0, 2, 1, 0]) }),
      await send(body, { headers: { 'github-public-key-identifier': '' } }),
      await send(body, { headers: { 'github-public-key-identifier': '__proto__' } }),
      await send(body, { headers: { 'github-public-key-identifier': 'x'.repeat(200) } }),
    ];
    for (const answer of refused)
      expect([answer.status, await slugOf(answer)]).toEqual([403, 'signature-invalid']);
    expect(await exposureOf(id)).toMatchObject({ active: 1, by: null });
    expect((await send(body)).status).toBe(200);
  });

  it('is counted, so that guesses of a client are refused soon, and GitHub is not', async () => {
    const keys: string[] = [];
    const limiter = {
      limit: async ({ key: counted }: { key: string }) => {
        keys.push(counted);
        return { success: false };
      },
    };
    const deployment = { ...env, FAILED_LOGINS_PER_CLIENT: limiter };
    await send('[]');
    expect((await send('[]', { deployment })).status).toBe(200);
    expect(keys).toEqual([]);
    expect((await send('[]', { deployment, signature: 'AAAA' })).status).toBe(429);
    const unknown = await newKey();
    expect(
      (await send('[]', { deployment, by: unknown, headers: { 'cf-connecting-ip': '203.0.113.5' } })).status,
    ).toBe(429);
    expect(keys.at(-1)).toBe('github:203.0.113.5');
  });
});

describe('the keys of GitHub', () => {
  it('that a call could not read are read by the others', async () => {
    const { env: failing, calls } = deploymentWith({ at: 1, kind: 'lost' });
    const answers = await Promise.all([send('[]', { deployment: failing }), send('[]'), send('[]')]);
    expect(calls[1]).toMatch(/^D1/);
    expect(answers.map(({ status }) => status)).toEqual([503, 200, 200]);
    expect(asked).toEqual([keysUrl]);
  });

  it('are asked for once, and kept for other isolates', async () => {
    for (let n = 0; n < 3; n++) expect((await send('[]')).status).toBe(200);
    expect(asked).toEqual([keysUrl]);
    const row = await env.DB.prepare('SELECT url, keys FROM github_keys').first<{
      url: string;
      keys: string;
    }>();
    expect(row?.url).toBe(keysUrl);
    expect(JSON.parse(row?.keys ?? '')).toEqual({ [key().identifier]: key().pem });
  });

  it('that a call of this isolate reads just now are waited for by the others', async () => {
    vi.mocked(globalThis.fetch).mockImplementation(async () => {
      await scheduler.wait(300);
      return Response.json({
        public_keys: published.map(({ identifier, pem }) => ({ key_identifier: identifier, key: pem })),
      });
    });
    const { id, secret } = await given();
    const unknown = await newKey();
    const answers = await Promise.all([
      send('[]', { by: unknown }),
      // Comes while the first one looks.
      scheduler.wait(100).then(() => send(matchesOf(secret))),
      send('[]'),
      send('[]', { by: unknown }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([403, 200, 200, 403]);
    expect(await exposureOf(id)).toMatchObject({ active: 0 });
    expect(globalThis.fetch).toHaveBeenCalledOnce();
  });

  it('are asked for at most once a minute, however many identifiers a stranger makes up', async () => {
    await send('[]');
    const { DB, prepared } = countingPrepares();
    const deployment = { ...env, DB };
    for (let n = 0; n < 20; n++) {
      const answer = await send('[]', { by: await newKey(), deployment });
      expect([answer.status, await slugOf(answer)]).toEqual([403, 'signature-invalid']);
    }
    expect([asked, prepared]).toEqual([[keysUrl], []]);
  });

  it('that are new are asked for a minute later', async () => {
    await send('[]');
    const fresh = await newKey();
    published.push(fresh);
    expect((await send('[]', { by: fresh })).status).toBe(403);
    passes(61_000);
    expect((await send('[]', { by: fresh })).status).toBe(200);
    expect(asked).toHaveLength(2);
  });

  it('go on through an outage of GitHub; an unknown one is then told to try again', async () => {
    await send('[]');
    isDown = true;
    passes(3 * 24 * 3_600_000);
    for (let n = 0; n < 3; n++) expect((await send('[]')).status).toBe(200);
    // Asked for behind the answer, because the keys are old.
    expect(asked).toHaveLength(2);
    passes(61_000);
    const answer = await send('[]', { by: await newKey() });
    expect([answer.status, await slugOf(answer)]).toEqual([503, 'verification-unavailable']);
    expect(answer.headers.get('retry-after')).toBe('60');
    expect((await send('[]')).status).toBe(200);
  });

  it('that GitHub has given up are accepted for a day at most', async () => {
    const former = key();
    await send('[]');
    published = [await newKey()];
    passes(25 * 3_600_000);
    // This one still is; behind its answer the keys are asked for again.
    expect((await send('[]', { by: former })).status).toBe(200);
    expect((await send('[]', { by: former })).status).toBe(403);
    expect((await send('[]')).status).toBe(200);
  });

  it.each([
    ['another status', () => new Response('{}', { status: 500 })],
    ['a redirect', () => new Response(null, { status: 302, headers: { location: 'https://evil.example' } })],
    ['no JSON', () => new Response('<html>')],
    ['another form', () => Response.json({ public_keys: [{ key: 'x' }] })],
    ['no key', () => Response.json({ public_keys: [] })],
    ['an endless answer', () => new Response(' '.repeat(70_000))],
  ])('are not taken from %s', async (_, answer) => {
    vi.mocked(globalThis.fetch).mockImplementation(async () => answer());
    expect(await slugOf(await send('[]'))).toBe('verification-unavailable');
  });

  it('of another kind sign nothing', async () => {
    published = [{ ...key(), pem: '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----' }];
    expect(await slugOf(await send('[]'))).toBe('signature-invalid');
  });
});

/** The clock goes on by so many ms; nothing else is changed. */
function passes(ms: number): void {
  vi.setSystemTime(Date.now() + ms);
}

function countingPrepares() {
  const prepared: string[] = [];
  const DB = new Proxy(env.DB, {
    get(database, name) {
      prepared.push(String(name));
      const value: unknown = Reflect.get(database, name);
      return typeof value === 'function' ? value.bind(database) : value;
    },
  });
  return { DB, prepared };
}
