// The webhook of a deployment: what the operator is told of it, and when events are pushed. The receiver is the verifier of Standard
// Webhooks behind `fetch`.
import { createExecutionContext, createScheduledController } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { Webhook } from 'standardwebhooks';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Env } from '../deployment/env.ts';
import worker from '../index.ts';
import { FAULTS, deploymentWith } from '../test/faults.ts';
import { givenOrganisation, givenSession, givenToken, settledAt, slugOf, writing } from '../test/harness.ts';
import { counting, operate } from '../test/operate.ts';
import { openDeployment } from '../deployment/deployment.ts';
import { MINUTE_CRON } from '../upkeep/run.ts';
import { describeOutbox } from '../webhook/outbox.suite.ts';

const SECRET = `whsec_${btoa('a key of this test that has 32 b')}`;
const ON = {
  WEBHOOK_URL: 'https://receiver.example/hook?key=of-the-receiver',
  WEBHOOK_SECRET: SECRET,
};
type Sent = { id: string; type: string; data: { id: string; organisationId: string | null; detail: string } };

let sent: Sent[];
let answer: () => Promise<Response>;
beforeEach(async () => {
  sent = [];
  answer = async () => new Response(null, { status: 204 });
  await env.DB.exec('DELETE FROM webhook');
  vi.restoreAllMocks();
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (url, init) => {
    expect(url).toBe(ON.WEBHOOK_URL);
    const headers = Object.fromEntries(new Headers(init?.headers));
    const verified = new Webhook(SECRET).verify(String(init?.body), headers) as Omit<Sent, 'id'>;
    sent.push({ id: headers['webhook-id'] ?? '', ...verified });
    return answer();
  });
});

const status = async (settings: object = ON) =>
  (await operate('GET', '/webhook', undefined, settings)).json<Record<string, unknown>>();
const test = async (settings: object = ON) =>
  (await operate('POST', '/webhook/test', undefined, settings)).json<object>();
const move = (cursor: unknown) => operate('PATCH', '/webhook', { cursor }, ON);

async function minute(settings: Partial<Env> = ON): Promise<void> {
  await worker.scheduled(
    createScheduledController({ scheduledTime: new Date(), cron: MINUTE_CRON }),
    { ...(env as Env), ...settings },
    createExecutionContext(),
  );
}
const newest = () => env.DB.prepare('SELECT max(id) AS id FROM events').first<number>('id');

/** An operator's change, which writes one event. */
async function change(settings: Partial<Env> = ON): Promise<string> {
  const id = `hook-${crypto.randomUUID()}`;
  expect((await operate('PUT', `/organisations/${id}`, { name: 'A', plan: 'pro' }, settings)).status).toBe(
    201,
  );
  return id;
}

describeOutbox(() => openDeployment(env).openDatabase());

describe('the webhook', () => {
  it('is off without a URL, and asks nothing of the database then', async () => {
    const off = { WEBHOOK_URL: '', WEBHOOK_SECRET: SECRET };
    expect(await status(off)).toEqual({
      url: null,
      state: 'off',
      cursor: null,
      lag: { events: 0, countedUpTo: 10_000, seconds: 0 },
      failingSince: null,
      lastError: null,
      lastSuccessAt: null,
      nextTryAt: null,
    });
    await change(off);
    await minute(off);
    expect(await env.DB.prepare('SELECT * FROM webhook').first()).toBeNull();
    expect(await test(off)).toEqual({ isDelivered: false, reason: 'WEBHOOK_URL is not set' });
    expect((await operate('PATCH', '/webhook', { cursor: '1' }, off)).status).toBe(422);
    expect(sent).toEqual([]);
  });

  it('sends the event of a change after its answer, and not before the answer', async () => {
    await minute();
    const organisation = await change();
    expect(sent).toMatchObject([
      { type: 'organisation.created', data: { organisationId: organisation, actor: 'operator' } },
    ]);
    // A slow receiver delays no answer, because the push runs after the answer.
    let release: (response: Response) => void = () => undefined;
    answer = () => new Promise((done) => (release = done));
    const given = await worker.fetch(
      new Request('http://localhost/operator/webhook', {
        method: 'PATCH',
        headers: {
          authorization: 'Bearer operator-secret-for-tests-0123456789abcdef',
          'content-type': 'application/json',
        },
        body: JSON.stringify({ cursor: String(await newest()) }),
      }) as Parameters<typeof worker.fetch>[0],
      { ...(env as Env), ...ON, OPERATOR_SECRET: 'operator-secret-for-tests-0123456789abcdef' },
      createExecutionContext(),
    );
    expect(given.status).toBe(200);
    await vi.waitFor(() => expect(sent).toHaveLength(2));
    release(new Response(null, { status: 204 }));
  });

  it('sends the events of members as well, but nothing because of a read', async () => {
    await minute();
    const email = `${crypto.randomUUID()}@example.com`;
    const organisation = await givenOrganisation('enterprise', [email]);
    const { id, secret } = await givenToken(organisation);
    const session = await givenSession(email);
    const path = `/api/organisations/${organisation}/tokens`;
    const at = { ...(env as Env), ...ON };
    await settledAt(at, `${path}/${id}`, writing('DELETE', session));
    expect(sent).toMatchObject([{ type: 'token.deleted', data: { organisationId: organisation } }]);
    expect(JSON.stringify(sent)).not.toContain(secret);
    // Written by a read: the next minute sends it.
    await settledAt(at, '/api/organisations/another/tokens', { headers: session });
    expect(sent).toHaveLength(1);
    await minute();
    expect(sent[1]).toMatchObject({ type: 'access.refused', data: { detail: 'another' } });
  });

  it('sends at once what strangers put on record: a report of a token that is off, and a secret in a URL', async () => {
    await minute();
    const organisation = await givenOrganisation();
    const [off, first, second] = [
      await givenToken(organisation, false),
      await givenToken(organisation),
      await givenToken(organisation),
    ];
    const at = { ...(env as Env), ...ON };
    const types = () => sent.splice(0).map(({ type }) => type);
    await settledAt(at, '/report', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'cf-connecting-ip': crypto.randomUUID() },
      body: JSON.stringify({ tokens: [off.secret] }),
    });
    expect(types()).toEqual(['token.exposed']);
    await settledAt(at, `/v1/ping?token=${first.secret}`);
    expect(types()).toEqual(['token.exposed', 'token.deactivated']);
    await settledAt({ ...at, EXPOSED_TOKENS: 'record' }, `/v1/ping?token=${second.secret}`);
    expect(types()).toEqual(['token.exposed']);
  });

  it('is not kept waiting by mails, also where the service that sends them does not answer', async () => {
    await minute();
    const email = `${crypto.randomUUID()}@example.com`;
    const organisation = await givenOrganisation('enterprise', [email]);
    const { id } = await givenToken(organisation);
    const send = vi.fn<() => Promise<never>>(() => new Promise(() => undefined));
    const EMAIL = { send } as unknown as NonNullable<Env['EMAIL']>;
    const answered = await worker.fetch(
      new Request(
        `http://localhost/api/organisations/${organisation}/tokens/${id}`,
        writing('DELETE', await givenSession(email)),
      ) as Parameters<typeof worker.fetch>[0],
      { ...(env as Env), ...ON, EMAIL, EMAIL_FROM: 'zone@example.com' },
      createExecutionContext(),
    );
    expect(answered.status).toBe(200);
    await vi.waitFor(() => expect(send).toHaveBeenCalled(), 5000);
    expect(sent).toMatchObject([{ type: 'token.deleted', data: { organisationId: organisation } }]);
  });

  it('costs no storage after a refusal that anybody can get', async () => {
    await minute();
    const { settings, statements } = counting();
    const at = { ...(env as Env), ...ON, OPERATOR_SECRET: 'x'.repeat(32), ...settings };
    const refused: [path: string, init: RequestInit][] = [
      ['/operator/organisations/a', { method: 'PUT' }],
      ['/api/organisations/a/tokens', writing('POST', {}, {})],
      ['/api/sign-out', { method: 'POST', headers: { origin: 'https://another.example' } }],
      ['/api/nowhere', writing('DELETE', {})],
    ];
    for (const [path, init] of refused) {
      expect((await settledAt(at, path, init)).ok).toBe(false);
      expect([path, statements]).toEqual([path, []]);
    }
  });

  it('and mails together ask once whose the database is', async () => {
    await minute();
    const { settings, statements } = counting();
    await minute({ ...ON, EMAIL_FROM: 'zone@example.com', ...settings });
    expect(statements.filter((text) => text.includes('"deployment"'))).toHaveLength(1);
    expect(statements.some((text) => text.includes('"mail_progress"'))).toBe(true);
    expect(statements.some((text) => text.includes('"webhook"'))).toBe(true);
  });

  it('tells the operator the URL without its query, the cursor, the lag, the last error and the next try', async () => {
    await minute();
    answer = async () => new Response('the answer of a receiver', { status: 503 });
    const organisation = await change();
    const failing = await status();
    expect(failing).toMatchObject({
      url: 'https://receiver.example/hook',
      state: 'failing',
      lag: { events: 1, seconds: expect.any(Number) as number },
      lastError: { reason: 'answered 503', at: expect.any(String) as string },
      lastSuccessAt: null,
    });
    expect(Date.parse(String(failing['nextTryAt']))).toBeGreaterThan(
      Date.parse(String(failing['failingSince'])),
    );
    expect(JSON.stringify(failing)).not.toMatch(/of-the-receiver|answer of a receiver|whsec/);
    // A change goes on, whatever the receiver does, and waits for the next try.
    sent = [];
    await change();
    expect(sent).toEqual([]);
    expect(await status()).toMatchObject({ lag: { events: 2 } });
    // A test that is accepted ends the wait.
    answer = async () => new Response(null, { status: 200 });
    expect(await test()).toEqual({ isDelivered: true, reason: null });
    expect(sent.map(({ type }) => type)).toEqual([
      'webhook.test',
      'organisation.created',
      'organisation.created',
    ]);
    expect(sent[1]?.data.organisationId).toBe(organisation);
    expect(await status()).toMatchObject({
      state: 'running',
      cursor: String(await newest()),
      lag: { events: 0, seconds: 0 },
      failingSince: null,
      nextTryAt: null,
      lastSuccessAt: expect.any(String) as string,
    });
  });

  it('says what became of a test', async () => {
    answer = async () => new Response(null, { status: 404 });
    expect(await test()).toEqual({ isDelivered: false, reason: 'answered 404' });
    answer = () => Promise.reject(new Error('https://receiver.example/hook?key=of-the-receiver'));
    expect(await test()).toEqual({ isDelivered: false, reason: 'no connection' });
    expect(sent.every(({ id, type }) => id.startsWith('test_') && type === 'webhook.test')).toBe(true);
  });

  it('leaves nothing of the URL or of the key in the log and in the database', async () => {
    const printed = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    await minute();
    answer = () => Promise.reject(new Error(`${ON.WEBHOOK_URL} ${SECRET}`));
    await change();
    answer = async () => new Response(ON.WEBHOOK_URL, { status: 302, headers: { location: '/elsewhere' } });
    await env.DB.exec('UPDATE webhook SET next_try_at = NULL');
    await minute();
    const lines = printed.mock.calls.flat().map(String);
    expect(
      lines.filter((line) => line.includes('webhook')).map((line) => JSON.parse(line) as object),
    ).toEqual([
      { level: 'error', event: 'webhook-not-delivered', detail: 'no connection' },
      { level: 'error', event: 'webhook-not-delivered', detail: 'answered 302' },
    ]);
    const row = await env.DB.prepare('SELECT * FROM webhook').first();
    for (const text of [...lines, JSON.stringify(row)])
      expect(text).not.toMatch(/receiver\.example|of-the-receiver|whsec|elsewhere/);
  });

  it('loses events only to the retention, and then the log says how many', async () => {
    await minute();
    const insert = env.DB.prepare(
      "INSERT INTO events (at, actor, action, request_id) VALUES (?, 'a', 'sign-in', ?) RETURNING id",
    );
    const old = new Date(Date.now() - 31 * 86_400_000).toISOString();
    // One that was sent, and two that were not.
    await insert.bind(old, 'sent').first();
    await minute();
    for (const id of ['one', 'two']) await insert.bind(old, id).first();
    const printed = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    await worker.scheduled(
      createScheduledController({ scheduledTime: new Date(), cron: '17 * * * *' }),
      { ...(env as Env), ...ON, EVENTS_RETENTION_DAYS: '30' },
      createExecutionContext(),
    );
    expect(printed.mock.calls.flat()).toContain(
      '{"level":"error","event":"webhook-events-removed","detail":"2"}',
    );
    // What is young is sent on.
    const organisation = await change();
    expect(sent.at(-1)?.data.organisationId).toBe(organisation);
  });

  it('stops at 410, and starts again with another URL', async () => {
    await minute();
    answer = async () => new Response(null, { status: 410 });
    await change();
    expect(await status()).toMatchObject({ state: 'stopped', lag: { events: 2 }, nextTryAt: null });
    sent = [];
    await minute();
    expect(sent).toEqual([]);
    vi.restoreAllMocks();
    const urls: unknown[] = [];
    vi.spyOn(globalThis, 'fetch').mockImplementation(async (url) => {
      urls.push(url);
      return new Response(null, { status: 204 });
    });
    const moved = { ...ON, WEBHOOK_URL: 'https://another.example/' };
    expect(await status(moved)).toMatchObject({ state: 'running' });
    await minute(moved);
    expect(urls).toEqual([moved.WEBHOOK_URL, moved.WEBHOOK_URL]);
  });

  it('sends earlier events again, or leaves some out, as the operator chooses, and says so on record', async () => {
    await minute();
    const from = (await newest()) ?? 0;
    await change();
    const [first] = sent;
    sent = [];
    const answered = await move(String(from));
    expect(answered.status).toBe(200);
    expect(await answered.json()).toMatchObject({ cursor: String(from), lag: { events: 2 } });
    // The same event has the same id.
    expect(sent).toMatchObject([
      { id: first?.id, type: 'organisation.created' },
      { type: 'webhook.moved', data: { detail: `${from + 1} → ${from}`, organisationId: null } },
    ]);
  });

  it.each([
    ['999999999999999', 'Field "cursor": above the newest event'],
    ['1.5', 'Field "cursor": no id of an event'],
    ['', 'Field "cursor": no id of an event'],
    [7, 'Field "cursor": not a string'],
  ])('is not moved to %j', async (cursor, detail) => {
    await minute();
    const refused = await move(cursor);
    expect(refused.status).toBe(422);
    expect(await refused.json()).toMatchObject({ detail });
    expect(await status()).toMatchObject({ cursor: String(await newest()) });
    expect(sent).toEqual([]);
  });

  it.each(FAULTS)(
    'starts again completely or not at all after an accepted test, when a call to storage is %s',
    async (kind) => {
      const call = (at: Env) =>
        settledAt(at, '/operator/webhook/test', {
          method: 'POST',
          headers: { authorization: `Bearer ${at.OPERATOR_SECRET}` },
        });
      const stopped = () =>
        env.DB.exec(
          "UPDATE webhook SET stopped_at = '2026-11-01T00:00:00.000Z', failures = 3, failing_since = '2026-11-01T00:00:00.000Z', next_try_at = '2090-01-01T00:00:00.000Z', holder = NULL, held_until = NULL",
        );
      const standing = async () =>
        Object.values(
          (await env.DB.prepare(
            'SELECT stopped_at IS NULL, failures = 0, failing_since IS NULL, next_try_at IS NULL FROM webhook',
          ).first()) ?? {},
        ).join('');
      await minute();
      await stopped();
      const clean = deploymentWith(null);
      expect(await (await call({ ...clean.env, ...ON })).json()).toEqual({ isDelivered: true, reason: null });
      for (const at of clean.calls.keys()) {
        await stopped();
        const given = await call({ ...deploymentWith({ at, kind }).env, ...ON });
        const said = given.ok ? 'done' : await slugOf(given);
        expect([
          `done ${at} 1111`,
          `storage-unavailable ${at} 1111`,
          `storage-unavailable ${at} 0000`,
        ]).toContain(`${said} ${at} ${await standing()}`);
        expect((await call({ ...deploymentWith(null).env, ...ON })).ok).toBe(true);
        expect(await standing()).toBe('1111');
      }
    },
  );

  it.each(FAULTS)('is moved completely or not at all, when a call to storage is %s', async (kind) => {
    const call = (at: Env) =>
      settledAt(at, '/operator/webhook', {
        method: 'PATCH',
        headers: {
          authorization: `Bearer ${at.OPERATOR_SECRET}`,
          'content-type': 'application/json',
        },
        body: JSON.stringify({ cursor: '1' }),
      });
    // Nothing is pushed here, so that the cursor stays where it was put.
    answer = async () => new Response(null, { status: 503 });
    const clean = deploymentWith(null);
    expect((await call({ ...clean.env, ...ON })).status).toBe(200);
    const moves = () =>
      env.DB.prepare("SELECT count(*) AS n FROM events WHERE action = 'webhook.moved'").first<number>('n');
    for (const at of clean.calls.keys()) {
      await env.DB.exec(
        'UPDATE webhook SET cursor = 2, next_try_at = NULL, holder = NULL, held_until = NULL',
      );
      const before = await moves();
      const given = await call({ ...deploymentWith({ at, kind }).env, ...ON });
      const cursor = await env.DB.prepare('SELECT cursor FROM webhook').first<number>('cursor');
      expect([at, cursor === 1, given.ok || given.status === 503]).toEqual([
        at,
        (await moves()) !== before,
        true,
      ]);
      expect(!given.ok || cursor === 1).toBe(true);
    }
  });
});
