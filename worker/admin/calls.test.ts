import { env } from 'cloudflare:workers';
import { afterEach, expect, it, vi } from 'vitest';
import { call, givenOrganisation, givenSession, givenToken, slugOf, write } from '../test/harness.ts';
import { CALLERS_READ } from '../token/calls.ts';
import { hashOfSecret } from '../token/secret.ts';

// The clock stands, so that no hour and no day ends in the middle of a test.
afterEach(() => void vi.useRealTimers());

const NOW = '2026-11-25T10:30:00.000Z';
const HOUR = Math.floor(Date.parse(NOW) / 3_600_000);
const DAY = Math.floor(HOUR / 24);

type Given = {
  day: number;
  accepted?: number;
  refused?: number;
  network?: number;
  agent?: string;
  lastAt: string;
};
const insertCaller = (token: { id: string; secret: string }, { day, ...given }: Given) =>
  env.DB.prepare(
    `INSERT INTO callers (token_id, day, hash, network, country, agent, network_name, accepted, refused, last_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  ).bind(
    token.id,
    day,
    hashOfSecret(token.secret),
    given.network ?? 24940,
    (given.network ?? 1) > 0 ? 'DE' : '',
    given.agent ?? 'python-requests',
    (given.network ?? 1) > 0 ? 'Hetzner Online GmbH' : '',
    given.accepted ?? 0,
    given.refused ?? 0,
    given.lastAt,
  );

it('answers the calls of one token: by hour, day and secret, why they were refused, and who calls', async () => {
  vi.setSystemTime(NOW);
  const organisation = await givenOrganisation();
  const token = await givenToken(organisation);
  const count = (hour: number, accepted: number, refused: number) =>
    env.DB.prepare('INSERT INTO token_usage (token_id, hour, accepted, refused) VALUES (?, ?, ?, ?)').bind(
      token.id,
      hour,
      accepted,
      refused,
    );
  const refuse = (hour: number, reason: string, calls: number) =>
    env.DB.prepare('INSERT INTO refusal_reasons (token_id, hour, reason, calls) VALUES (?, ?, ?, ?)').bind(
      token.id,
      hour,
      reason,
      calls,
    );
  await env.DB.batch([
    count(HOUR, 7, 1),
    count(HOUR - 23, 5, 0),
    count(HOUR - 24, 9, 9),
    count((DAY - 29) * 24, 3, 0),
    count((DAY - 29) * 24 - 1, 100, 0),
    refuse(HOUR, 'network', 2),
    refuse(HOUR - 2, 'network', 10),
    refuse(HOUR - 1, 'inactive', 5),
    refuse(HOUR - 24, 'expired', 50),
    insertCaller(token, { day: DAY, accepted: 4, refused: 2, lastAt: NOW }),
    insertCaller(token, { day: DAY - 1, accepted: 6, lastAt: '2026-11-24T23:00:00.000Z' }),
    insertCaller(token, {
      day: DAY - 1,
      agent: 'curl',
      accepted: 1,
      network: 0,
      lastAt: '2026-11-24T10:00:00.000Z',
    }),
    insertCaller(token, {
      day: DAY - 2,
      agent: '',
      network: -1,
      accepted: 40,
      lastAt: '2026-11-23T10:00:00.000Z',
    }),
    insertCaller(token, { day: DAY - 30, accepted: 1000, lastAt: '2026-10-26T10:00:00.000Z' }),
  ]);
  const answer = await call(`/api/organisations/${organisation}/tokens/${token.id}/calls`, {
    headers: await givenSession(),
  });
  expect(answer.status).toBe(200);
  const zeros = (length: number) => Array<number>(length).fill(0);
  const hetzner = {
    network: { number: 24940, name: 'Hetzner Online GmbH' },
    country: 'DE',
    agent: 'python-requests',
  };
  expect(await answer.json()).toEqual({
    until: '2026-11-25T11:00:00.000Z',
    hours: { accepted: [5, ...zeros(22), 7], refused: [...zeros(23), 1] },
    days: { accepted: [3, ...zeros(27), 14, 7], refused: [...zeros(28), 9, 1] },
    reasons: [
      { reason: 'network', calls: 12, lastHour: '2026-11-25T10:00:00.000Z' },
      { reason: 'inactive', calls: 5, lastHour: '2026-11-25T09:00:00.000Z' },
    ],
    callers: [
      { ...hetzner, accepted: 10, refused: 2, lastAt: NOW },
      {
        network: null,
        country: null,
        agent: 'curl',
        accepted: 1,
        refused: 0,
        lastAt: '2026-11-24T10:00:00.000Z',
      },
    ],
    others: { accepted: 40, refused: 0, lastAt: '2026-11-23T10:00:00.000Z' },
    recent: [{ ...hetzner, accepted: 10, refused: 2, lastAt: NOW }],
    values: [
      {
        preview: token.secret.slice(0, 5),
        accepted: [...zeros(27), 40, 7, 4],
        refused: [...zeros(29), 2],
      },
    ],
  });
});

it('adds callers after the twentieth to the others, and shows a token of another organisation to nobody', async () => {
  vi.setSystemTime(NOW);
  const [mine, theirs] = [await givenOrganisation(), await givenOrganisation('enterprise', [])];
  const [token, foreign] = [await givenToken(mine), await givenToken(theirs)];
  await env.DB.batch(
    Array.from({ length: 30 }, (_, index) =>
      insertCaller(token, { day: DAY, agent: `agent-${index}`, accepted: index + 1, lastAt: NOW }),
    ),
  );
  const headers = await givenSession();
  const read = (organisation: string, id: string) =>
    call(`/api/organisations/${organisation}/tokens/${id}/calls`, { headers });
  const { callers, recent, others } = await (
    await read(mine, token.id)
  ).json<Record<string, { agent: string }[]>>();
  expect(callers?.map(({ agent }) => agent)).toEqual(
    Array.from({ length: 20 }, (_, index) => `agent-${29 - index}`),
  );
  expect(recent).toEqual(callers);
  expect(others).toEqual({ accepted: 55, refused: 0, lastAt: NOW });
  for (const [organisation, id, slug] of [
    [mine, foreign.id, 'token-not-found'],
    [theirs, foreign.id, 'organisation-not-found'],
    [mine, 'nothing', 'token-not-found'],
  ] as const)
    expect(await slugOf(await read(organisation, id))).toBe(slug);
  await env.DB.prepare("UPDATE organisations SET plan = 'pro' WHERE id = ?").bind(mine).run();
  expect(await slugOf(await read(mine, token.id))).toBe('enterprise-plan-required');
});

it('reads a bounded number of rows, the newest days first, of a token that is still called with hundreds of old secrets', async () => {
  vi.setSystemTime(NOW);
  const organisation = await givenOrganisation();
  const token = await givenToken(organisation);
  // 30 secrets, called from ten networks on each of 30 days: one call a row.
  await env.DB.prepare(
    `WITH RECURSIVE number (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM number WHERE n < 8999)
     INSERT INTO callers SELECT ?1, ?2 - n / 300, 'old-' || (n % 30), 1 + n / 30 % 10, 'DE', 'curl', 'AS', 0, 1, ?3 FROM number`,
  )
    .bind(token.id, DAY, NOW)
    .run();
  await insertCaller(token, { day: DAY, accepted: 1000, lastAt: NOW }).run();
  const answer = await call(`/api/organisations/${organisation}/tokens/${token.id}/calls`, {
    headers: await givenSession(),
  });
  const { callers, values } = await answer.json<{
    callers: { agent: string; accepted: number; refused: number }[];
    values: { accepted: number[] }[];
  }>();
  expect(callers[0]).toMatchObject({ agent: 'python-requests', accepted: 1000 });
  expect(values[0]?.accepted.at(-1)).toBe(1000);
  expect(callers.reduce((sum, { refused }) => sum + refused, 0)).toBe(CALLERS_READ - 1);
});

it('answers which ended secrets are still called: the last call first, only calls after the end', async () => {
  vi.setSystemTime(NOW);
  const [mine, theirs] = [await givenOrganisation(), await givenOrganisation('enterprise', [])];
  const headers = await givenSession();
  const [called, silent, old, foreign] = [
    await givenToken(mine),
    await givenToken(mine),
    await givenToken(mine),
    await givenToken(theirs),
  ];
  await env.DB.prepare("UPDATE tokens SET name = 'Website' WHERE id = ?").bind(called.id).run();
  for (const { id } of [called, silent, old]) {
    expect((await write('DELETE', `/api/organisations/${mine}/tokens/${id}`, headers)).status).toBe(200);
  }
  await env.DB.prepare('DELETE FROM tokens WHERE id = ?').bind(foreign.id).run();
  const later = '2026-11-25T10:31:00.000Z';
  const callAt = (secret: string, at: string) =>
    env.DB.prepare('UPDATE tombstones SET called_at = ? WHERE hash = ?').bind(at, hashOfSecret(secret));
  await env.DB.batch([
    insertCaller(called, { day: DAY - 1, accepted: 300, refused: 1, lastAt: '2026-11-24T10:00:00.000Z' }),
    insertCaller(called, { day: DAY, accepted: 100, refused: 214, lastAt: later }),
    insertCaller(called, { day: DAY, agent: 'curl', accepted: 7, lastAt: later }),
    insertCaller(called, { day: DAY, agent: '', network: -1, refused: 3, lastAt: later }),
    callAt(called.secret, later),
    // A call before the end, and one that is long ago.
    callAt(silent.secret, '2026-11-25T10:00:00.000Z'),
    callAt(old.secret, '2026-11-18T10:29:59.999Z'),
    env.DB.prepare("UPDATE tombstones SET ended_at = '2026-11-01T00:00:00.000Z' WHERE token_id = ?").bind(
      old.id,
    ),
    callAt(foreign.secret, later),
  ]);
  const read = (organisation: string) =>
    call(`/api/organisations/${organisation}/still-calling`, { headers });
  const answer = await read(mine);
  expect(answer.status).toBe(200);
  expect(await answer.json()).toEqual({
    stillCalling: [
      {
        kind: 'deleted',
        tokenId: called.id,
        preview: called.secret.slice(0, 5),
        name: 'Website',
        endedAt: NOW,
        endedBy: 'owner@example.com',
        today: 217,
        yesterday: 0,
        lastAt: later,
        callers: [
          {
            network: { number: 24940, name: 'Hetzner Online GmbH' },
            country: 'DE',
            agent: 'python-requests',
            accepted: 0,
            refused: 214,
            lastAt: later,
          },
        ],
      },
    ],
  });
  expect(await slugOf(await read(theirs))).toBe('organisation-not-found');
});
