// The pause of an organisation, and the tokens of an organisation, by the operator.
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import {
  bearer,
  call,
  callWith,
  givenOrganisation,
  givenSession,
  givenToken,
  slugOf,
  statusOf,
  write,
} from '../test/harness.ts';
import { counting, operate } from '../test/operate.ts';
import type { Token } from '../token/store.ts';

type Organisation = { id: string; pausedAt: string | null; plan: string; effectiveAt?: string };

async function given(plan: 'enterprise' | 'pro' = 'enterprise') {
  const organisation = await givenOrganisation(plan);
  const { id, secret } = await givenToken(organisation);
  const path = `/organisations/${organisation}`;
  const put = async (which: 'pause' | 'resume') => {
    const answer = await operate('POST', `${path}/${which}`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    return answer.json<Organisation>();
  };
  return {
    organisation,
    id,
    secret,
    path,
    pause: () => put('pause'),
    resume: () => put('resume'),
    read: async () => (await operate('GET', path)).json<Organisation>(),
  };
}

async function eventsOf(organisation: string) {
  const { results } = await env.DB.prepare(
    'SELECT action, actor, token_id, detail FROM events WHERE organisation_id = ? ORDER BY id',
  )
    .bind(organisation)
    .all();
  return results;
}

const refusalOf = async (secret: string, path = '/v1/ping') => {
  const answer = await call(path, { headers: bearer(secret) });
  return [answer.status, await slugOf(answer)];
};

describe('an organisation that the operator pauses', () => {
  it('has its tokens refused everywhere when the answer comes, and accepted again when the pause ends', async () => {
    const { organisation, secret, pause, resume, read } = await given();
    expect(await statusOf(secret)).toBe(200);
    const paused = await pause();
    expect(paused).toMatchObject({ id: organisation, plan: 'enterprise', effectiveAt: expect.any(String) });
    expect(Date.parse(paused.pausedAt ?? '')).not.toBeNaN();
    expect(await read()).toMatchObject({ pausedAt: paused.pausedAt });
    expect(await refusalOf(secret)).toEqual([403, 'organisation-paused']);
    // What a gateway asks.
    expect(await refusalOf(secret, '/verify')).toEqual([403, 'organisation-paused']);
    expect(await resume()).toMatchObject({ pausedAt: null, effectiveAt: expect.any(String) });
    expect(await statusOf(secret)).toBe(200);
    expect(await eventsOf(organisation)).toEqual([
      { action: 'organisation.paused', actor: 'operator', token_id: null, detail: null },
      { action: 'organisation.resumed', actor: 'operator', token_id: null, detail: null },
    ]);
  });

  it('twice is paused since the first time, with one event, and resumed once', async () => {
    const { organisation, pause, resume } = await given();
    const { pausedAt } = await pause();
    expect((await pause()).pausedAt).toBe(pausedAt);
    await resume();
    await resume();
    expect((await eventsOf(organisation)).map(({ action }) => action)).toEqual([
      'organisation.paused',
      'organisation.resumed',
    ]);
  });

  it('is not there for an id that no organisation has', async () => {
    for (const which of ['pause', 'resume'])
      expect(await slugOf(await operate('POST', `/organisations/nobody-${which}/${which}`))).toBe(
        'organisation-not-found',
      );
  });

  it('keeps its pause through a change of plan, and says so before the plan', async () => {
    const { organisation, secret, path, pause, resume } = await given();
    const { pausedAt } = await pause();
    const put = async (plan: string) =>
      (await operate('PUT', path, { name: organisation, plan })).json<Organisation>();
    expect(await put('pro')).toMatchObject({ plan: 'pro', pausedAt });
    expect(await refusalOf(secret)).toEqual([403, 'organisation-paused']);
    await resume();
    expect(await refusalOf(secret)).toEqual([403, 'enterprise-plan-required']);
    await pause();
    await put('enterprise');
    expect(await refusalOf(secret)).toEqual([403, 'organisation-paused']);
  });

  it('stays open to its members, who see the pause and can switch, make, replace and delete tokens, which stay refused', async () => {
    const { organisation, id, pause, resume } = await given();
    const { pausedAt } = await pause();
    const session = await givenSession();
    const seen = await (
      await call('/api/session', { headers: session })
    ).json<{
      organisations: Organisation[];
    }>();
    expect(seen.organisations.find((each) => each.id === organisation)).toMatchObject({ pausedAt });
    const page = await call(`/developer-zone?organisation=${organisation}`, { headers: session });
    expect(await page.text()).toContain(`"pausedAt":"${pausedAt}"`);
    const path = `/api/organisations/${organisation}/tokens`;
    const { secret } = await (await write('POST', path, session, {})).json<{ secret: string }>();
    const rotated = await write('POST', `${path}/${id}/rotate`, session, { retire: '24h' });
    const { secret: replaced } = await rotated.json<{ secret: string }>();
    for (const each of [secret, replaced])
      expect(await refusalOf(each)).toEqual([403, 'organisation-paused']);
    expect((await write('PATCH', `${path}/${id}`, session, { active: false })).status).toBe(200);
    expect(await refusalOf(replaced)).toEqual([401, 'invalid-token']);
    await write('PATCH', `${path}/${id}`, session, { active: true });
    await resume();
    expect([await statusOf(secret), await statusOf(replaced)]).toEqual([200, 200]);
  });

  it('has no active token for introspection', async () => {
    const { secret, pause } = await given();
    await pause();
    const clients = { INTROSPECTION_CLIENTS: JSON.stringify({ api: 'a'.repeat(32) }) };
    const answer = await callWith(clients, '/introspect', {
      method: 'POST',
      headers: {
        authorization: `Basic ${btoa(`api:${'a'.repeat(32)}`)}`,
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: `token=${secret}`,
    });
    expect([answer.status, await answer.json()]).toEqual([200, { active: false }]);
  });

  it('is another one after it was deleted and created again', async () => {
    const { organisation, path, pause, read } = await given();
    await pause();
    await operate('DELETE', path);
    await operate('PUT', path, { name: organisation, plan: 'enterprise' });
    expect(await read()).toMatchObject({ pausedAt: null });
  });

  it('asks the hubs again for a repeat within ten minutes, and not for a later one', async () => {
    const { organisation, path, pause } = await given();
    await pause();
    const hubsAsked = async (which: string) => {
      const { settings, hubs } = counting();
      await operate('POST', `${path}/${which}`, undefined, settings);
      return hubs.length > 0;
    };
    const age = () =>
      env.DB.prepare(
        "UPDATE changes SET at = '2020-01-01T00:00:00.000Z' WHERE token_hash IN (SELECT lower(hash) FROM tokens WHERE organisation_id = ?)",
      )
        .bind(organisation)
        .run();
    expect(await hubsAsked('pause')).toBe(true);
    await age();
    expect(await hubsAsked('pause')).toBe(false);
    expect(await hubsAsked('resume')).toBe(true);
    expect(await hubsAsked('resume')).toBe(true);
    await age();
    expect(await hubsAsked('resume')).toBe(false);
  });
});

describe('the tokens of an organisation, for support', () => {
  it.each(['enterprise', 'pro'] as const)(
    'are listed, switched and deleted on the plan %s, with events of the operator',
    async (plan) => {
      const { organisation, id, secret, path } = await given(plan);
      const tokens = `${path}/tokens`;
      const listed = await operate('GET', tokens);
      const [shown, ...more] = (await listed.json<{ tokens: Token[] }>()).tokens;
      expect(shown).toMatchObject({ id, active: true, preview: secret.slice(0, 5), pausedTogether: null });
      expect(more).toEqual([]);
      expect(JSON.stringify(shown)).not.toContain(secret);
      const off = await (
        await operate('PATCH', `${tokens}/${id}`, { active: false })
      ).json<{ token: Token }>();
      expect(off).toMatchObject({ token: { id, active: false }, effectiveAt: expect.any(String) });
      expect(await statusOf(secret)).toBe(401);
      await operate('PATCH', `${tokens}/${id}`, { active: true });
      expect(await statusOf(secret)).toBe(plan === 'enterprise' ? 200 : 403);
      const deleted = await operate('DELETE', `${tokens}/${id}`);
      expect(await deleted.json()).toMatchObject({ deleted: id, effectiveAt: expect.any(String) });
      expect(await statusOf(secret)).toBe(401);
      expect(await slugOf(await operate('DELETE', `${tokens}/${id}`))).toBe('token-not-found');
      const event = { actor: 'operator', token_id: id, detail: null };
      expect(await eventsOf(organisation)).toEqual([
        { ...event, action: 'token.deactivated' },
        { ...event, action: 'token.activated' },
        { ...event, action: 'token.deleted' },
      ]);
    },
  );

  it('are those of the organisation in the path alone', async () => {
    const [mine, theirs] = [await given(), await given()];
    for (const [method, body] of [
      ['PATCH', { active: false }],
      ['DELETE', undefined],
    ] as const)
      expect(await slugOf(await operate(method, `${mine.path}/tokens/${theirs.id}`, body))).toBe(
        'token-not-found',
      );
    expect(await statusOf(theirs.secret)).toBe(200);
    for (const [method, below, body] of [
      ['GET', 'tokens', undefined],
      ['PATCH', `tokens/${mine.id}`, { active: false }],
      ['DELETE', `tokens/${mine.id}`, undefined],
    ] as const)
      expect(await slugOf(await operate(method, `/organisations/nobody/${below}`, body))).toBe(
        'organisation-not-found',
      );
    expect(await statusOf(mine.secret)).toBe(200);
  });

  it.each([
    ['{}', 'Field "active": missing'],
    ['{"active":"no"}', 'Field "active": not a boolean'],
    ['{"active":false,"name":"x"}', 'Field "name": unknown'],
    ['', 'The body is not JSON'],
  ])('are not switched by the body %s', async (body, detail) => {
    const { id, path, secret } = await given();
    const answer = await operate('PATCH', `${path}/tokens/${id}`, body);
    expect([answer.status, await answer.json()]).toMatchObject([422, { detail }]);
    expect(await statusOf(secret)).toBe(200);
  });

  it('that a member has switched off together with all others are not brought back with them after support has switched one', async () => {
    const { organisation, id, secret, path } = await given();
    const session = await givenSession();
    const tokens = `/api/organisations/${organisation}/tokens`;
    await write('POST', `${tokens}/pause`, session);
    await operate('PATCH', `${path}/tokens/${id}`, { active: false });
    const resumed = await (await write('POST', `${tokens}/resume`, session)).json<{ tokens: Token[] }>();
    expect(resumed.tokens).toEqual([]);
    expect(await statusOf(secret)).toBe(401);
  });
});
