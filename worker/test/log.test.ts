// The fields of the log about a request, and data that the log must never hold.
import { createExecutionContext, createScheduledController } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { READS } from '../api/routes.ts';
import worker from '../index.ts';
import type { Env } from '../deployment/env.ts';
import { randomValue } from '../random.ts';
import { bearer, call, callWith, givenOrganisation, givenSession, givenToken, write } from './harness.ts';

const FIELDS = new Set([
  'method',
  'route',
  'status',
  'reason',
  'organisationId',
  'tokenId',
  'requestId',
  'region',
  'durationMs',
]);
const SECRET_SHAPE = /9p[0-9A-Za-z]{3}_dz[0-9A-Za-z]_[0-9A-Za-z]{47}/;

let printed: string[] = [];
beforeEach(() => {
  printed = [];
  for (const level of ['log', 'info', 'warn', 'error', 'debug'] as const) {
    vi.spyOn(console, level).mockImplementation((...things) => {
      printed.push(things.map(String).join(' '));
    });
  }
});
afterEach(() => vi.restoreAllMocks());

function lines(): Record<string, unknown>[] {
  // Each line is an object that worker/http/log.ts wrote.
  return printed.map((text) => JSON.parse(text) as Record<string, unknown>);
}

/** The one line that was printed since the last call of this function. */
function line(): Record<string, unknown> {
  const [first = {}, ...more] = lines();
  expect(more).toEqual([]);
  printed = [];
  expect(Object.keys(first).filter((field) => !FIELDS.has(field))).toEqual([]);
  return first;
}

describe('the line about a request', () => {
  it('says who called what with which token, and how it ended', async () => {
    const organisationId = await givenOrganisation();
    const { id, secret } = await givenToken(organisationId);
    const response = await call('/v1/ping?colour=blue', { headers: bearer(secret) });
    expect(line()).toEqual({
      method: 'GET',
      route: '/v1/ping',
      status: 200,
      organisationId,
      tokenId: id,
      requestId: response.headers.get('x-request-id'),
      region: expect.stringMatching(/^[A-Z]{3}$|^unknown$/),
      durationMs: expect.any(Number),
    });
  });

  it('is one line in every group of routes, with the pattern of the route and the reason of a refusal', async () => {
    const organisationId = await givenOrganisation();
    const session = await givenSession();
    const zone = `/api/organisations/${organisationId}`;
    const zonePattern = '/api/organisations/:organisation';
    const seen = async (answer: Promise<Response>, expected: Record<string, unknown>): Promise<void> => {
      await (await answer).text();
      expect(line()).toMatchObject(expected);
    };
    await seen(call('/healthz'), { route: '/healthz', status: 200 });
    await seen(call('/v1/ping'), { route: '/v1/ping', status: 401, reason: 'authentication-required' });
    await seen(call('/v1/events/7?x=1'), { route: '/v1/*', status: 404, reason: 'not-found' });
    await seen(call('/verify'), { route: '/verify', status: 401, reason: 'authentication-required' });
    await seen(call('/introspect', { method: 'POST' }), {
      method: 'POST',
      route: '/introspect',
      status: 404,
    });
    await seen(call('/nowhere/at/all'), { route: '*', status: 404, reason: 'not-found' });
    await seen(call('/docs/problems'), { route: '/docs/:name', status: 200 });
    await seen(call('/sign-in', { method: 'HEAD' }), { method: 'HEAD', route: '/sign-in' });
    await seen(call(`${zone}/tokens`), {
      route: `${zonePattern}/tokens`,
      status: 401,
      reason: 'sign-in-required',
    });
    await seen(call(`${zone}/tokens`, { headers: session }), {
      route: `${zonePattern}/tokens`,
      status: 200,
      organisationId,
    });
    await seen(write('DELETE', `${zone}/tokens/none`, session), {
      method: 'DELETE',
      route: `${zonePattern}/tokens/:token`,
      status: 404,
      reason: 'token-not-found',
      organisationId,
    });
    await seen(call('/operator/organisations/one'), { route: '/operator/organisations/:id', status: 404 });
  });

  it('names each read of /v1 by the table of routes itself, and no path beside it', async () => {
    const paths = Object.keys(READS);
    expect(paths.length).toBeGreaterThan(2);
    for (const path of paths) {
      await (await call(`${path}?colour=blue`)).text();
      expect(line()).toMatchObject({ route: path, status: 401 });
      await (await call(`${path}/`)).text();
      expect(line()).toMatchObject({ route: '/v1/*' });
    }
  });

  it('names the token of a change, and nothing that a caller made up', async () => {
    const organisationId = await givenOrganisation();
    const session = await givenSession();
    const path = `/api/organisations/${organisationId}/tokens`;
    const created = await write('POST', path, session, { name: 'for the booth' });
    const { token } = await created.json<{ token: { id: string } }>();
    expect(line()).toMatchObject({ status: 201, organisationId, tokenId: token.id });
    await (await write('GET', `/api/organisations/${organisationId}x/tokens`, session)).text();
    expect(line()).not.toHaveProperty('organisationId');
  });

  it('names the organisation of each call of the operator that was done, and no text of one that was refused', async () => {
    const secret = 'operator-secret-for-tests-0123456789abcdef';
    const organisationId = await givenOrganisation();
    const path = `/operator/organisations/${organisationId}`;
    const send = async (method: string, at: string) =>
      (
        await callWith({ OPERATOR_SECRET: secret }, at, {
          method,
          headers: { authorization: `Bearer ${secret}` },
        })
      ).text();
    for (const [method, at] of [
      ['GET', path],
      ['POST', `${path}/pause`],
      ['GET', `${path}/members`],
      ['GET', `${path}/tokens`],
      ['DELETE', path],
    ] as const) {
      await send(method, at);
      expect(line()).toMatchObject({ method, status: 200, organisationId });
    }
    for (const at of [path, `${path}/tokens`, `${path}/unknown`]) {
      await send('GET', at);
      expect(line()).toMatchObject({ status: 404 });
      expect(line()).not.toHaveProperty('organisationId');
    }
  });

  it('holds no secret, cookie, address, body or query, wherever a caller puts them', async () => {
    const organisationId = await givenOrganisation();
    const { secret } = await givenToken(organisationId);
    const cookie = await givenSession('somebody@example.com');
    const ray = { 'cf-ray': secret };
    const code = randomValue();
    const calls = [
      call(`/v1/${secret}?token=${secret}`, { headers: { ...bearer(secret), ...ray } }),
      call(`/${secret}`, { headers: ray }),
      call(`/api/organisations/${secret}/tokens/${secret}`, { headers: { ...cookie, ...ray } }),
      call(`/api/organisations/${organisationId}/tokens?secret=${secret}`, { headers: cookie }),
      write('POST', `/api/organisations/${organisationId}/tokens`, cookie, { name: secret }),
      write('POST', `/api/organisations/${organisationId}/tokens`, cookie, { [secret]: 'x' }),
      write('PATCH', `/api/organisations/${organisationId}/tokens/${secret}`, cookie, { active: false }),
      write('POST', `/api/organisations/${secret}/tokens`, cookie, {}),
      write('PATCH', `/api/organisations/${secret}/tokens/${secret}`, cookie, { active: false }),
      write('DELETE', `/api/organisations/${secret}/tokens/${secret}`, cookie),
      call(`/api/organisations/${secret}/usage`, { headers: cookie }),
      write('POST', '/api/sign-in/redeem', cookie, { code }),
      call(`/operator/organisations/${secret}/members/somebody@example.com`, { headers: bearer(secret) }),
      call('/verify', { headers: { authorization: `Basic ${secret}`, 'x-api-key': `${secret},` } }),
    ];
    for (const answer of await Promise.all(calls)) await answer.text();
    expect(printed).toHaveLength(calls.length);
    const text = printed.join('\n');
    expect(text).not.toMatch(SECRET_SHAPE);
    for (const hidden of [cookie.cookie, cookie.cookie.split('=')[1] ?? '', 'somebody', code, '?', '@']) {
      expect(text).not.toContain(hidden);
    }
  });

  it('is written for failures alone where LOG says so', async () => {
    await callWith({ LOG: 'errors' }, '/v1/ping');
    await callWith({ LOG: 'errors' }, '/healthz');
    expect(printed).toEqual([]);
    await callWith({ LOG: 'errors', LINKS_PER_CLIENT: env.LINKS_PER_CLIENT, TAG_KEYS: '' }, '/v1/ping');
    expect(lines()).toMatchObject([
      { event: 'misconfigured' },
      { route: '/v1/ping', status: 500, reason: 'misconfigured' },
    ]);
  });

  it('needs a LOG that it knows', async () => {
    const response = await callWith({ LOG: 'everything' }, '/v1/ping');
    expect(await response.json()).toMatchObject({ detail: 'LOG: neither "all" nor "errors"' });
  });
});

describe('the line about a failure', () => {
  it('says what kind of error it was and where, and never its message', async () => {
    const organisationId = await givenOrganisation();
    const { secret } = await givenToken(organisationId);
    const session = await givenSession();
    const DB = new Proxy(env.DB, {
      get() {
        throw new TypeError(`broken by ${secret}\n    at ${secret} of somebody@example.com`);
      },
    });
    const answer = await callWith({ DB }, '/api/session', { headers: session });
    expect(answer.status).toBe(500);
    const [failure = {}, request = {}, ...more] = lines();
    expect(more).toEqual([]);
    expect(failure).toEqual({
      level: 'error',
      event: 'unexpected',
      detail: expect.stringMatching(/^\w*Error at .+:\d+:\d+\)?$/),
      requestId: answer.headers.get('x-request-id'),
    });
    expect(request).toMatchObject({ route: '/api/session', status: 500, reason: 'unexpected' });
    expect(printed.join('\n')).not.toMatch(SECRET_SHAPE);
    expect(printed.join('\n')).not.toContain('@');
  });

  it('names a failure of the database, once in ten seconds with the number of the others', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      const session = await givenSession();
      const DB = new Proxy(env.DB, {
        get(database, name) {
          if (name === 'prepare')
            return () => database.prepare('SELECT 1 FROM "gone of somebody@example.com"');
          const value: unknown = Reflect.get(database, name);
          return typeof value === 'function' ? value.bind(database) : value;
        },
      });
      const ask = async () => {
        const answer = await callWith({ DB }, '/api/session', { headers: session });
        expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '2']);
      };
      const failures = () => lines().filter(({ event }) => event !== undefined);
      for (let n = 0; n < 3; n++) await ask();
      expect(failures()).toEqual([{ level: 'error', event: 'storage-failed', detail: 'missing-table' }]);
      vi.setSystemTime(Date.now() + 10_000);
      await ask();
      expect(failures().at(-1)).toEqual({
        level: 'error',
        event: 'storage-failed',
        detail: 'missing-table',
        times: 3,
      });
      expect(printed.join('\n')).not.toContain('@');
    } finally {
      vi.useRealTimers();
    }
  });

  it('gives the number of rows that the hourly pruning removed, and the size of the database', async () => {
    await worker.scheduled(
      createScheduledController({ scheduledTime: new Date() }),
      env,
      createExecutionContext(),
    );
    expect(lines()).toEqual([
      {
        event: 'pruned',
        removed: {
          sessions: 0,
          signIns: 0,
          dailyCounts: 0,
          idempotencyKeys: 0,
          replacedSecrets: 0,
          expiryWarnings: 0,
          mails: 0,
          notices: 0,
          tokenUsage: 0,
          refusalReasons: 0,
          callers: 0,
          tombstones: 0,
          refusedAddresses: 0,
          changes: 0,
          events: 0,
        },
        isDone: true,
        bytes: expect.any(Number),
        durationMs: expect.any(Number),
      },
    ]);
  });

  it('names a hub that cannot be reached, and a change that was not confirmed', async () => {
    const organisationId = await givenOrganisation();
    const { id } = await givenToken(organisationId);
    const session = await givenSession();
    const CHANGE_HUB = new Proxy(env.CHANGE_HUB, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]): unknown =>
          String(args[0]).startsWith('oc')
            ? { advance: () => Promise.reject(new Error('away: somebody@example.com')) }
            : Reflect.apply(value, target, args);
      },
    });
    const answer = await callWith(
      // A hub is told while its lease lasts. All nine must have their turn in it, on a busy machine as well.
      { CHANGE_HUB, HUB_LEASE_MS: '1500', REVOCATION_LEASE_MS: '10' },
      `/api/organisations/${organisationId}/tokens/${id}`,
      {
        method: 'PATCH',
        headers: { ...session, origin: 'http://localhost', 'content-type': 'application/json' },
        body: '{"active":false}',
      },
    );
    expect(answer.status).toBe(200);
    const failures = lines().filter(({ event }) => event !== undefined);
    expect(failures).toContainEqual({ level: 'error', event: 'hub-unreachable', detail: 'oc' });
    expect(failures).toContainEqual({
      level: 'error',
      event: 'change-unconfirmed',
      detail: 'not every hub has answered',
    });
    expect(printed.join('\n')).not.toContain('@');
  });

  it('names a hub or KV that failed or was too slow for a call, once in ten seconds', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      const { secret } = await givenToken(await givenOrganisation());
      const failing = () => Promise.reject(new Error(`away: ${secret} of somebody@example.com`));
      const hanging = () => new Promise<never>(() => undefined);
      const deploymentOf = (ask: () => Promise<never>, more: object = {}) => ({
        CHANGE_HUB: { getByName: () => ({ sync: ask }) } as unknown as Env['CHANGE_HUB'],
        TOKEN_CACHE: { get: ask, put: failing } as unknown as Env['TOKEN_CACHE'],
        ...more,
      });
      const failures = () =>
        lines()
          .filter(({ event }) => event !== undefined)
          .map(({ event, detail, times }) => [event, detail, times]);
      const ping = (settings: object) => callWith(settings, '/v1/ping', { headers: bearer(secret) });
      vi.setSystemTime(Date.now() + 60_000);
      const settings = deploymentOf(failing);
      // The database itself answers, and KV is to be filled.
      for (let n = 0; n < 3; n++) expect((await ping(settings)).status).toBe(200);
      await vi.waitFor(() =>
        expect(failures().toSorted()).toEqual([
          ['cache-failed', 'read', undefined],
          ['cache-failed', 'write', undefined],
          ['hub-unreachable', 'weur', undefined],
        ]),
      );
      expect((await ping(deploymentOf(hanging))).status).toBe(200);
      await vi.waitFor(() =>
        expect(failures()).toEqual(
          expect.arrayContaining([
            ['cache-failed', 'read, too slow', undefined],
            ['hub-unreachable', 'weur, too slow', undefined],
          ]),
        ),
      );
      vi.setSystemTime(Date.now() + 60_000);
      const DB = { prepare: () => ({ bind: () => ({ all: failing }) }) } as unknown as Env['DB'];
      expect((await ping(deploymentOf(failing, { DB }))).status).toBe(503);
      await vi.waitFor(() => expect(failures()).toContainEqual(['storage-failed', 'other', undefined]));
      expect(printed.join('\n')).not.toContain(secret);
      expect(printed.join('\n')).not.toContain('@');
    } finally {
      vi.useRealTimers();
    }
  });

  it('names the failure of a pruning', async () => {
    const DB = new Proxy(env.DB, {
      get() {
        throw new Error('D1_ERROR: no such table: of somebody@example.com');
      },
    });
    const run = worker.scheduled(
      createScheduledController({ scheduledTime: new Date() }),
      { ...env, DB },
      createExecutionContext(),
    );
    await expect(run).rejects.toThrow('no such table');
    expect(lines()).toEqual([{ level: 'error', event: 'prune-failed', detail: 'missing-table' }]);
  });
});
