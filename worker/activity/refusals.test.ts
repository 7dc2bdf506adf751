// Attempts that change nothing and are on record all the same: a member who asks for what is not theirs, and a secret
// in a URL. Neither can be used to write into the record of another person, or to fill one.
import { env } from 'cloudflare:workers';
import { describe, expect, it, vi } from 'vitest';
import { openDeployment } from '../deployment/deployment.ts';
import {
  ORIGIN,
  bearer,
  call,
  callWith,
  givenCode,
  givenOrganisation,
  givenSession,
  givenToken,
  settledAt,
  withinOneMinute,
  write,
} from '../test/harness.ts';
import { sha256Hex } from '../random.ts';
import { hashOfSecret } from '../token/secret.ts';
import { recordRefusal } from './store.ts';

type Row = {
  action: string;
  actor: string;
  token_id: string | null;
  preview: string | null;
  detail: string | null;
};

async function recordOf(organisationId: string): Promise<Row[]> {
  const { results } = await env.DB.prepare(
    'SELECT action, actor, token_id, preview, detail FROM events WHERE organisation_id = ? ORDER BY id',
  )
    .bind(organisationId)
    .all<Row>();
  return results;
}

/** Calls the Worker, and waits for the work that goes on after the answer. */
const send = (path: string, init: RequestInit, changed: object = {}) =>
  settledAt({ ...env, ...changed }, path, init);

async function givenTwo() {
  const [me, other] = [`${crypto.randomUUID()}@example.com`, `${crypto.randomUUID()}@example.com`];
  const [mine, theirs] = [
    await givenOrganisation('enterprise', [me]),
    await givenOrganisation('enterprise', [other]),
  ];
  return { me, mine, theirs, session: await givenSession(me), foreign: await givenToken(theirs) };
}

const remove = (cookie: { cookie: string }): RequestInit => ({
  method: 'DELETE',
  headers: { ...cookie, origin: ORIGIN },
});

describe('a member who asks for another organisation', () => {
  it('is on record in their own, whether the other exists or not, and in no other', async () => {
    const { me, mine, theirs, session, foreign } = await givenTwo();
    for (const organisation of [theirs, 'no-such-organisation']) {
      const path = `/api/organisations/${organisation}`;
      expect((await send(`${path}/tokens`, { headers: session })).status).toBe(404);
      expect((await send(`${path}/tokens/${foreign.id}`, remove(session))).status).toBe(404);
      expect((await send(`${path}/activity`, { headers: session })).status).toBe(404);
    }
    const rows = await recordOf(mine);
    expect(rows[0]).toEqual({
      action: 'access.refused',
      actor: me,
      token_id: null,
      preview: null,
      detail: theirs,
    });
    expect(rows.map(({ detail }) => detail)).toEqual([
      ...Array<string>(3).fill(theirs),
      ...Array<string>(3).fill('no-such-organisation'),
    ]);
    expect(await recordOf(theirs)).toEqual([]);
  });

  it('is on record once, however many organisations they belong to', async () => {
    const me = `${crypto.randomUUID()}@example.com`;
    const own = [];
    for (let n = 0; n < 120; n++) own.push(await givenOrganisation('enterprise', [me]));
    const session = await givenSession(me);
    const ofMe = async (action: string) =>
      (
        await env.DB.prepare('SELECT organisation_id AS id FROM events WHERE actor = ? AND action = ?')
          .bind(me, action)
          .all<{ id: string }>()
      ).results.map(({ id }) => id);
    const first = own.toSorted();
    await send('/api/organisations/another/tokens', { headers: session });
    expect(await ofMe('access.refused')).toEqual(first.slice(0, 1));
    // What has to be told to each of them is bounded all the same.
    await send('/api/sign-out', { method: 'POST', headers: { ...session, origin: ORIGIN } });
    expect((await ofMe('sign-out')).toSorted()).toEqual(first.slice(0, 100));
    const code = await givenCode(me, 'browser');
    const redeemed = await send('/api/sign-in/redeem', {
      method: 'POST',
      headers: { cookie: 'local-sign-in=browser', origin: ORIGIN, 'content-type': 'application/json' },
      body: JSON.stringify({ code }),
    });
    expect(redeemed.status).toBe(204);
    expect((await ofMe('sign-in')).toSorted()).toEqual(first.slice(0, 100));
  });

  it('is limited for each member: the refusals of one do not prevent the record of another’s', async () => {
    const [one, other] = [await givenTwo(), await givenTwo()];
    const path = (at: { theirs: string }) => `/api/organisations/${at.theirs}/tokens`;
    await withinOneMinute(async () => {
      for (let n = 0; n < 35; n++) await send(path(one), { headers: one.session });
      await send(path(other), { headers: other.session });
    });
    expect((await recordOf(one.mine)).length).toBeGreaterThanOrEqual(30);
    expect((await recordOf(one.mine)).length).toBeLessThan(70);
    expect((await recordOf(other.mine)).length).toBeGreaterThanOrEqual(1);
  });

  it('cannot fill the record, and is answered 404 also when it cannot be written', async () => {
    const { mine, theirs, session } = await givenTwo();
    const path = `/api/organisations/${theirs}/tokens`;
    const over = { FAILED_LOGINS_PER_CLIENT: { limit: async () => ({ success: false }) } };
    expect((await send(path, { headers: session }, over)).status).toBe(404);
    expect(await recordOf(mine)).toEqual([]);
    const counted: string[] = [];
    const counting = {
      FAILED_LOGINS_PER_CLIENT: {
        limit: async ({ key }: { key: string }) => {
          counted.push(key);
          throw new Error('no limiter');
        },
      },
    };
    expect((await send(path, { headers: session }, counting)).status).toBe(404);
    expect(counted).toHaveLength(1);
    expect(await recordOf(mine)).toHaveLength(1);
  });

  it('is on record alike when they ask for the page of the other organisation', async () => {
    const { me, mine, theirs, session } = await givenTwo();
    for (const page of ['/developer-zone', '/activity', '/sessions']) {
      const answer = await send(`${page}?organisation=${theirs}`, { headers: session });
      expect(answer.status).toBe(200);
      expect(await answer.text()).toContain('"tokens":null');
    }
    expect((await recordOf(mine)).map(({ action, actor, detail }) => [action, actor, detail])).toEqual(
      Array.from({ length: 3 }, () => ['access.refused', me, theirs]),
    );
    expect(await recordOf(theirs)).toEqual([]);
    // A request for their own organisation, also on another plan, is not recorded.
    await send(`/developer-zone?organisation=${mine}`, { headers: session });
    expect(await recordOf(mine)).toHaveLength(3);
  });

  it.each([
    ['another site sends the window there', 'cross-site'],
    ['a sibling on the same site does', 'same-site'],
    ['they open a link that they were sent', 'none'],
  ])('is on no record when %s, under /api or at a page', async (_, site) => {
    const { mine, session } = await givenTwo();
    const headers = {
      ...session,
      'sec-fetch-site': site,
      'sec-fetch-mode': 'navigate',
      'sec-fetch-dest': 'document',
    };
    for (const path of ['tokens', 'activity', 'activity.csv', 'activity.jsonl', 'usage'])
      expect((await send(`/api/organisations/any-text/${path}`, { headers })).status).not.toBe(200);
    expect((await send('/developer-zone?organisation=any-text', { headers })).status).toBe(200);
    expect(await recordOf(mine)).toEqual([]);
  });

  it('leaves no text on record that no id could be', async () => {
    const { mine, session } = await givenTwo();
    await send(`/api/organisations/${encodeURIComponent('=1+1 <b>')}/tokens`, { headers: session });
    await send(`/api/organisations/${mine}/tokens/${'x'.repeat(3000)}`, remove(session));
    expect(await recordOf(mine)).toEqual([]);
  });
});

describe('a token that is not there', () => {
  it('is on no record of an organisation that the member has left meanwhile', async () => {
    const organisation = await givenOrganisation();
    const cause = {
      actor: 'x@example.com',
      requestId: 'r',
      ip: null,
      userAgent: null,
      at: new Date().toISOString(),
    };
    const db = await openDeployment(env).openDatabase();
    await recordRefusal(
      db,
      cause,
      { organisationId: organisation, email: 'x@example.com' },
      crypto.randomUUID(),
    );
    expect(await recordOf(organisation)).toEqual([]);
  });

  it('is on record when it was never of this organisation, and is not when another tab had deleted it', async () => {
    const { mine, session, foreign } = await givenTwo();
    const own = await givenToken(mine);
    const path = `/api/organisations/${mine}/tokens`;
    expect((await send(`${path}/${own.id}`, remove(session))).status).toBe(200);
    expect((await send(`${path}/${own.id}`, remove(session))).status).toBe(404);
    expect((await send(`${path}/${foreign.id}`, remove(session))).status).toBe(404);
    const patch = await write('PATCH', `${path}/${foreign.id}`, session, { active: false });
    expect(patch.status).toBe(404);
    const rows = await recordOf(mine);
    expect(rows.map(({ action, token_id }) => [action, token_id]).slice(0, 2)).toEqual([
      ['token.deleted', own.id],
      ['access.refused', foreign.id],
    ]);
    expect((await call('/v1/ping', { headers: bearer(foreign.secret) })).status).toBe(200);
  });
});

describe('a secret in a URL, where EXPOSED_TOKENS is "record"', () => {
  const words = { EXPOSED_TOKENS: 'record' } as const;

  it('opens nothing, and is on record with its organisation once a day', async () => {
    const organisation = await givenOrganisation();
    const { id, secret } = await givenToken(organisation);
    for (const name of ['token', 'access_token', 'q']) {
      expect((await send(`/v1/ping?${name}=${secret}`, {}, words)).status).toBe(401);
    }
    const expected = { action: 'token.exposed', actor: 'caller', token_id: id, preview: secret.slice(0, 5) };
    expect(await recordOf(organisation)).toEqual([{ ...expected, detail: 'url' }]);
  });

  it('is on record also beside a good credential, and beside a bad one', async () => {
    for (const isGood of [true, false]) {
      const organisation = await givenOrganisation();
      const { secret } = await givenToken(organisation);
      const other = await givenToken(await givenOrganisation(), isGood);
      const headers = bearer(other.secret);
      const path = `/v1/ping?page=2&token=${secret.replace('_', '%5F')}`;
      const answer = await callWith(words, path, { headers });
      expect(answer.status).toBe(isGood ? 200 : 401);
      await vi.waitFor(async () => expect(await recordOf(organisation)).toHaveLength(1), 10_000);
    }
  });

  it('is on record also when it is inactive, for it may be switched on again', async () => {
    const organisation = await givenOrganisation();
    const { secret } = await givenToken(organisation, false);
    await send(`/v1/ping?token=${secret}`, {}, words);
    expect(await recordOf(organisation)).toHaveLength(1);
  });

  it('is limited by its token: what is sent beyond the limit is not written', async () => {
    const organisation = await givenOrganisation();
    const { secret } = await givenToken(organisation);
    const keys: string[] = [];
    const limiter = {
      limit: async ({ key }: { key: string }) => {
        keys.push(key);
        return { success: false };
      },
    };
    await send(`/v1/ping?token=${secret}`, {}, { FAILED_LOGINS_PER_CLIENT: limiter });
    expect(await recordOf(organisation)).toEqual([]);
    expect(keys).toContain(`exposed:${sha256Hex(hashOfSecret(secret))}`);
  });

  it('that was never minted, or that no token has, costs no write', async () => {
    const organisation = await givenOrganisation();
    const { id, secret } = await givenToken(organisation);
    const prepared: string[] = [];
    const DB = new Proxy(env.DB, {
      get(database, name) {
        prepared.push(String(name));
        const value: unknown = Reflect.get(database, name);
        return typeof value === 'function' ? value.bind(database) : value;
      },
    });
    const forged = secret.slice(0, -1) + (secret.endsWith('0') ? '1' : '0');
    await send(`/v1/ping?token=${forged}&b=${'x'.repeat(57)}`, {}, { DB });
    await send('/v1/ping?page=2', {}, { DB });
    expect(prepared).toEqual([]);
    await env.DB.prepare('DELETE FROM tokens WHERE id = ?').bind(id).run();
    await send(`/v1/ping?token=${secret}`, {}, words);
    expect(await recordOf(organisation)).toEqual([]);
  });
});
