import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import type { Env } from '../deployment/env.ts';
import {
  actionsOf,
  bearer,
  call,
  givenOrganisation,
  givenSession,
  givenToken,
  settledAt,
  slugOf,
  withinOneMinute,
  write,
} from '../test/harness.ts';

const SECRET = 'operator-secret-for-tests-0123456789abcdef';
const BY = { authorization: `Bearer ${SECRET}` };

/** A call to a deployment that has the operator secret, with whatever else is said of its settings. */
const operate = (
  method: string,
  path: string,
  body?: unknown,
  headers: HeadersInit = BY,
  settings: Partial<Env> = { OPERATOR_SECRET: SECRET },
) =>
  settledAt({ ...env, ...settings }, `/operator${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });

async function eventsOf(organisation: string) {
  const { results } = await env.DB.prepare(
    'SELECT action, actor, detail FROM events WHERE organisation_id = ? ORDER BY id',
  )
    .bind(organisation)
    .all<{ action: string; actor: string; detail: string | null }>();
  return results;
}

const newId = () => `op-${crypto.randomUUID()}`;

describe('who may speak for the platform', () => {
  it.each([
    ['none', undefined],
    ['an empty one', ''],
  ])('does not exist where the configured secret is %s', async (_, secret) => {
    const settings = secret === undefined ? {} : { OPERATOR_SECRET: secret };
    const answer = await operate('GET', '/organisations', undefined, bearer(secret ?? SECRET), settings);
    expect(answer.status).toBe(404);
    expect(await slugOf(answer)).toBe('not-found');
  });

  it('is accepted with either of two secrets, while one replaces the other', async () => {
    const next = `next-${SECRET}`;
    const both = { OPERATOR_SECRET: SECRET, OPERATOR_SECRET_NEXT: next };
    const statusOf = async (given: string, settings: Partial<Env>): Promise<number> =>
      (await operate('GET', '/organisations', undefined, bearer(given), settings)).status;
    expect([await statusOf(SECRET, both), await statusOf(next, both)]).toEqual([200, 200]);
    expect(await statusOf(`${SECRET}${next}`, both)).toBe(401);
    // An old deployment knows one, and so does a finished change.
    expect(await statusOf(next, { OPERATOR_SECRET: SECRET })).toBe(401);
    const done = { OPERATOR_SECRET: next, OPERATOR_SECRET_NEXT: '' };
    expect([await statusOf(SECRET, done), await statusOf(next, done), await statusOf('', done)]).toEqual([
      401, 200, 401,
    ]);
    expect(await statusOf(next, { OPERATOR_SECRET: '', OPERATOR_SECRET_NEXT: next })).toBe(200);
  });

  it.each([
    ['a wrong secret', { authorization: `Bearer ${SECRET}x` }, 'invalid-token'],
    ['a short secret', { authorization: 'Bearer x' }, 'invalid-token'],
    ['no credential', {}, 'authentication-required'],
    ['an empty credential', { authorization: 'Bearer ' }, 'authentication-required'],
    ['another scheme', { authorization: `Basic ${btoa(`operator:${SECRET}`)}` }, 'authentication-required'],
    ['the secret in X-API-Key', { 'x-api-key': SECRET }, 'authentication-required'],
  ])('refuses %s, and makes no organisation', async (_, headers, slug) => {
    const id = newId();
    const answer = await operate('PUT', `/organisations/${id}`, { name: 'A', plan: 'pro' }, headers);
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toContain('Bearer realm="operator"');
    expect(await slugOf(answer)).toBe(slug);
    expect((await operate('GET', `/organisations/${id}`)).status).toBe(404);
  });

  it('accepts no cookies: the session of a member opens nothing', async () => {
    await givenOrganisation();
    const answer = await operate('GET', '/organisations', undefined, await givenSession());
    expect(answer.status).toBe(401);
  });

  it("does not take an organisation's own token", async () => {
    const { secret } = await givenToken(await givenOrganisation());
    expect((await operate('GET', '/organisations', undefined, bearer(secret))).status).toBe(401);
  });

  it('limits the failures of one client, counts IPv6 by its /64, and never locks out the operator', async () => {
    const guess = (address: string, secret = 'wrong') =>
      operate('GET', '/organisations', undefined, {
        ...bearer(secret),
        'cf-connecting-ip': address,
      });
    const { answers, limited, neighbour, platform } = await withinOneMinute(async () => {
      const network = `2001:db8:${crypto.randomUUID().slice(0, 4)}:2`;
      return {
        answers: await Promise.all(Array.from({ length: 31 }, (_, host) => guess(`${network}::${host}`))),
        limited: await guess(`${network}:ffff::1`),
        neighbour: await guess(`${network}2::1`),
        platform: await guess(`${network}::1`, SECRET),
      };
    });
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(30);
    expect(limited.status).toBe(429);
    expect(limited.headers.get('retry-after')).toBe('60');
    expect(neighbour.status).toBe(401);
    expect(platform.status).toBe(200);
  });

  it('still refuses when the limiter fails', async () => {
    const broken: RateLimit = { limit: () => Promise.reject(new Error('limiter down')) };
    const answer = await operate('GET', '/organisations', undefined, bearer('wrong'), {
      OPERATOR_SECRET: SECRET,
      FAILED_LOGINS_PER_CLIENT: broken,
    });
    expect(answer.status).toBe(401);
  });
});

describe('organisations', () => {
  it('creates one, changes it, reads it back, and repeats without effect', async () => {
    const id = newId();
    const created = await operate('PUT', `/organisations/${id}`, { name: 'Acme', plan: 'pro' });
    expect(created.status).toBe(201);
    expect(created.headers.get('cache-control')).toBe('no-store');
    expect(await created.json()).toMatchObject({ id, name: 'Acme', plan: 'pro', version: null });
    for (let repeat = 0; repeat < 2; repeat++) {
      const changed = await operate('PUT', `/organisations/${id}`, {
        name: 'Acme Events',
        plan: 'enterprise',
      });
      expect(changed.status).toBe(200);
      expect(await changed.json()).toMatchObject({ id, name: 'Acme Events', plan: 'enterprise' });
    }
    const read = await operate('GET', `/organisations/${id}`);
    expect(await read.json()).toMatchObject({
      id,
      name: 'Acme Events',
      plan: 'enterprise',
      tokens: { active: 0, total: 0, limit: 10 },
    });
    expect(await eventsOf(id)).toEqual([
      { action: 'organisation.created', actor: 'operator', detail: 'Acme (pro)' },
      { action: 'plan.changed', actor: 'operator', detail: 'pro → enterprise' },
      { action: 'organisation.renamed', actor: 'operator', detail: 'Acme Events' },
    ]);
  });

  it('refuses the tokens at once after a downgrade, and brings the same tokens back after an upgrade', async () => {
    const id = await givenOrganisation('enterprise', ['owner@example.com']);
    const session = await givenSession('owner@example.com');
    const [on, off] = [await givenToken(id), await givenToken(id, false)];
    const ping = async (secret: string) => (await call('/v1/ping', { headers: bearer(secret) })).status;
    expect([await ping(on.secret), await ping(off.secret)]).toEqual([200, 401]);
    for (const plan of ['trial', 'pay-as-you-go', 'pro'] as const) {
      const answer = await operate('PUT', `/organisations/${id}`, { name: id, plan });
      const { effectiveAt } = await answer.json<{ effectiveAt: string }>();
      expect(new Date(effectiveAt).toISOString()).toBe(effectiveAt);
      expect([await ping(on.secret), await ping(off.secret)]).toEqual([403, 401]);
      // Reading and deleting are refused as well, until the plan is back.
      const list = await call(`/api/organisations/${id}/tokens`, { headers: session });
      const deletion = await write('DELETE', `/api/organisations/${id}/tokens/${on.id}`, session);
      expect([list.status, deletion.status]).toEqual([403, 403]);
    }
    await operate('PUT', `/organisations/${id}`, { name: id, plan: 'enterprise' });
    expect([await ping(on.secret), await ping(off.secret)]).toEqual([200, 401]);
    const list = await call(`/api/organisations/${id}/tokens`, { headers: session });
    const { tokens } = await list.json<{ tokens: { id: string; active: boolean }[] }>();
    expect(new Map(tokens.map((token) => [token.id, token.active]))).toEqual(
      new Map([
        [on.id, true],
        [off.id, false],
      ]),
    );
  });

  it('writes one change for each token when the plan changes, and none when it does not', async () => {
    const id = await givenOrganisation('enterprise');
    await givenToken(id);
    await givenToken(id);
    const head = async () =>
      (await env.DB.prepare('SELECT max(seq) AS seq FROM changes').first<{ seq: number }>())?.seq ?? 0;
    const before = await head();
    await operate('PUT', `/organisations/${id}`, { name: 'Other name', plan: 'enterprise' });
    expect(await head()).toBe(before);
    await operate('PUT', `/organisations/${id}`, { name: 'Other name', plan: 'pro' });
    expect(await head()).toBe(before + 2);
  });

  it('ignores a billing event that is older than the one applied last, and records it', async () => {
    const id = newId();
    const put = (plan: string, version?: number) =>
      operate('PUT', `/organisations/${id}`, { name: 'Acme', plan, version });
    expect((await put('pro', 1)).status).toBe(201);
    expect((await put('enterprise', 3)).status).toBe(200);
    const stale = await put('pro', 2);
    expect(stale.status).toBe(409);
    expect(await slugOf(stale)).toBe('stale-version');
    // The same event once more, and one without a version, are not older.
    expect((await put('enterprise', 3)).status).toBe(200);
    expect(await (await operate('GET', `/organisations/${id}`)).json()).toMatchObject({
      plan: 'enterprise',
      version: 3,
    });
    expect((await put('pro')).status).toBe(200);
    expect((await put('enterprise', 2)).status).toBe(409);
    expect(await actionsOf(id)).toEqual([
      'organisation.created',
      'plan.changed',
      'plan.change-ignored',
      'plan.changed',
      'plan.change-ignored',
    ]);
  });

  it('ends with the newest version whatever the order in which the events arrive', async () => {
    const id = newId();
    const plans = ['trial', 'pay-as-you-go', 'pro', 'enterprise'];
    const versions = [4, 2, 7, 1, 6, 3, 5, 0];
    await Promise.all(
      versions.map((version) =>
        operate('PUT', `/organisations/${id}`, { name: `v${version}`, plan: plans[version % 4], version }),
      ),
    );
    expect(await (await operate('GET', `/organisations/${id}`)).json()).toMatchObject({
      name: 'v7',
      plan: 'enterprise',
      version: 7,
    });
  });

  it('deletes one with its tokens, members and usage; deleting again answers the same', async () => {
    const id = await givenOrganisation('enterprise', ['gone@example.com']);
    const { id: token, secret } = await givenToken(id);
    await env.DB.prepare('INSERT INTO token_usage (token_id, hour, accepted) VALUES (?, 1, 1)')
      .bind(token)
      .run();
    const session = await givenSession('gone@example.com');
    expect((await call('/v1/ping', { headers: bearer(secret) })).status).toBe(200);
    for (let repeat = 0; repeat < 2; repeat++) {
      const answer = await operate('DELETE', `/organisations/${id}`);
      expect(answer.status).toBe(200);
      expect(await answer.json()).toMatchObject({ deleted: id });
    }
    expect((await call('/v1/ping', { headers: bearer(secret) })).status).toBe(401);
    expect((await call('/api/session', { headers: session })).status).toBe(401);
    expect((await operate('GET', `/organisations/${id}`)).status).toBe(404);
    for (const table of ['tokens', 'members']) {
      const { results } = await env.DB.prepare(`SELECT * FROM ${table} WHERE organisation_id = ?`)
        .bind(id)
        .all();
      expect(results).toEqual([]);
    }
    expect(await actionsOf(id)).toEqual(['token.deleted', 'organisation.deleted']);
  });

  it('lists all of them in pages', async () => {
    const ids = Array.from({ length: 205 }, (_, index) => `page-${String(index).padStart(4, '0')}`);
    await env.DB.batch(
      ids.map((id) =>
        env.DB.prepare(
          "INSERT INTO organisations (id, name, plan, created_at) VALUES (?, 'P', 'pro', '2026-01-01')",
        ).bind(id),
      ),
    );
    const seen: string[] = [];
    let after: string | null = '';
    while (after !== null) {
      const answer = await operate('GET', `/organisations?after=${encodeURIComponent(after)}`);
      const page: { organisations: { id: string }[]; next: string | null } = await answer.json();
      expect(page.organisations.length).toBeLessThanOrEqual(100);
      seen.push(...page.organisations.map(({ id }) => id));
      after = page.next;
    }
    expect(seen.filter((id) => id.startsWith('page-'))).toEqual(ids);
    expect(seen).toEqual([...new Set(seen)].toSorted());
  });
});

describe('members', () => {
  it('adds a member once, who may then sign in and see the organisation', async () => {
    const id = await givenOrganisation('enterprise', []);
    const email = `${crypto.randomUUID()}@example.com`;
    expect((await operate('PUT', `/organisations/${id}/members/${email.toUpperCase()}`)).status).toBe(201);
    const again = await operate('PUT', `/organisations/${id}/members/${email}`);
    expect(again.status).toBe(200);
    expect(await again.json()).toMatchObject({ email });
    const listed = await operate('GET', `/organisations/${id}/members`);
    expect(await listed.json()).toMatchObject({ members: [{ email }], next: null });
    const session = await call('/api/session', { headers: await givenSession(email) });
    expect(await session.json()).toMatchObject({ organisations: [{ id }] });
    expect(await actionsOf(id)).toEqual(['member.added']);
  });

  it("ends a removed member's sessions at once, and keeps those of one who belongs elsewhere", async () => {
    const [last, other] = [`${crypto.randomUUID()}@example.com`, `${crypto.randomUUID()}@example.com`];
    const id = await givenOrganisation('enterprise', [last, other]);
    await givenOrganisation('enterprise', [other]);
    const [lastSession, otherSession] = [await givenSession(last), await givenSession(other)];
    for (const email of [last, other, last]) {
      const answer = await operate('DELETE', `/organisations/${id}/members/${email}`);
      expect(await answer.json()).toEqual({ deleted: email });
    }
    expect((await call('/api/session', { headers: lastSession })).status).toBe(401);
    expect((await call('/api/session', { headers: otherSession })).status).toBe(200);
    const refused = await write('POST', `/api/organisations/${id}/tokens`, otherSession, {});
    expect(refused.status).toBe(404);
    expect(await actionsOf(id)).toEqual(['member.removed', 'member.removed']);
  });

  it('lists the members in pages', async () => {
    const emails = Array.from(
      { length: 101 },
      (_, index) => `m${String(index).padStart(3, '0')}@example.com`,
    );
    const id = await givenOrganisation('pro', emails);
    const first = await operate('GET', `/organisations/${id}/members`);
    const { members, next } = await first.json<{ members: { email: string }[]; next: string }>();
    expect(members).toHaveLength(100);
    const second = await operate('GET', `/organisations/${id}/members?after=${encodeURIComponent(next)}`);
    expect(await second.json()).toMatchObject({ members: [{ email: 'm100@example.com' }], next: null });
  });

  it.each([
    ['GET', ''],
    ['PUT', '/a@example.com'],
    ['DELETE', '/a@example.com'],
  ])('answers %s in an unknown organisation with 404', async (method, path) => {
    const answer = await operate(method, `/organisations/unknown/members${path}`);
    expect(answer.status).toBe(404);
    expect(await slugOf(answer)).toBe('organisation-not-found');
  });

  it.each(['no-address', 'a@b', 'ａdmin@example.com', 'admin@еxample.com', 'a b@example.com'])(
    'refuses the address %s',
    async (email) => {
      const id = await givenOrganisation('pro', []);
      const answer = await operate('PUT', `/organisations/${id}/members/${encodeURIComponent(email)}`);
      expect(answer.status).toBe(422);
      expect(await answer.json()).toMatchObject({ detail: 'Path "email": not an e-mail address' });
    },
  );
});

describe('bad input', () => {
  it.each([
    ['{"plan":"pro"}', 'Field "name": missing'],
    ['{"name":"A"}', 'Field "plan": missing'],
    ['{"name":" ","plan":"pro"}', 'Field "name": empty'],
    ['{"name":"\\u2800","plan":"pro"}', 'Field "name": empty'],
    ['{"name":"A\\u202e","plan":"pro"}', 'Field "name": has a control character'],
    ['{"name":"A\\udfff","plan":"pro"}', 'Field "name": has half a character'],
    ['{"name":"A","plan":"Enterprise"}', 'Field "plan": not one of trial, pay-as-you-go, pro, enterprise'],
    ['{"name":"A","plan":"pro","version":1.5}', 'Field "version": not a whole number'],
    ['{"name":"A","plan":"pro","version":-1}', 'Field "version": below zero'],
    ['{"name":"A","plan":"pro","version":"1"}', 'Field "version": not a number'],
    ['{"name":"A","plan":"pro","id":"b"}', 'Field "id": unknown'],
    ['{"name":"A","plan":"pro","plan":"enterprise"}', 'Field "plan": given twice'],
    ['"A"', 'The body is not a JSON object'],
    ['', 'The body is not JSON'],
  ])('refuses %s and changes nothing', async (body, detail) => {
    const id = newId();
    const answer = await operate('PUT', `/organisations/${id}`, body);
    expect(answer.status).toBe(422);
    expect(await answer.json()).toMatchObject({ detail });
    expect((await operate('GET', `/organisations/${id}`)).status).toBe(404);
  });

  it('refuses a body that is too large, an id that no header could have, a wrong method and a wrong path', async () => {
    const good = { name: 'A', plan: 'pro' };
    expect((await operate('PUT', '/organisations/a', { ...good, name: 'x'.repeat(17_000) })).status).toBe(
      413,
    );
    expect((await operate('PUT', `/organisations/${encodeURIComponent('a b')}`, good)).status).toBe(422);
    const wrong = await operate('POST', '/organisations/a', good);
    expect(wrong.status).toBe(405);
    expect(wrong.headers.get('allow')).toBe('HEAD, GET, PUT, DELETE');
    expect((await operate('GET', '/nothing')).status).toBe(404);
  });
});
