// The run that writes down which secrets have ended, against the real tables and hubs.
import { createExecutionContext, createScheduledController, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, it } from 'vitest';
import { openDeployment } from '../deployment/deployment.ts';
import worker from '../index.ts';
import { givenOrganisation, givenSession, givenToken, statusOf, write } from '../test/harness.ts';
import type { ChangeHub } from '../verification/hub/change-hub.ts';
import type { Source } from '../verification/record.ts';
import { countedOf, hashOf } from '../verification/simulation/table.ts';
import type { Counts } from '../verification/sync.ts';
import { termsOf } from '../verification/terms.ts';
import { retireSecrets } from './retire.ts';
import { TEN_MINUTES_CRON } from './run.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

async function given(retire: string) {
  const organisation = await givenOrganisation();
  const { id, secret: old } = await givenToken(organisation);
  const path = `/api/organisations/${organisation}/tokens/${id}/rotate`;
  const answer = await write('POST', path, await givenSession(), { retire });
  const { secret } = await answer.json<{ secret: string }>();
  const row = () =>
    env.DB.prepare('SELECT * FROM replaced_secrets WHERE token_id = ?')
      .bind(id)
      .first<Record<string, string | null>>();
  const events = async () => {
    const { results } = await env.DB.prepare(
      "SELECT actor, detail FROM events WHERE token_id = ? AND action = 'token.retired'",
    )
      .bind(id)
      .all();
    return results;
  };
  return { id, old, secret, row, events };
}

it('records the end of a secret once, with its event, whether the run is late or comes twice', async () => {
  const { row, events } = await given('1h');
  await retireSecrets(openDeployment(env), crypto.randomUUID(), Date.now() + HOUR - 60_000);
  expect(await events()).toEqual([]);
  const run = () => retireSecrets(openDeployment(env), crypto.randomUUID(), Date.now() + 2 * DAY);
  const sums = await Promise.all([run(), run()]);
  expect(sums[0] + sums[1] + (await run())).toBeGreaterThan(0);
  expect(await events()).toEqual([{ actor: 'system', detail: 'time' }]);
  const { retires_at, retired_at } = (await row()) ?? {};
  expect(retired_at).toBe(retires_at);
});

it('keeps a secret that is still used, and ends it an hour and some minutes after its last use', async () => {
  const { old, secret, row, events } = await given('when-silent');
  const from = Date.now();
  expect([await statusOf(old), await statusOf(secret)]).toEqual([200, 200]);
  // What the isolate has counted reaches its hub within ten seconds; the run has the hub write it.
  await expect
    .poll(
      async () => {
        await openDeployment(env).haveHubsWrite();
        const { last_used_at, successor_used_at } = (await row()) ?? {};
        return Boolean(last_used_at) && Boolean(successor_used_at);
      },
      { timeout: 30_000, interval: 500 },
    )
    .toBe(true);
  await retireSecrets(openDeployment(env), crypto.randomUUID(), from + HOUR);
  expect(await events()).toEqual([]);
  expect(await statusOf(old)).toBe(200);
  const lastUse = Date.parse((await row())?.['last_used_at'] ?? '');
  await retireSecrets(openDeployment(env), crypto.randomUUID(), lastUse + HOUR + 5 * 60_000 + 1);
  expect(await events()).toEqual([{ actor: 'system', detail: 'silent' }]);
  await expect.poll(() => statusOf(old), { timeout: 15_000, interval: 200 }).toBe(401);
  expect(await statusOf(secret)).toBe(200);
}, 60_000);

it('ends no secret by silence while a hub cannot write, because that hub may know of a use', async () => {
  const { id, events } = await given('when-silent');
  const before = new Date(Date.now() - DAY).toISOString();
  await env.DB.prepare(
    'UPDATE replaced_secrets SET last_used_at = ?1, successor_used_at = ?1 WHERE token_id = ?2',
  )
    .bind(before, id)
    .run();
  const hub = env.CHANGE_HUB.getByName('me');
  const counts: Counts = new Map([[hashOf('made-up'), countedOf('made-up')]]);
  await hub.sync({ head: null, ...termsOf(1) }, counts);
  const replaceWrite = (other: (() => Promise<void>) | null) =>
    runInDurableObject(hub, (object: ChangeHub) => {
      // A protected field, which only tests replace.
      const { source } = object as unknown as { source: Pick<Source, 'addUsage'> };
      kept ??= source.addUsage;
      source.addUsage = other ?? kept;
    });
  let kept: Source['addUsage'] | undefined;
  await replaceWrite(() => Promise.reject(new Error('D1_ERROR: planted')));
  await retireSecrets(openDeployment(env), crypto.randomUUID(), Date.now());
  expect(await events()).toEqual([]);
  await replaceWrite(null);
  await retireSecrets(openDeployment(env), crypto.randomUUID(), Date.now());
  expect(await events()).toEqual([{ actor: 'system', detail: 'silent' }]);
});

it('is the run of one schedule, and pruning that of the other', async () => {
  const { events } = await given('1h');
  const at = new Date(Date.now() + 2 * HOUR);
  await worker.scheduled(
    createScheduledController({ scheduledTime: at, cron: '17 * * * *' }),
    env,
    createExecutionContext(),
  );
  expect(await events()).toEqual([]);
  await worker.scheduled(
    createScheduledController({ scheduledTime: at, cron: TEN_MINUTES_CRON }),
    env,
    createExecutionContext(),
  );
  expect(await events()).toHaveLength(1);
});

it('has one request id for all that it puts on record', async () => {
  const { id } = await given('1h');
  const at = new Date(Date.now() + 2 * HOUR);
  await env.DB.prepare('UPDATE tokens SET expires_at = ? WHERE id = ?')
    .bind(new Date(at.getTime() + DAY - HOUR).toISOString(), id)
    .run();
  await worker.scheduled(
    createScheduledController({ scheduledTime: at, cron: TEN_MINUTES_CRON }),
    env,
    createExecutionContext(),
  );
  const { results } = await env.DB.prepare(
    "SELECT DISTINCT action, request_id AS run FROM events WHERE token_id = ? AND actor = 'system' ORDER BY action",
  )
    .bind(id)
    .all<{ action: string; run: string }>();
  expect(results.map(({ action }) => action)).toEqual(['token.expiring', 'token.retired']);
  expect(new Set(results.map(({ run }) => run)).size).toBe(1);
});
