import { env } from 'cloudflare:workers';
import { afterEach, expect, it, vi } from 'vitest';
import { call, givenOrganisation, givenSession, givenToken } from '../test/harness.ts';

// The clock stands, so that no hour ends in the middle of the test.
afterEach(() => void vi.useRealTimers());

it('answers the last 24 hours of each token, hour by hour, of this organisation only', async () => {
  vi.setSystemTime('2026-11-25T10:30:00Z');
  const [mine, theirs] = [await givenOrganisation(), await givenOrganisation()];
  const [used, unused, foreign] = [await givenToken(mine), await givenToken(mine), await givenToken(theirs)];
  const hour = Math.floor(Date.now() / 3_600_000);
  const count = (token: string, ago: number, accepted: number, refused: number) =>
    env.DB.prepare('INSERT INTO token_usage (token_id, hour, accepted, refused) VALUES (?, ?, ?, ?)').bind(
      token,
      hour - ago,
      accepted,
      refused,
    );
  await env.DB.batch([
    count(used.id, 0, 7, 1),
    count(used.id, 23, 5, 0),
    count(used.id, 24, 9, 9),
    count(foreign.id, 0, 3, 3),
  ]);
  const answer = await call(`/api/organisations/${mine}/usage`, { headers: await givenSession() });
  const zeros = Array<number>(22).fill(0);
  expect(await answer.json()).toEqual({
    usage: { [used.id]: { accepted: [5, ...zeros, 7], refused: [0, ...zeros, 1] } },
    until: new Date((hour + 1) * 3_600_000).toISOString(),
    refusedAddresses: [],
  });
  expect(unused.id).not.toBe(used.id);
});

it('answers for a token of any id, also an id such as "constructor"', async () => {
  const organisation = await givenOrganisation();
  const { id } = await givenToken(organisation);
  // An operator at the SQL prompt may give a token any id.
  await env.DB.batch([
    env.DB.prepare(
      `INSERT INTO tokens (id, organisation_id, hash, preview, created_by, created_at)
       SELECT '__proto__', organisation_id, ?, '9p_pt', created_by, created_at FROM tokens WHERE id = ?`,
    ).bind(crypto.randomUUID().replaceAll('-', '').repeat(2), id),
    env.DB.prepare(
      "INSERT INTO token_usage (token_id, hour, accepted, refused) VALUES ('__proto__', ?, 4, 0)",
    ).bind(Math.floor(Date.now() / 3_600_000)),
  ]);
  const answer = await call(`/api/organisations/${organisation}/usage`, { headers: await givenSession() });
  expect(answer.status).toBe(200);
  expect(await answer.text()).toContain('"__proto__":{"accepted":[');
});

it('answers from where calls were refused in the last 24 hours, the newest first, of this organisation only', async () => {
  vi.setSystemTime('2026-11-25T10:30:00Z');
  const [mine, theirs] = [await givenOrganisation(), await givenOrganisation()];
  const [own, foreign] = [await givenToken(mine), await givenToken(theirs)];
  const refuse = (token: string, address: string, at: string) =>
    env.DB.prepare('INSERT INTO refused_addresses (token_id, address, at) VALUES (?, ?, ?)').bind(
      token,
      address,
      at,
    );
  await env.DB.batch([
    refuse(own.id, '203.0.113.7/32', '2026-11-24T10:30:00.000Z'),
    refuse(own.id, '203.0.113.8/32', '2026-11-25T10:00:00.000Z'),
    refuse(own.id, '203.0.113.9/32', '2026-11-24T10:29:59.999Z'),
    // Added to the networks since.
    refuse(own.id, '2001:db8::7/128', '2026-11-25T10:00:00.000Z'),
    env.DB.prepare(`UPDATE tokens SET networks = '["2001:db8::/32"]' WHERE id = ?`).bind(own.id),
    refuse(foreign.id, '203.0.113.7/32', '2026-11-25T10:00:00.000Z'),
  ]);
  const answer = await call(`/api/organisations/${mine}/usage`, { headers: await givenSession() });
  expect(await answer.json()).toMatchObject({
    refusedAddresses: [
      { tokenId: own.id, address: '203.0.113.8/32', at: '2026-11-25T10:00:00.000Z' },
      { tokenId: own.id, address: '203.0.113.7/32', at: '2026-11-24T10:30:00.000Z' },
    ],
  });
});
