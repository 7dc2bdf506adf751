// The query plan of every statement of the dashboard's and the operator's routes, and of the schedules: none may scan a whole
// table, and a page of the activity is read in index order, never sorted.
import { createExecutionContext, createScheduledController } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { beforeAll, expect, it, vi } from 'vitest';
import type { Env } from '../deployment/env.ts';
import { sealCursor } from '../activity/shown.ts';
import { openDeployment } from '../deployment/deployment.ts';
import worker from '../index.ts';
import { MINUTE_CRON, TEN_MINUTES_CRON } from '../upkeep/run.ts';
import { givenOrganisation, givenSession, givenToken, settledAt, writing } from './harness.ts';

const OPERATOR_SECRET = 'operator-secret-for-tests-0123456789abcdef';
const DAY = 24 * 3_600_000;
const WEBHOOK = {
  WEBHOOK_URL: 'https://receiver.example/',
  WEBHOOK_SECRET: `whsec_${btoa('a key of this test that has 32 b')}`,
};
const statements = new Map<string, string>();

/** The deployment; its statements are recorded under the name of the sender. */
function recordingAs(sender: string): Env {
  const recording = new Proxy(env.DB, {
    get(database, name: keyof D1Database) {
      if (name === 'prepare') {
        return (sql: string) => {
          statements.set(sql, sender);
          return database.prepare(sql);
        };
      }
      const value: unknown = Reflect.get(database, name);
      return typeof value === 'function' ? value.bind(database) : value;
    },
  });
  return { ...env, DB: recording, OPERATOR_SECRET, ...WEBHOOK, EVENTS_RETENTION_DAYS: '30' };
}

const send = (method: string, path: string, headers: HeadersInit, body?: unknown) =>
  settledAt(
    recordingAs(`${method} ${path.replace(/[\w-]*-[\w-]{20,}/g, ':id')}`),
    path,
    writing(method, headers, body),
  );

beforeAll(async () => {
  let status = 204;
  vi.spyOn(globalThis, 'fetch').mockImplementation(async () => new Response(null, { status }));
  const organisation = await givenOrganisation();
  const { id } = await givenToken(organisation);
  const told = await givenOrganisation();
  const deleted = await givenToken(told);
  const session = await givenSession();
  const dashboardPath = `/api/organisations/${organisation}`;
  const operator = { authorization: `Bearer ${OPERATOR_SECRET}` };
  const operatorPath = `/operator/organisations/${organisation}`;
  const cursor = await sealCursor(openDeployment(env).settings.tagKeys, organisation, '9');
  // Refusals have their own statements, which run after the answer.
  await send('GET', '/api/organisations/another/tokens', session);
  await send('DELETE', `${dashboardPath}/tokens/${crypto.randomUUID()}`, session);
  for (const words of [{}, { EXPOSED_TOKENS: 'record' }] as const)
    await settledAt(
      { ...recordingAs(`a secret in a URL ${JSON.stringify(words)}`), ...words },
      `/v1/ping?token=${(await givenToken(organisation)).secret}`,
    );
  // A key that nobody knows is looked for.
  await settledAt(
    { ...recordingAs('POST /report/github'), GITHUB_KEYS_URL: 'http://localhost:1/' },
    '/report/github',
    {
      method: 'POST',
      headers: { 'github-public-key-identifier': 'unknown', 'github-public-key-signature': 'AAAA' },
    },
  );
  const answers = [
    await send('DELETE', `/api/organisations/${told}/tokens/${deleted.id}`, session),
    await send('GET', '/api/session', session),
    await send('GET', '/api/sessions', session),
    await send('GET', `${dashboardPath}/tokens`, session),
    await send('POST', `${dashboardPath}/tokens`, { ...session, 'idempotency-key': 'k' }, { name: 'A' }),
    await send('POST', `${dashboardPath}/tokens`, session, {}),
    await send('PATCH', `${dashboardPath}/tokens/${id}`, session, { active: false, name: 'B' }),
    await send('PATCH', `${dashboardPath}/tokens/${id}`, session, { active: true }),
    await send('PATCH', `${dashboardPath}/tokens/${id}`, session, { name: null }),
    await send(
      'POST',
      `${dashboardPath}/tokens/${id}/rotate`,
      { ...session, 'idempotency-key': 'r' },
      { retire: '24h' },
    ),
    await send('POST', `${dashboardPath}/tokens/${id}/retire`, session, {}),
    await send('GET', `${dashboardPath}/tokens/${id}/calls`, session),
    await send('POST', `${dashboardPath}/tokens/pause`, session),
    await send('POST', `${dashboardPath}/tokens/resume`, session),
    await send('DELETE', `${dashboardPath}/tokens/${id}`, session),
    await send('GET', `${dashboardPath}/still-calling`, session),
    await send('GET', `${dashboardPath}/usage`, session),
    await send('GET', `${dashboardPath}/activity`, session),
    await send('GET', `${dashboardPath}/activity?before=${cursor}`, session),
    await send('GET', `${dashboardPath}/activity?action=token.created`, session),
    await send('GET', `${dashboardPath}/activity?action=token.created&before=${cursor}`, session),
    await send('GET', `${dashboardPath}/activity?actor=a@example.com`, session),
    await send('GET', `${dashboardPath}/activity?actor=a@example.com&before=${cursor}`, session),
    await send('GET', `${dashboardPath}/activity?action=token.created&actor=a@example.com`, session),
    await send(
      'GET',
      `${dashboardPath}/activity?action=token.created&actor=a@example.com&before=${cursor}`,
      session,
    ),
    await send('GET', `${dashboardPath}/activity?token=${id}`, session),
    await send('GET', `${dashboardPath}/activity?token=${id}&before=${cursor}`, session),
    await send('GET', `${dashboardPath}/activity/people`, session),
    await send('GET', '/operator/organisations', operator),
    await send('GET', '/operator/organisations?after=a', operator),
    await send('GET', '/operator/organisations?plan=pro', operator),
    await send('GET', '/operator/organisations?plan=pro&since=2026-01-01T00:00:00Z', operator),
    await send('GET', '/operator/organisations?since=2026-01-01T00:00:00Z', operator),
    await send('GET', '/operator/organisations?since=2026-01-01T00:00:00Z&after=2026-01-01%20a', operator),
    await send('GET', '/operator/organisations?plan=pro&after=2026-01-01%20a', operator),
    await send('GET', '/operator/events', operator),
    await send('GET', '/operator/events?since=2026-01-01T00:00:00Z', operator),
    await send('GET', '/operator/events?after=1&since=2026-01-01T00:00:00Z&organisation=a', operator),
    await send('GET', '/operator/events?organisation=a', operator),
    await send('GET', '/operator/status', operator),
    await send('POST', '/operator/webhook/test', operator),
    await send('PATCH', '/operator/webhook', operator, { cursor: '1' }),
    await send('GET', '/operator/webhook', operator),
    await send('PUT', '/operator/organisations', operator, {
      organisations: [
        { id: 'a', name: 'A', plan: 'pro' },
        { id: 'b', name: 'B', plan: 'pro' },
      ],
    }),
    await send('PUT', operatorPath, operator, { name: 'A', plan: 'pro', version: 1 }),
    await send('PUT', operatorPath, operator, { name: 'A', plan: 'enterprise' }),
    await send('GET', operatorPath, operator),
    await send('POST', `${operatorPath}/pause`, operator),
    await send('POST', `${operatorPath}/resume`, operator),
    await send('GET', `${operatorPath}/tokens`, operator),
    await send('GET', `${operatorPath}/members`, operator),
    await send('GET', `${operatorPath}/members?after=a`, operator),
    await send('PUT', `${operatorPath}/members/m@example.com`, operator),
    await send('DELETE', `${operatorPath}/members/m@example.com`, operator),
    await send('DELETE', operatorPath, operator),
    await send('POST', '/api/sign-in/link', {}, { email: 'owner@example.com' }),
    await send('POST', '/api/sign-out', await givenSession()),
    await send('POST', '/report', {}, { tokens: [(await givenToken(await givenOrganisation())).secret] }),
  ];
  const failed = answers.findIndex((answer) => !answer.ok);
  if (failed !== -1) throw new Error(`call ${failed} was answered ${answers[failed]?.status}`);
  // The deletion in the organisation that stays is mailed, then a warning is due and mailed. The last runs can send no mail.
  const ending = await givenToken(told);
  const now = Date.now();
  await env.DB.prepare('UPDATE tokens SET expires_at = ? WHERE id = ?')
    .bind(new Date(now + 40 * DAY).toISOString(), ending.id)
    .run();
  // An accepted push, one that fails, and one that the receiver stops.
  for (const [cron, answered, EMAIL_FROM] of [
    [MINUTE_CRON, 204, 'zone@example.com'],
    ['17 * * * *', 204, 'zone@example.com'],
    [TEN_MINUTES_CRON, 204, 'zone@example.com'],
    [TEN_MINUTES_CRON, 204, ''],
    [MINUTE_CRON, 503, ''],
    [MINUTE_CRON, 410, ''],
  ] as const) {
    status = answered;
    await env.DB.prepare('UPDATE webhook SET cursor = 0, next_try_at = NULL').run();
    await worker.scheduled(
      createScheduledController({ scheduledTime: new Date(now + 10 * DAY), cron }),
      { ...recordingAs(`the run of ${cron}`), EMAIL_FROM },
      createExecutionContext(),
    );
  }
  // About sixty calls, some of which wait for leases.
}, 60_000);

async function planOf(sql: string): Promise<string[]> {
  const places = sql.split('?').length - 1;
  const { results } = await env.DB.prepare(`EXPLAIN QUERY PLAN ${sql}`)
    .bind(...Array<null>(places).fill(null))
    .all<{ detail: string }>();
  return results.map(({ detail }) => detail);
}

it('reaches every row by an index', async () => {
  const walks: string[] = [];
  for (const [sql, request] of statements) {
    for (const step of await planOf(sql)) {
      // `people` and `part` are the queues of recursive statements, a row at a time; `wanted` and `had` are lists of five paths
      // at most, `seen` one of 100 secrets; `ended` are 50 secrets that are still called, at most.
      if (/^SCAN (?!CONSTANT ROW|\(subquery|(?:people|part|ended)$|(?:wanted|had|seen) VIRTUAL)/.test(step))
        walks.push(`${request}: ${step}: ${sql}`);
    }
  }
  expect(statements.size).toBeGreaterThan(30);
  expect(walks).toEqual([]);
});

it('has no index that no statement uses', async () => {
  const { results } = await env.DB.prepare(
    "SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL AND tbl_name NOT LIKE 'd1_%'",
  ).all<{ name: string }>();
  const plans = (await Promise.all([...statements.keys()].map(planOf))).flat();
  const isRead = (index: string) => plans.some((step) => new RegExp(`INDEX ${index}\\b`).test(step));
  expect(results.length).toBeGreaterThan(8);
  expect(results.map(({ name }) => name).filter((name) => !isRead(name))).toEqual([]);
});

it('finds the events of one person, action or token by an index on exactly these columns', async () => {
  const pages = [...statements.keys()].filter((sql) =>
    /from "events" .*order by "events"."id" desc/.test(sql),
  );
  const asked = new Set<string>();
  for (const sql of pages) {
    const columns = ['token_id', 'actor', 'action'].filter((column) =>
      sql.includes(`"events"."${column}" = ?`),
    );
    asked.add(columns.join(' '));
    const known = ['organisation_id', ...columns].map((column) => `${column}=?`).join(' AND ');
    // The deletion of an earlier organisation with this id is a bound of the index too, so no rows are searched for it.
    expect(await planOf(sql)).toContainEqual(expect.stringContaining(`(${known} AND id>?`));
  }
  expect([...asked].toSorted()).toEqual(['', 'action', 'actor', 'actor action', 'token_id']);
  // Each with and without a cursor.
  expect(pages.filter((sql) => sql.includes('"events"."id" < ?'))).toHaveLength(5);
  expect(pages).toHaveLength(10);
});

it('would notice a statement that scans a table', async () => {
  expect(await planOf('SELECT * FROM tokens WHERE name = ?')).toEqual(['SCAN tokens']);
});

it('finds a deletion and an exposure of a token by the index of these events', async () => {
  for (const action of ['token.deleted', 'token.exposed']) {
    const asking = [...statements.keys()].filter((sql) => sql.includes(`"events"."action" = '${action}'`));
    expect(asking).not.toEqual([]);
    for (const sql of asking)
      expect(await planOf(sql)).toContainEqual(
        expect.stringContaining('events_by_ending (token_id=? AND action=?'),
      );
  }
});

it('reads pages in the order of an index instead of sorting them', async () => {
  const pages = [...statements.keys()].filter((sql) => /limit/i.test(sql) && /order by/i.test(sql));
  expect(pages.length).toBeGreaterThan(5);
  const sorted: string[] = [];
  for (const sql of pages) {
    // A member's own few organisations are sorted by name.
    if (/order by "organisations"."name"/i.test(sql)) continue;
    if ((await planOf(sql)).some((step) => step.startsWith('USE TEMP B-TREE'))) sorted.push(sql);
  }
  expect(sorted).toEqual([]);
});
