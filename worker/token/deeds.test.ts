// What is told to verification after a deed, and what is not.
import { env } from 'cloudflare:workers';
import { describe, expect, it, vi } from 'vitest';
import type { Cause } from '../activity/events.ts';
import { openDeployment } from '../deployment/deployment.ts';
import type { Publish } from '../organisation/store.ts';
import { ringOf } from '../test/ring.ts';
import { UNLIMITED, insertOrganisation, insertToken } from '../test/rows.ts';
import { changeToken, createToken, deleteToken } from './deeds.ts';

const email = 'owner@example.com';
const cause: Cause = {
  actor: email,
  requestId: 'r',
  ip: null,
  userAgent: null,
  at: '2026-01-01T00:00:00.000Z',
};
const effectiveAt = '2026-01-01T00:00:02.000Z';

async function given() {
  const db = await openDeployment(env).openDatabase();
  const place = { organisationId: await insertOrganisation(db), email };
  const published: string[][] = [];
  const publish: Publish = async ({ hashes }) => {
    published.push(hashes);
    return { effectiveAt };
  };
  return { db, place, published, publish };
}

describe('a change of a token', () => {
  it('is published when it switches, even to the present state, and not when it renames', async () => {
    const { db, place, published, publish } = await given();
    const { id, hash } = await insertToken(db, place.organisationId);
    const change = (wanted: { active?: boolean; name?: string }) =>
      changeToken(db, publish, place, id, wanted, cause);
    expect(await change({ name: 'A' })).toMatchObject({ ok: true, token: { name: 'A' } });
    expect(published).toEqual([]);
    for (const wanted of [{ active: false }, { active: false }, { active: true, name: 'B' }])
      expect(await change(wanted)).toMatchObject({ ok: true, token: wanted, effectiveAt });
    expect(published).toEqual([[hash], [hash], [hash]]);
  });

  it('that is refused is published to no hub', async () => {
    const { db, place, published, publish } = await given();
    const { id } = await insertToken(db, await insertOrganisation(db));
    const refused = { ok: false, reason: 'token-not-found' };
    expect(await changeToken(db, publish, place, id, { active: false }, cause)).toEqual(refused);
    expect(await deleteToken(db, publish, place, id, cause)).toEqual(refused);
    expect(published).toEqual([]);
  });
});

it('a deletion is published, and published again when it is repeated, because its first answer may be lost', async () => {
  const { db, place, published, publish } = await given();
  const { id, hash } = await insertToken(db, place.organisationId);
  expect(await deleteToken(db, publish, place, id, cause)).toEqual({ ok: true, effectiveAt });
  expect(await deleteToken(db, publish, place, id, cause)).toEqual({ ok: false, reason: 'token-not-found' });
  expect(published).toEqual([[hash], []]);
});

it('a secret is drawn five times at most', async () => {
  const { db, place } = await given();
  let draws = 0;
  const spy = vi.spyOn(crypto, 'getRandomValues').mockImplementation((bytes) => {
    // Every secret is the same one, and so is its preview. Its first digits are three.
    if (bytes instanceof Uint8Array) bytes.fill(7);
    draws++;
    return bytes;
  });
  try {
    const create = () => createToken(db, ringOf('1', '1'), place, { name: null, ...UNLIMITED }, cause, null);
    expect((await create()).ok).toBe(true);
    const once = draws;
    await expect(create()).rejects.toThrow('no free preview');
    expect(draws - once).toBe(5 * once);
  } finally {
    spy.mockRestore();
  }
});

it('a creation that is refused is refused at the first draw', async () => {
  const { db, place } = await given();
  const stranger = { ...place, email: 'stranger@example.com' };
  const create = (at: typeof place) =>
    createToken(db, ringOf('1', '1'), at, { name: null, ...UNLIMITED }, cause, null);
  expect(await create(stranger)).toEqual({ ok: false, reason: 'organisation-not-found' });
  for (let count = 0; count < 10; count++) await insertToken(db, place.organisationId);
  expect(await create(place)).toEqual({ ok: false, reason: 'token-limit-reached' });
});
