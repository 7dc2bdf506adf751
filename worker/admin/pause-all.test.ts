// Switching off all tokens of an organisation together, and on again, over HTTP as the dashboard does it.
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { DAILY_LIMITS } from '../daily-limit.ts';
import {
  call,
  callWith,
  givenOrganisation,
  givenSession,
  givenToken,
  slugOf,
  statusOf,
  write,
  writing,
} from '../test/harness.ts';
import { counting } from '../test/operate.ts';
import type { Token } from '../token/store.ts';

type Answer = { tokens: Token[]; effectiveAt: string };

async function given(count: number) {
  const organisation = await givenOrganisation();
  const session = await givenSession();
  const path = `/api/organisations/${organisation}/tokens`;
  const tokens: Awaited<ReturnType<typeof givenToken>>[] = [];
  for (let made = 0; made < count; made++) tokens.push(await givenToken(organisation));
  const switchAll = async (which: 'pause' | 'resume') => {
    const answer = await write('POST', `${path}/${which}`, session);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    return answer.json<Answer>();
  };
  return {
    organisation,
    session,
    path,
    tokens,
    ids: tokens.map(({ id }) => id),
    pause: () => switchAll('pause'),
    resume: () => switchAll('resume'),
    list: async () => (await (await call(path, { headers: session })).json<{ tokens: Token[] }>()).tokens,
    send: (method: string, below: string, body?: object, headers = session) =>
      write(method, path + below, headers, body),
    statuses: () => Promise.all(tokens.map(({ secret }) => statusOf(secret))),
  };
}

/** Which tokens an answer lists, in the order of `ids`. */
const idsOf = (tokens: Token[], ids: string[]) => ids.filter((id) => tokens.some((token) => token.id === id));
const without = (tokens: Token[]) =>
  tokens.map(({ id, active, pausedTogether }) => [id, active, pausedTogether]);

async function eventsOf(organisation: string) {
  const { results } = await env.DB.prepare(
    'SELECT action, actor, token_id, detail FROM events WHERE organisation_id = ? ORDER BY id',
  )
    .bind(organisation)
    .all<{ action: string; actor: string; token_id: string; detail: string | null }>();
  return results;
}

describe('pausing all tokens together', () => {
  it('switches off every active one, with an event for each, and answers when all are refused', async () => {
    const { organisation, ids, pause, list, statuses } = await given(3);
    expect(await statuses()).toEqual([200, 200, 200]);
    const { tokens, effectiveAt } = await pause();
    expect(await statuses()).toEqual([401, 401, 401]);
    expect(Date.parse(effectiveAt)).toBeLessThanOrEqual(Date.now());
    expect(idsOf(tokens, ids)).toEqual(ids);
    const [{ pausedTogether } = { pausedTogether: null }] = tokens;
    expect(pausedTogether).toEqual({ at: expect.any(String), by: 'owner@example.com' });
    expect(await list()).toEqual(tokens);
    for (const token of tokens) expect(token).toMatchObject({ active: false, pausedTogether });
    const events = await eventsOf(organisation);
    const event = { action: 'token.deactivated', actor: 'owner@example.com', detail: 'all' };
    expect(events).toHaveLength(3);
    for (const id of ids) expect(events).toContainEqual({ ...event, token_id: id });
  });

  it('and resuming brings back exactly those, with an event for each', async () => {
    const { organisation, ids, pause, resume, list, send, statuses } = await given(3);
    await send('PATCH', `/${ids[0]}`, { active: false });
    expect(idsOf((await pause()).tokens, ids)).toEqual(ids.slice(1));
    const { tokens } = await resume();
    expect(idsOf(tokens, ids)).toEqual(ids.slice(1));
    for (const token of tokens) expect(token).toMatchObject({ active: true, pausedTogether: null });
    expect(await statuses()).toEqual([401, 200, 200]);
    expect((await list()).find(({ id }) => id === ids[0])).toMatchObject({
      active: false,
      pausedTogether: null,
    });
    const events = (await eventsOf(organisation)).filter(({ action }) => action === 'token.activated');
    expect(events.map(({ detail, token_id }) => [detail, token_id]).toSorted()).toEqual(
      ids
        .slice(1)
        .map((id) => ['all', id])
        .toSorted(),
    );
  });

  it('twice switches nothing more, keeps the first mark, and a token made in between is paused by the second', async () => {
    const { organisation, ids, pause, resume, list, send } = await given(2);
    await pause();
    const marked = without(await list());
    expect((await pause()).tokens).toEqual([]);
    expect(without(await list())).toEqual(marked);
    const created = await (await send('POST', '', {})).json<{ token: Token }>();
    const again = await pause();
    expect(again.tokens.map(({ id }) => id)).toEqual([created.token.id]);
    expect(without(await list()).filter(([id]) => id !== created.token.id)).toEqual(marked);
    expect(idsOf((await resume()).tokens, [...ids, created.token.id])).toEqual([...ids, created.token.id]);
    expect((await resume()).tokens).toEqual([]);
    const actions = (await eventsOf(organisation)).map(({ action }) => action);
    expect(actions.filter((action) => action === 'token.activated')).toHaveLength(3);
  });

  it('is over for a token that a member switches on, off after that, or off again: resuming leaves it as it is', async () => {
    const { ids, pause, resume, list, send, statuses } = await given(4);
    await pause();
    const [on = '', onAndOff = '', offAgain = '', untouched = ''] = ids;
    await send('PATCH', `/${on}`, { active: true });
    await send('PATCH', `/${onAndOff}`, { active: true });
    await send('PATCH', `/${onAndOff}`, { active: false });
    await send('PATCH', `/${offAgain}`, { active: false });
    // Other changes leave the mark.
    await send('PATCH', `/${untouched}`, { name: 'Renamed' });
    for (const token of await list())
      expect([token.id, token.pausedTogether === null]).toEqual([token.id, token.id !== untouched]);
    expect(idsOf((await resume()).tokens, ids)).toEqual([untouched]);
    expect(await statuses()).toEqual([200, 401, 401, 200]);
  });

  it('holds for ten tokens with limits and retiring values, and resuming brings back both values', async () => {
    const { path, session, pause, resume, send } = await given(0);
    const secrets: [id: string, ...secrets: string[]][] = [];
    for (let made = 0; made < 10; made++) {
      const limits = made % 2 === 0 ? {} : { access: 'read', expiresAt: '2090-01-01T00:00:00Z' };
      const created = await (await send('POST', '', limits)).json<{ token: Token; secret: string }>();
      const rotated = await write('POST', `${path}/${created.token.id}/rotate`, session, { retire: '24h' });
      const { secret } = await rotated.json<{ secret: string }>();
      secrets.push([created.token.id, created.secret, secret]);
    }
    const statuses = async () =>
      new Set(await Promise.all(secrets.flatMap(([, ...both]) => both.map((secret) => statusOf(secret)))));
    expect(await statuses()).toEqual(new Set([200]));
    expect((await pause()).tokens).toHaveLength(10);
    expect(await statuses()).toEqual(new Set([401]));
    expect((await resume()).tokens).toHaveLength(10);
    expect(await statuses()).toEqual(new Set([200]));
  });

  it('keeps an exposed token off, with its mark, and brings back one whose end has come, which stays refused', async () => {
    const { ids, pause, resume, list, send } = await given(2);
    await pause();
    const [exposed = '', expired = ''] = ids;
    await env.DB.batch([
      env.DB.prepare("UPDATE tokens SET exposed_at = ?, exposed_by = 'report' WHERE id = ?").bind(
        new Date().toISOString(),
        exposed,
      ),
      env.DB.prepare("UPDATE tokens SET expires_at = '2020-01-01T00:00:00.000Z' WHERE id = ?").bind(expired),
    ]);
    expect(idsOf((await resume()).tokens, ids)).toEqual([expired]);
    const kept = (await list()).find(({ id }) => id === exposed);
    expect(kept).toMatchObject({ active: false, pausedTogether: { by: 'owner@example.com' } });
    await send('DELETE', `/${exposed}`);
    expect((await resume()).tokens).toEqual([]);
  });

  it('of an organisation without tokens, and resuming it, is nothing', async () => {
    const { organisation, pause, resume } = await given(0);
    expect([(await pause()).tokens, (await resume()).tokens]).toEqual([[], []]);
    expect(await eventsOf(organisation)).toEqual([]);
  });

  it('reaches no token of another organisation', async () => {
    const mine = await given(1);
    const theirs = await given(1);
    await mine.pause();
    await theirs.pause();
    await mine.resume();
    expect([await mine.statuses(), await theirs.statuses()]).toEqual([[200], [401]]);
  });
});

describe('at the same time', () => {
  it('as members create, switch and pause, each token ends in a state that some order of the calls gives, and is verified so', async () => {
    const rounds = Array.from({ length: 6 }, async () => {
      const { organisation, ids, pause, resume, list, send, statuses } = await given(3);
      const [off = ''] = ids;
      const [, , created] = await Promise.all([
        pause(),
        pause(),
        send('POST', '', {}).then((answer) => answer.json<{ token: Token; secret: string }>()),
        send('PATCH', `/${off}`, { active: false }),
      ]);
      // Everything that was there is off. The new token is off if a pause came after it.
      expect(await statuses()).toEqual([401, 401, 401]);
      const listed = await list();
      const made = listed.find(({ id }) => id === created.token.id);
      expect(await statusOf(created.secret)).toBe(made?.active === true ? 200 : 401);
      expect(made?.pausedTogether === null).toBe(made?.active);
      const events = await eventsOf(organisation);
      for (const token of listed) {
        const last = events.findLast(({ token_id }) => token_id === token.id);
        // The mark says what the last event says.
        expect(token.pausedTogether !== null).toBe(last?.detail === 'all');
      }
      const marked = listed.filter(({ pausedTogether }) => pausedTogether !== null).map(({ id }) => id);
      const resumed = (await resume()).tokens.map(({ id }) => id);
      expect(resumed.toSorted()).toEqual(marked.toSorted());
      expect((await statuses())[0]).toBe(marked.includes(off) ? 200 : 401);
    });
    await Promise.all(rounds);
  });

  it('two who resume share the tokens: each is switched on by one of them', async () => {
    const { organisation, ids, pause, resume, statuses } = await given(3);
    await pause();
    const [one, other] = await Promise.all([resume(), resume()]);
    expect([...one.tokens, ...other.tokens].map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
    expect(await statuses()).toEqual([200, 200, 200]);
    const activated = (await eventsOf(organisation)).filter(({ action }) => action === 'token.activated');
    expect(activated).toHaveLength(3);
  });
});

describe('the limits of a day', () => {
  const DAY_MS = 24 * 60 * 60 * 1000;
  const counted = (organisation: string, count: number) =>
    env.DB.prepare(
      "INSERT OR REPLACE INTO daily_counts (subject, kind, day, count) VALUES (?, 'change', ?, ?)",
    )
      .bind(organisation, Math.floor(Date.now() / DAY_MS), count)
      .run();
  const countOf = (organisation: string) =>
    env.DB.prepare("SELECT count FROM daily_counts WHERE subject = ? AND kind = 'change'")
      .bind(organisation)
      .first<number>('count');

  it('never stop a pause; resuming counts as many changes as it switches tokens on', async () => {
    const { organisation, session, path, pause, resume, statuses } = await given(3);
    await counted(organisation, DAILY_LIMITS.change - 2);
    await pause();
    expect(await countOf(organisation)).toBe(DAILY_LIMITS.change - 2);
    const refused = await write('POST', `${path}/resume`, session);
    expect(refused.status).toBe(429);
    expect(await slugOf(refused)).toBe('too-many-requests');
    expect(await statuses()).toEqual([401, 401, 401]);
    await counted(organisation, DAILY_LIMITS.change - 3);
    await resume();
    expect(await countOf(organisation)).toBe(DAILY_LIMITS.change);
    expect(await statuses()).toEqual([200, 200, 200]);
    await pause();
    expect(await statuses()).toEqual([401, 401, 401]);
  });

  it('do not count what was refused', async () => {
    const { organisation, path } = await given(1);
    const stranger = await givenSession('stranger@example.com');
    for (const which of ['pause', 'resume'])
      expect((await write('POST', `${path}/${which}`, stranger)).status).toBe(404);
    expect(await countOf(organisation)).toBeNull();
  });
});

it('a repeat within ten minutes asks the hubs again, because the first answer may be lost; a later one does not', async () => {
  const { organisation, session, path, pause } = await given(1);
  await pause();
  const hubsAsked = async () => {
    const { settings, hubs } = counting();
    const answer = await callWith(settings, `${path}/pause`, writing('POST', session));
    expect((await answer.json<Answer>()).tokens).toEqual([]);
    return hubs.length > 0;
  };
  expect(await hubsAsked()).toBe(true);
  await env.DB.prepare(
    "UPDATE changes SET at = '2020-01-01T00:00:00.000Z' WHERE token_hash IN (SELECT lower(hash) FROM tokens WHERE organisation_id = ?)",
  )
    .bind(organisation)
    .run();
  expect(await hubsAsked()).toBe(false);
});
