import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { DAILY_LIMITS } from '../daily-limit.ts';
import type { Env } from '../deployment/env.ts';
import { deploymentWith } from '../test/faults.ts';
import {
  callWith,
  givenOrganisation,
  givenSession,
  givenToken,
  settledAt,
  withinOneMinute,
  write,
  writing,
} from '../test/harness.ts';

/** A limiter that counts and, after `allowed` calls, refuses. */
function limiter(allowed: number): { binding: RateLimit; keys: string[] } {
  const keys: string[] = [];
  return {
    keys,
    binding: {
      limit({ key }) {
        keys.push(key);
        return Promise.resolve({ success: keys.length <= allowed });
      },
    },
  };
}

const change = (path: string, session: { cookie: string }, settings: Partial<Env>, method = 'POST') =>
  callWith(settings, path, writing(method, session, { name: 'A' }));

it('allows 120 changes a minute for an organisation, then says how long to wait, and does not count other organisations', async () => {
  const session = await givenSession();
  const rename = (organisation: string, token: string) =>
    write('PATCH', `/api/organisations/${organisation}/tokens/${token}`, session, { name: 'A' });
  const answers = await withinOneMinute(async () => {
    const busy = await givenOrganisation();
    const { id } = await givenToken(busy);
    return Promise.all(Array.from({ length: 125 }, () => rename(busy, id)));
  });
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(120);
  const limited = answers.filter(({ status }) => status === 429);
  expect(limited).toHaveLength(5);
  expect(limited[0]?.headers.get('retry-after')).toBe('60');
  expect((await limited[0]?.json<{ type: string }>())?.type).toContain('#too-many-requests');
  const calm = await givenOrganisation();
  expect((await rename(calm, (await givenToken(calm)).id)).status).toBe(200);
  // A burst that a minute's end cuts in two is sent once more.
}, 60_000);

it('lets a member switch off and delete while another member uses up the changes of the organisation', async () => {
  const [busy, calm] = [await givenSession('busy@example.com'), await givenSession('calm@example.com')];
  const statuses = await withinOneMinute(async () => {
    const organisation = await givenOrganisation('enterprise', ['busy@example.com', 'calm@example.com']);
    const { id } = await givenToken(organisation);
    const path = `/api/organisations/${organisation}/tokens/${id}`;
    await Promise.all(Array.from({ length: 125 }, () => write('PATCH', path, busy, { name: 'A' })));
    await Promise.all(Array.from({ length: 125 }, () => write('DELETE', `${path}x`, busy)));
    const answers = [
      await write('PATCH', path, calm, { name: 'B' }),
      await write('PATCH', path, calm, { active: false, name: 'B' }),
      await write('PATCH', path, calm, { active: false }),
      await write('DELETE', path, calm),
    ];
    return answers.map(({ status }) => status);
  });
  expect(statuses).toEqual([429, 429, 200, 200]);
}, 60_000);

it.each(['POST', 'PATCH', 'DELETE'])('counts %s, and changes nothing beyond the limit', async (method) => {
  const organisation = await givenOrganisation();
  const { id } = await givenToken(organisation);
  const path = `/api/organisations/${organisation}/tokens${method === 'POST' ? '' : `/${id}`}`;
  const { binding, keys } = limiter(0);
  const answer = await change(path, await givenSession(), { MUTATIONS_PER_ORGANISATION: binding }, method);
  expect(answer.status).toBe(429);
  expect(keys).toEqual([method === 'DELETE' ? `${organisation} owner@example.com` : organisation]);
  const { results } = await env.DB.prepare('SELECT id, name FROM tokens WHERE organisation_id = ?')
    .bind(organisation)
    .all();
  expect(results).toEqual([{ id, name: null }]);
});

it('does not let a stranger, or a member of an organisation on another plan, use up the limit', async () => {
  const [theirs, pro] = [
    await givenOrganisation('enterprise', ['x@example.com']),
    await givenOrganisation('pro'),
  ];
  const { binding, keys } = limiter(0);
  const session = await givenSession();
  for (const [organisation, status] of [
    [theirs, 404],
    [pro, 403],
  ] as const) {
    for (const [method, token] of [
      ['POST', ''],
      ['PATCH', '/x'],
      ['DELETE', '/x'],
    ] as const) {
      const path = `/api/organisations/${organisation}/tokens${token}`;
      const answer = await change(path, session, { MUTATIONS_PER_ORGANISATION: binding }, method);
      expect(answer.status).toBe(status);
    }
  }
  expect(keys).toEqual([]);
});

it('lets changes through when the limiter itself fails', async () => {
  const organisation = await givenOrganisation();
  const broken: RateLimit = { limit: () => Promise.reject(new Error('limiter down')) };
  const answer = await change(`/api/organisations/${organisation}/tokens`, await givenSession(), {
    MUTATIONS_PER_ORGANISATION: broken,
  });
  expect(answer.status).toBe(201);
});

describe('in a day, an organisation', () => {
  const DAY_MS = 86_400_000;
  const tokensPath = (organisation: string, rest = '') => `/api/organisations/${organisation}/tokens${rest}`;

  /** An organisation that has used up a limit of today but for `left`. */
  async function givenUsed(kind: 'change' | 'creation', left: number): Promise<string> {
    const organisation = await givenOrganisation();
    const day = Math.floor(Date.now() / DAY_MS);
    await env.DB.prepare('INSERT INTO daily_counts VALUES (?, ?, ?, ?)')
      .bind(organisation, kind, day, DAILY_LIMITS[kind] - left)
      .run();
    return organisation;
  }

  async function rowsOf(organisation: string) {
    const { results } = await env.DB.prepare(
      'SELECT action FROM events WHERE organisation_id = ? ORDER BY id',
    )
      .bind(organisation)
      .all<{ action: string }>();
    return results.map(({ action }) => action);
  }

  it('makes 500 changes; then nothing more is changed, but switching off and deleting still work', async () => {
    const organisation = await givenUsed('change', 2);
    const session = await givenSession();
    const [{ id }, other] = [await givenToken(organisation), await givenToken(organisation, false)];
    const rename = (name: string) => write('PATCH', tokensPath(organisation, `/${id}`), session, { name });
    expect((await rename('A')).status).toBe(200);
    // What changes nothing counts as well: it costs the same questions.
    expect((await rename('A')).status).toBe(200);
    const refused = [
      await rename('B'),
      await write('POST', tokensPath(organisation), session, {}),
      await write('PATCH', tokensPath(organisation, `/${other.id}`), session, { active: true }),
      await write('PATCH', tokensPath(organisation, `/${id}`), session, { active: false, name: 'C' }),
    ];
    for (const answer of refused) {
      expect(answer.status).toBe(429);
      const wait = Number(answer.headers.get('retry-after'));
      expect(wait).toBeGreaterThan(0);
      expect(wait).toBeLessThanOrEqual(DAY_MS / 1000);
      expect(await answer.json()).toMatchObject({ detail: expect.stringContaining('switched off') });
    }
    expect(await rowsOf(organisation)).toEqual(['token.renamed']);
    expect(
      (await write('PATCH', tokensPath(organisation, `/${id}`), session, { active: false })).status,
    ).toBe(200);
    expect((await write('DELETE', tokensPath(organisation, `/${id}`), session)).status).toBe(200);
    expect((await write('DELETE', tokensPath(organisation, `/${other.id}`), session)).status).toBe(200);
    expect(await rowsOf(organisation)).toEqual([
      'token.renamed',
      'token.deactivated',
      'token.deleted',
      'token.deleted',
    ]);
  });

  it('asks for 100 tokens, refused and repeated ones included; other organisations are not affected', async () => {
    const organisation = await givenUsed('creation', 3);
    const session = await givenSession();
    const create = (headers = {}) => write('POST', tokensPath(organisation), { ...session, ...headers }, {});
    expect((await create({ 'idempotency-key': 'k' })).status).toBe(201);
    expect((await create({ 'idempotency-key': 'k' })).status).toBe(200);
    for (let count = 0; count < 9; count++) await givenToken(organisation);
    expect((await create()).status).toBe(409);
    expect((await create()).status).toBe(429);
    // An eleventh token that was refused is on record; one that is over the limit writes nothing.
    expect(await rowsOf(organisation)).toEqual(['token.created', 'token.limit-refused']);
    expect((await write('POST', tokensPath(await givenOrganisation()), session, {})).status).toBe(201);
  });

  it('has its own count, which only its members can raise', async () => {
    const organisation = await givenOrganisation('enterprise', ['x@example.com']);
    const { id } = await givenToken(organisation);
    const session = await givenSession();
    await write('POST', tokensPath(organisation), session, {});
    await write('PATCH', tokensPath(organisation, `/${id}`), session, { name: 'A' });
    const counts = await env.DB.prepare('SELECT count(*) AS n FROM daily_counts WHERE subject = ?')
      .bind(organisation)
      .first('n');
    expect(counts).toBe(0);
  });
});

it('has 100 refusals of a member recorded at most', async () => {
  const email = `${crypto.randomUUID()}@example.com`;
  const organisation = await givenOrganisation('enterprise', [email]);
  const session = await givenSession(email);
  const day = Math.floor(Date.now() / 86_400_000);
  await env.DB.prepare("INSERT INTO daily_counts VALUES (?, 'refusal', ?, 99)").bind(email, day).run();
  for (let count = 0; count < 3; count++) {
    const answer = await settledAt(env, '/api/organisations/another/tokens', { headers: session });
    expect(answer.status).toBe(404);
  }
  const recorded = await env.DB.prepare('SELECT count(*) AS n FROM events WHERE organisation_id = ?')
    .bind(organisation)
    .first('n');
  expect(recorded).toBe(1);
});

it('tells the hubs about a token that was deleted here, and not about an id that never existed here', async () => {
  const organisation = await givenOrganisation();
  const elsewhere = await givenOrganisation();
  const session = await givenSession();
  const remove = async (at: string, id: string) => {
    const { env: counted, calls } = deploymentWith(null);
    const answer = await change(`/api/organisations/${at}/tokens/${id}`, session, counted, 'DELETE');
    return [answer.status, calls.filter((call) => call.startsWith('hub')).length > 0];
  };
  const { id } = await givenToken(organisation);
  expect(await remove(organisation, crypto.randomUUID())).toEqual([404, false]);
  expect(await remove(organisation, 'made-up')).toEqual([404, false]);
  expect(await remove(elsewhere, id)).toEqual([404, false]);
  expect(await remove(organisation, id)).toEqual([200, true]);
  // Its answer may have been lost: "not there" has to be true everywhere.
  expect(await remove(organisation, id)).toEqual([404, true]);
  expect(await remove(elsewhere, id)).toEqual([404, false]);
});

describe('of the activity and of calls, a member', () => {
  const read = (path: string, session: { cookie: string }, settings: Partial<Env> = {}) =>
    callWith(settings, path, { headers: session });

  it('reads 120 pages, lists of people, files, and calls of tokens a minute, in all organisations together', async () => {
    const email = `${crypto.randomUUID()}@example.com`;
    const session = await givenSession(email);
    const [one, other] = [
      await givenOrganisation('enterprise', [email]),
      await givenOrganisation('enterprise', [email]),
    ];
    const { binding, keys } = limiter(6);
    const paths: string[] = [];
    for (const organisation of [one, other]) {
      const calls = `tokens/${(await givenToken(organisation)).id}/calls`;
      for (const what of [
        'activity',
        'activity/people',
        'activity.csv',
        'activity.jsonl',
        calls,
        'still-calling',
      ])
        paths.push(`/api/organisations/${organisation}/${what}`);
    }
    const answers: Response[] = [];
    for (const path of paths) answers.push(await read(path, session, { ACTIVITY_PER_MEMBER: binding }));
    expect(answers.map(({ status }) => status)).toEqual([
      ...Array<number>(6).fill(200),
      ...Array<number>(6).fill(429),
    ]);
    expect(keys).toEqual(Array<string>(12).fill(email));
    expect(answers.at(-1)?.headers.get('retry-after')).toBe('60');
    for (const answer of answers) await answer.body?.cancel();
  });

  it('saves 100 files in a day; then pages can still be read, and other members can save files', async () => {
    const email = `${crypto.randomUUID()}@example.com`;
    const organisation = await givenOrganisation('enterprise', [email, 'owner@example.com']);
    const session = await givenSession(email);
    const at = (file: string) => `/api/organisations/${organisation}/${file}`;
    const day = Math.floor(Date.now() / 86_400_000);
    await env.DB.prepare("INSERT INTO daily_counts VALUES (?, 'creation', ?, ?)")
      .bind(email, day, DAILY_LIMITS.creation - 2)
      .run();
    // Of another member's organisation, and by a filter that is none: no file, and nothing is counted.
    expect((await read('/api/organisations/another/activity.csv', session)).status).toBe(404);
    expect((await read(at('activity.csv?action=x'), session)).status).toBe(422);
    const files = ['activity.csv', 'activity.jsonl', 'activity.csv', 'activity.jsonl'];
    const answers: Response[] = [];
    for (const file of files) answers.push(await read(at(file), session));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429, 429]);
    expect(Number(answers[2]?.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await answers[2]?.json()).toMatchObject({ detail: expect.stringContaining('100 files') });
    expect((await read(at('activity'), session)).status).toBe(200);
    const other = await read(at('activity.csv'), await givenSession());
    expect(other.status).toBe(200);
    for (const answer of [...answers.slice(0, 2), other]) await answer.body?.cancel();
  });
});
