// The operator's lists: organisations by plan and since an instant, events of all organisations, and the status.
import { env } from 'cloudflare:workers';
import { beforeAll, describe, expect, it } from 'vitest';
import { REGIONS } from '../verification/region.ts';
import { givenOrganisation, givenToken } from '../test/harness.ts';
import { counting, operate } from '../test/operate.ts';

describe('the list of organisations', () => {
  const made: { id: string; plan: string; at: string }[] = Array.from({ length: 230 }, (_, n) => ({
    id: `listed-${String((n * 7) % 230).padStart(3, '0')}`,
    plan: n % 2 === 0 ? 'trial' : 'enterprise',
    // Three were made in each instant.
    at: new Date(Date.UTC(2031, 0, 1) + Math.floor(n / 3) * 60_000).toISOString(),
  }));
  beforeAll(async () => {
    const sql = "INSERT INTO organisations (id, name, plan, created_at) VALUES (?, 'L', ?, ?)";
    await env.DB.batch(made.map(({ id, plan, at }) => env.DB.prepare(sql).bind(id, plan, at)));
  });

  async function all(query: string): Promise<string[]> {
    const seen: string[] = [];
    let cursor = '';
    for (;;) {
      const answer = await operate('GET', `/organisations?${query}${cursor}`);
      const page: { organisations: { id: string }[]; next: string | null } = await answer.json();
      expect(page.organisations.length).toBeLessThanOrEqual(100);
      seen.push(...page.organisations.map(({ id }) => id));
      if (page.next === null) return seen;
      cursor = `&after=${encodeURIComponent(page.next)}`;
    }
  }
  const expected = (keep: (each: (typeof made)[number]) => boolean) =>
    made
      .filter(keep)
      .toSorted((a, b) => (`${a.at} ${a.id}` < `${b.at} ${b.id}` ? -1 : 1))
      .map(({ id }) => id);

  it('is by plan, and since an instant, in pages by creation', async () => {
    const since = made[60]?.at ?? '';
    expect(await all(`since=${made[0]?.at}`)).toEqual(expected(() => true));
    expect(await all(`since=${since}`)).toEqual(expected(({ at }) => at >= since));
    expect(await all(`since=${since}&plan=trial`)).toEqual(
      expected(({ at, plan }) => at >= since && plan === 'trial'),
    );
    expect(await all('plan=enterprise')).toEqual(expected(({ plan }) => plan === 'enterprise'));
    // The same instant, said in another time zone.
    const elsewhere = encodeURIComponent(since.replace('T00', 'T02').replace('Z', '+02:00'));
    expect(await all(`since=${elsewhere}`)).toEqual(expected(({ at }) => at >= since));
  });

  it.each([
    ['plan=gold', 'Query "plan": not one of trial, pay-as-you-go, pro, enterprise'],
    ['since=yesterday', 'Query "since": not an instant such as 2026-01-31T12:00:00Z'],
    ['since=2026-02-28', 'Query "since": not an instant such as 2026-01-31T12:00:00Z'],
    ['since=2026-13-01T00:00:00Z', 'Query "since": not an instant such as 2026-01-31T12:00:00Z'],
    ['since=2026-02-31T00:00:00Z', 'Query "since": not an instant such as 2026-01-31T12:00:00Z'],
    ['plan=pro&plan=trial', 'Query "plan": given twice'],
    ['plans=pro', 'Query "plans": unknown'],
  ])('refuses ?%s', async (query, detail) => {
    const answer = await operate('GET', `/organisations?${query}`);
    expect(answer.status).toBe(422);
    expect(await answer.json()).toMatchObject({ detail });
  });
});

it.each([
  ['before=a', 'Query "before": unknown'],
  ['after=a&after=b', 'Query "after": given twice'],
])('the members of an organisation refuse ?%s', async (query, detail) => {
  const answer = await operate('GET', `/organisations/acme/members?${query}`);
  expect(answer.status).toBe(422);
  expect(await answer.json()).toMatchObject({ detail });
});

describe('the events of all organisations', () => {
  type Line = { id: string; at: string; organisationId: string | null; action: string };
  const linesOf = async (query: string, settings = {}): Promise<Line[]> =>
    new TextDecoder()
      .decode(await (await operate('GET', `/events${query}`, undefined, settings)).arrayBuffer())
      .split('\n')
      .filter((line) => line !== '')
      // Each line is an event.
      .map((line) => JSON.parse(line) as Line);
  const newId = () => `listed-by-time-${crypto.randomUUID()}`;

  it('come oldest first, and can be asked for after an event, since an instant and of one organisation', async () => {
    const [one, other] = [newId(), newId()];
    await operate('PUT', `/organisations/${one}`, { name: 'One', plan: 'pro' });
    await operate('PUT', `/organisations/${other}`, { name: 'Other', plan: 'pro' });
    await operate('PUT', `/organisations/${one}/members/a@example.com`);
    const answer = await operate('GET', '/events');
    expect(answer.headers.get('content-type')).toBe('application/jsonl');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const everything = await linesOf('');
    const ids = everything.map(({ id }) => Number(id));
    expect(ids).toEqual(ids.toSorted((a, b) => a - b));
    const ours = everything.filter(({ organisationId }) => [one, other].includes(organisationId ?? ''));
    expect(ours.map(({ action, organisationId }) => [action, organisationId])).toEqual([
      ['organisation.created', one],
      ['organisation.created', other],
      ['member.added', one],
    ]);
    const [first, second, third] = ours;
    expect(await linesOf(`?after=${first?.id}&organisation=${one}`)).toEqual([third]);
    expect(await linesOf(`?after=${second?.id}`)).toEqual(
      everything.filter(({ id }) => Number(id) > Number(second?.id)),
    );
    expect(await linesOf(`?since=${second?.at}`)).toEqual(
      everything.filter(({ at }) => at >= (second?.at ?? '')),
    );
    expect(await linesOf(`?after=${everything.at(-1)?.id}`)).toEqual([]);
    expect(await linesOf('?since=2999-01-01T00:00:00Z')).toEqual([]);
  });

  it('since an instant include those that were written after a later one', async () => {
    const times = ['02.000', '00.999', '01.000', '03.000'].map((second) => `2032-01-01T00:00:${second}Z`);
    const sql =
      "INSERT INTO events (at, organisation_id, actor, action, request_id) VALUES (?, 'o', 'a', 'sign-in', 'r')";
    await env.DB.batch(times.map((at) => env.DB.prepare(sql).bind(at)));
    const lines = await linesOf('?since=2032-01-01T00:00:01Z');
    expect(lines.map(({ at }) => at)).toEqual(times.filter((_, index) => index !== 1));
  });

  it('all come in one answer, in pages of 5,000', async () => {
    const organisation = newId();
    await env.DB.prepare(
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10500)
       INSERT INTO events (at, organisation_id, actor, action, request_id)
       SELECT '2030-01-01T00:00:00.000Z', ?, 'a', 'sign-in', i FROM n`,
    )
      .bind(organisation)
      .run();
    const { settings, statements } = counting();
    const lines = await linesOf(`?organisation=${organisation}`, settings);
    expect(lines).toHaveLength(10_500);
    expect(new Set(lines.map(({ id }) => id)).size).toBe(10_500);
    expect(statements).toHaveLength(3);
  });

  it('are 40 pages in one answer at most; the rest follows with the next "after"', async () => {
    const organisation = newId();
    await env.DB.prepare(
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
       INSERT INTO events (at, organisation_id, actor, action, request_id)
       SELECT '2030-01-01T00:00:00.000Z', ?, 'a', 'sign-in', i FROM n`,
    )
      .bind(organisation)
      .run();
    let pages = 0;
    let page: Promise<unknown[]> | null = null;
    // A log that never ends: every page is the first one again.
    const endless = {
      prepare: (sql: string) => ({
        bind: (...values: unknown[]) => ({
          raw: () => {
            pages++;
            return (page ??= env.DB.prepare(sql)
              .bind(...values)
              .raw());
          },
        }),
      }),
    };
    const settings = { DB: endless as unknown as D1Database };
    const answer = await operate('GET', `/events?organisation=${organisation}`, undefined, settings);
    const text = await answer.text();
    expect(pages).toBe(40);
    expect(text.match(/\n/g)).toHaveLength(200_000);
  });

  it.each([
    ['after=x', 'Query "after": no id of an event'],
    ['organisation=a%20b', 'Query "organisation": no id of an organisation'],
    ['since=1', 'Query "since": not an instant such as 2026-01-31T12:00:00Z'],
    ['before=1', 'Query "before": unknown'],
  ])('refuses ?%s', async (query, detail) => {
    const answer = await operate('GET', `/events?${query}`);
    expect(answer.status).toBe(422);
    expect(await answer.json()).toMatchObject({ detail });
  });
});

describe('the status', () => {
  it('says the version, the database, the hubs and what waits to be removed', async () => {
    const id = await givenOrganisation('enterprise');
    await givenToken(id);
    await operate('PUT', `/organisations/${id}`, { name: id, plan: 'pro' });
    const head = await env.DB.prepare('SELECT max(seq) AS seq FROM changes').first<number>('seq');
    await env.DB.prepare('INSERT INTO sign_ins (hash, browser_hash, expires_at) VALUES (?, ?, 1)')
      .bind('a'.repeat(64), 'b')
      .run();
    const answer = await operate('GET', '/status');
    expect(answer.status).toBe(200);
    const status = await answer.json<{
      hubs: { region: string; ageMs: number }[];
      database: { bytes: number };
    }>();
    expect(status).toMatchObject({
      version: { id: expect.any(String), createdAt: expect.any(String) },
      database: { kind: 'd1', reserveBytes: 0, head },
      backlog: { signIns: 1, sessions: 0, tokenUsage: 0, changes: 0, events: 0, countedUpTo: 10_000 },
    });
    expect(status.database.bytes).toBeGreaterThan(100_000);
    expect(status.hubs.map(({ region }) => region)).toEqual([...REGIONS]);
    for (const hub of status.hubs) {
      expect(hub).toMatchObject({ isReachable: true, head, startedAt: expect.any(String) });
      expect(hub.ageMs).toBeGreaterThanOrEqual(0);
    }
  });

  it('says which hub cannot be reached', async () => {
    const broken = new Proxy(env.CHANGE_HUB, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]): unknown =>
          args[0] === 'oc'
            ? { look: () => Promise.reject(new Error('away')) }
            : Reflect.apply(value, target, args);
      },
    });
    const answer = await operate('GET', '/status', undefined, { CHANGE_HUB: broken });
    const { hubs } = await answer.json<{ hubs: { region: string; isReachable: boolean }[] }>();
    expect(hubs.filter(({ isReachable }) => !isReachable)).toEqual([
      { region: 'oc', isReachable: false, head: null, ageMs: null, startedAt: null },
    ]);
  });
});
