// When a repeated deed is published, and when there is nothing left to publish.
import { env } from 'cloudflare:workers';
import { expect, it } from 'vitest';
import { openDeployment } from '../deployment/deployment.ts';
import type { Publish } from '../organisation/store.ts';
import { givenOrganisation, givenToken } from '../test/harness.ts';
import { changeToken, deleteToken } from './deeds.ts';

const MINUTE_MS = 60 * 1000;

async function given(active = true) {
  const organisationId = await givenOrganisation();
  const { id } = await givenToken(organisationId, active);
  const db = await openDeployment(env).openDatabase();
  const place = { organisationId, email: 'owner@example.com' };
  let published = 0;
  const publish: Publish = () => {
    published++;
    return Promise.resolve({ effectiveAt: '2026-01-01T00:00:00.000Z' });
  };
  const cause = (minutes: number) => ({
    actor: place.email,
    requestId: 'r',
    ip: null,
    userAgent: null,
    at: new Date(Date.now() + minutes * MINUTE_MS).toISOString(),
  });
  return {
    /** Switches `minutes` from now, and says how often that was published. */
    async change(minutes: number, change: { active?: boolean; name?: string | null }) {
      published = 0;
      const changed = await changeToken(db, publish, place, id, change, cause(minutes));
      return [changed.ok, published];
    },
    async remove(minutes: number) {
      published = 0;
      const deleted = await deleteToken(db, publish, place, id, cause(minutes));
      return [deleted.ok, published];
    },
    /** The token's changes, as if they had been made so many minutes earlier. */
    async age(minutes: number) {
      const at = new Date(Date.now() - minutes * MINUTE_MS).toISOString();
      await env.DB.prepare(
        'UPDATE changes SET at = ? WHERE token_hash = (SELECT hash FROM tokens WHERE id = ?)',
      )
        .bind(at, id)
        .run();
    },
  };
}

it.each([false, true])('publishes a repeated switch to %s for ten minutes, and no longer', async (active) => {
  const { change } = await given(!active);
  expect(await change(0, { active })).toEqual([true, 1]);
  // An answer may have been lost.
  expect(await change(0, { active })).toEqual([true, 1]);
  expect(await change(9.9, { active })).toEqual([true, 1]);
  expect(await change(10.1, { active })).toEqual([true, 0]);
  expect(await change(10.1, { active, name: 'A' })).toEqual([true, 0]);
});

it('publishes every switch that changes something, however long the one before is ago', async () => {
  const { change, age } = await given();
  await age(60);
  expect(await change(0, { active: true })).toEqual([true, 0]);
  expect(await change(0, { active: false })).toEqual([true, 1]);
  await age(60);
  expect(await change(0, { active: false })).toEqual([true, 0]);
  expect(await change(0, { active: true })).toEqual([true, 1]);
  await age(24 * 60 + 1);
  await env.DB.prepare('DELETE FROM changes WHERE seq < (SELECT max(seq) FROM changes)').run();
  expect(await change(0, { active: true })).toEqual([true, 0]);
});

it('publishes a repeated deletion for ten minutes, and no longer', async () => {
  const { remove } = await given();
  expect(await remove(0)).toEqual([true, 1]);
  expect(await remove(0)).toEqual([false, 1]);
  expect(await remove(9.9)).toEqual([false, 1]);
  expect(await remove(10.1)).toEqual([false, 0]);
});
