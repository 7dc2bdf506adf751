// What a nightly repeat costs, and many organisations in one call.
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { actionsOf, bearer, call, givenOrganisation, givenToken } from '../test/harness.ts';
import { counting, operate } from '../test/operate.ts';

/** An Enterprise organisation with a token, as if it had stood for that long. */
async function givenStanding(minutes: number): Promise<{ id: string; secret: string }> {
  const id = await givenOrganisation('enterprise');
  const { secret } = await givenToken(id);
  await age(id, minutes);
  return { id, secret };
}

async function age(id: string, minutes: number): Promise<void> {
  const at = new Date(Date.now() - minutes * 60_000).toISOString();
  await env.DB.prepare('UPDATE organisations SET created_at = ?1, plan_changed_at = ?1 WHERE id = ?2')
    .bind(at, id)
    .run();
}

describe('a nightly repeat', () => {
  it('that changes nothing costs one read: no write, no event, no hub', async () => {
    const { id } = await givenStanding(11);
    const { settings, statements, hubs } = counting();
    const answer = await operate('PUT', `/organisations/${id}`, { name: id, plan: 'enterprise' }, settings);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ id, plan: 'enterprise', effectiveAt: expect.any(String) });
    expect(statements).toEqual([expect.stringMatching(/^select/)]);
    expect(hubs).toEqual([]);
    expect(await actionsOf(id)).toEqual([]);
  });

  it('of a plan that may still be on its way is published to every hub again', async () => {
    const { id } = await givenStanding(9);
    const { settings, hubs } = counting();
    await operate('PUT', `/organisations/${id}`, { name: id, plan: 'enterprise' }, settings);
    expect(new Set(hubs).size).toBe(9);
  });

  it('is published to every hub also when the plan was just changed at the SQL prompt', async () => {
    const { id } = await givenStanding(60);
    for (const plan of ['pro', 'enterprise']) {
      await env.DB.prepare('UPDATE organisations SET plan = ? WHERE id = ?').bind(plan, id).run();
    }
    const { settings, hubs } = counting();
    await operate('PUT', `/organisations/${id}`, { name: id, plan: 'enterprise' }, settings);
    expect(new Set(hubs).size).toBe(9);
  });

  it.each([
    ['another name', { name: 'Other', plan: 'enterprise' }, ['organisation.renamed']],
    ['a newer version', { name: 'same', plan: 'enterprise', version: 3 }, []],
  ])('with %s is written, and tells no hub of a plan that stands', async (_, body, actions) => {
    const { id } = await givenStanding(60);
    await env.DB.prepare("UPDATE organisations SET name = 'same', version = 2 WHERE id = ?").bind(id).run();
    const { settings, hubs } = counting();
    const answer = await operate('PUT', `/organisations/${id}`, body, settings);
    expect(await answer.json()).toMatchObject(body);
    expect(await actionsOf(id)).toEqual(actions);
    expect(hubs).toEqual([]);
  });

  it('with an older version is a conflict and renames nothing, however long the plan has stood', async () => {
    const { id } = await givenStanding(60);
    await env.DB.prepare('UPDATE organisations SET version = 2 WHERE id = ?').bind(id).run();
    const body = { name: 'Other', plan: 'enterprise', version: 1 };
    expect((await operate('PUT', `/organisations/${id}`, body)).status).toBe(409);
    expect(await actionsOf(id)).toEqual(['plan.change-ignored']);
    expect(await (await operate('GET', `/organisations/${id}`)).json()).toMatchObject({ name: id });
  });
});

describe('many organisations at once', () => {
  it('are created, changed, left and refused one by one, and told to the hubs once', async () => {
    const fresh = `fresh-${crypto.randomUUID()}`;
    const [settled, changed, stale] = [
      await givenStanding(60),
      await givenStanding(60),
      await givenStanding(60),
    ];
    await env.DB.prepare('UPDATE organisations SET version = 5 WHERE id = ?').bind(stale.id).run();
    const { settings, hubs } = counting();
    const organisations = [
      { id: fresh, name: 'Fresh', plan: 'trial', version: 1 },
      { id: settled.id, name: settled.id, plan: 'enterprise' },
      { id: changed.id, name: changed.id, plan: 'pro' },
      { id: stale.id, name: 'Other', plan: 'pro', version: 4 },
    ];
    const answer = await operate('PUT', '/organisations', { organisations }, settings);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({
      outcomes: [
        { id: fresh, outcome: 'created', organisation: { name: 'Fresh', plan: 'trial', version: 1 } },
        { id: settled.id, outcome: 'unchanged', organisation: { plan: 'enterprise' } },
        { id: changed.id, outcome: 'changed', organisation: { plan: 'pro' } },
        { id: stale.id, outcome: 'stale-version', version: 5 },
      ],
      effectiveAt: expect.any(String),
    });
    expect(new Set(hubs).size).toBe(9);
    expect(hubs).toHaveLength(9);
    expect((await call('/v1/ping', { headers: bearer(changed.secret) })).status).toBe(403);
    expect((await call('/v1/ping', { headers: bearer(stale.secret) })).status).toBe(200);
  });

  it('that all exist already cost one read', async () => {
    const organisations = [];
    for (let n = 0; n < 40; n++) {
      const id = await givenOrganisation('pro');
      await age(id, 60);
      organisations.push({ id, name: id, plan: 'pro' });
    }
    const { settings, statements, hubs } = counting();
    expect((await operate('PUT', '/organisations', { organisations }, settings)).status).toBe(200);
    expect(statements).toHaveLength(1);
    expect(hubs).toEqual([]);
  });

  it('fit in one call, with the longest ids and names that are allowed', async () => {
    const name = '票'.repeat(100);
    const organisations = Array.from({ length: 40 }, (_, n) => ({
      id: `${n}`.padEnd(128, 'x'),
      name,
      plan: 'pay-as-you-go',
      version: Number.MAX_SAFE_INTEGER,
    }));
    expect((await operate('PUT', '/organisations', { organisations })).status).toBe(200);
  });

  it('are sent in 64 KiB at most', async () => {
    const text = JSON.stringify({ organisations: [{ id: crypto.randomUUID(), name: 'A', plan: 'pro' }] });
    expect((await operate('PUT', '/organisations', text.padEnd(65_536))).status).toBe(200);
    expect((await operate('PUT', '/organisations', text.padEnd(65_537))).status).toBe(413);
  });

  const one = { id: 'bulk-a', name: 'A', plan: 'pro' };
  it.each([
    [{}, 'Field "organisations": missing'],
    [{ organisations: {} }, 'Field "organisations": not a list'],
    [{ organisations: [] }, 'Field "organisations": empty'],
    [{ organisations: [one, one] }, 'Field "organisations": an id twice'],
    [
      { organisations: Array.from({ length: 41 }, (_, n) => ({ ...one, id: `b${n}` })) },
      'Field "organisations": more than 40',
    ],
    [
      { organisations: [one, { ...one, id: 'b', plan: 'gold' }] },
      'Field "organisations.1.plan": not one of trial, pay-as-you-go, pro, enterprise',
    ],
    [
      { organisations: [{ ...one, id: 'a b' }] },
      'Field "organisations.0.id": not 1 to 128 letters, digits, ".", "_", "~" or "-"',
    ],
    [{ organisations: [{ name: 'A', plan: 'pro' }] }, 'Field "organisations.0.id": missing'],
    [{ organisations: [{ ...one, note: '' }] }, 'Field "organisations.0.note": unknown'],
    [{ organisations: [one], dry: true }, 'Field "dry": unknown'],
    [
      '{"organisations":[{"id":"bulk-a","name":"A","plan":"pro","plan":"enterprise"}]}',
      'Field "plan": given twice',
    ],
  ])('are refused as a whole: %j', async (body, detail) => {
    const answer = await operate('PUT', '/organisations', body);
    expect(answer.status).toBe(422);
    expect(await answer.json()).toMatchObject({ detail });
    expect((await operate('GET', '/organisations/bulk-a')).status).toBe(404);
  });
});
