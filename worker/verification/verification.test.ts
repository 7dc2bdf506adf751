// Verification by the real Worker, on the real D1, KV and hubs, with every call to them counted.
// Each deployment is an isolate of its own; each test takes a region of its own, so that its hub is a fresh one.
import {
  createExecutionContext,
  evictDurableObject,
  runInDurableObject,
  waitOnExecutionContext,
} from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it, vi } from 'vitest';
import { openDeployment } from '../deployment/deployment.ts';
import type { Env } from '../deployment/env.ts';
import { deploymentWith } from '../test/faults.ts';
import {
  bearer,
  givenOrganisation,
  givenSession,
  givenToken,
  serverCall,
  write,
  callAt,
} from '../test/harness.ts';
import { hashOfSecret, mintSecret, tagKeyOf } from '../token/secret.ts';
import { ChangeHub } from './hub/change-hub.ts';
import { cacheKey } from './record.ts';
import type { Source } from './record.ts';
import { termsOf } from './terms.ts';
import { countedOf, hashOf } from './simulation/table.ts';
import type { Counts } from './sync.ts';

const TERMS = termsOf(1);
/** One accepted call of each of these tokens. */
const countsOf = (ids: string[]): Counts => new Map(ids.map((id) => [hashOf(id), countedOf(id)]));
const LEASE = { REVOCATION_LEASE_MS: '1000' };
/** Callers of the regions that are used here. */
const REGIONS = {
  enam: { continent: 'NA', longitude: '-75' },
  apac: { continent: 'AS', longitude: '103.8' },
  afr: { continent: 'AF' },
  oc: { continent: 'OC' },
  sam: { continent: 'SA' },
  me: { continent: 'AS', longitude: '55.3' },
  wnam: { continent: 'NA', longitude: '-122.4' },
  eeur: { continent: 'EU', longitude: '21' },
} as const;
type Region = keyof typeof REGIONS;

const hubOf = (region: Region) => env.CHANGE_HUB.getByName(region);

/** A hub that has just come to life, and knows nothing. */
async function givenFreshHub(region: Region): Promise<void> {
  await runInDurableObject(hubOf(region), () => undefined);
  await evictDurableObject(hubOf(region));
}

function isolate(settings: Partial<Env> = {}): { env: Env; calls: string[] } {
  const deployment = deploymentWith(null);
  return {
    calls: deployment.calls,
    env: { ...deployment.env, ...LEASE, HUB_LEASE_MS: '10000', ...settings },
  };
}

async function ping(deployment: Env, secret: string, region: Region = 'afr'): Promise<Response> {
  return callAt(deployment, '/v1/ping', { headers: bearer(secret), cf: REGIONS[region] });
}

async function statusOf(deployment: Env, secret: string, region?: Region): Promise<number> {
  return (await ping(deployment, secret, region)).status;
}

/** Records what a hub asks of the database; `isAway` makes every call fail, `failing` only the call of that number. */
async function watch(region: Region): Promise<{ reads: string[]; isAway: boolean; failing: number }> {
  const seen = { reads: [] as string[], isAway: false, failing: 0 };
  await runInDurableObject(hubOf(region), (hub: ChangeHub) => {
    // A protected field, which only this test replaces.
    const { source } = hub as unknown as { source: Source };
    for (const name of ['read', 'changesFrom', 'newestChanges', 'addUsage'] as const) {
      const real = source[name].bind(source) as (...args: unknown[]) => Promise<unknown>;
      const watched = async (...args: unknown[]): Promise<unknown> => {
        seen.reads.push(name);
        if (seen.isAway || seen.reads.length === seen.failing) throw new Error('D1_ERROR: planted');
        return real(...args);
      };
      Object.assign(source, { [name]: watched });
    }
  });
  return seen;
}

const away = { sync: () => Promise.reject(new Error('planted: unreachable')) };
// The one method that verification calls.
const NO_HUB = { getByName: () => away } as unknown as Env['CHANGE_HUB'];
const NO_DB = {
  prepare: () => {
    throw new Error('D1_ERROR: planted');
  },
} as unknown as Env['DB'];

describe('a flood', () => {
  it('of 100,000 made-up secrets with the right shape and checksum reads nothing from KV, D1 or a hub', async () => {
    const { env: deployment, calls } = isolate();
    // Minted under the right key's name with another key: all but the tag is right.
    const ring = {
      current: '1',
      keys: new Map([['1', tagKeyOf(crypto.getRandomValues(new Uint8Array(32)))]]),
    };
    const context = serverCall();
    let refused = 0;
    for (let index = 0; index < 100_000; index++) {
      const answer = openDeployment(deployment).verify(mintSecret(ring), context);
      if (!(answer instanceof Promise) && !answer.ok && answer.reason === 'invalid-token') refused++;
    }
    expect(refused).toBe(100_000);
    for (let index = 0; index < 200; index++) {
      expect(await statusOf(deployment, mintSecret(ring))).toBe(401);
    }
    expect(calls).toEqual([]);
  });

  it('with paused and deleted tokens reaches the database once for each', async () => {
    const organisation = await givenOrganisation();
    const [paused, deleted] = [await givenToken(organisation, false), await givenToken(organisation)];
    await env.DB.prepare('DELETE FROM tokens WHERE id = ?').bind(deleted.id).run();
    const hub = await watch('oc');
    const { env: deployment, calls } = isolate();
    for (let round = 0; round < 5; round++) {
      for (let call = 0; call < 300; call++) {
        expect(await statusOf(deployment, paused.secret, 'oc')).toBe(401);
        expect(await statusOf(deployment, deleted.secret, 'oc')).toBe(401);
      }
      // Past the half of a lease, and past the whole of one.
      await scheduler.wait(round === 3 ? 1100 : 300);
    }
    expect(hub.reads.filter((name) => name === 'read')).toHaveLength(2);
    expect(calls.filter((name) => name.startsWith('D1'))).toEqual([]);
    expect(calls.filter((name) => name === 'KV.get')).toHaveLength(2);
  });

  it('writes a record to KV that expires, so that KV does not grow for ever', async () => {
    const { secret } = await givenToken(await givenOrganisation());
    const key = cacheKey(hashOfSecret(secret));
    expect(await statusOf(isolate().env, secret)).toBe(200);
    const day = 24 * 60 * 60;
    await vi.waitUntil(async () => (await env.TOKEN_CACHE.get(key)) !== null);
    const { keys } = await env.TOKEN_CACHE.list({ prefix: key });
    const lifetime = (keys[0]?.expiration ?? Infinity) - Date.now() / 1000;
    expect(lifetime).toBeGreaterThan(6 * day);
    expect(lifetime).toBeLessThan(8 * day);
  });

  it('of 1,000 calls at once with one token, new to isolate and region, makes at most two D1 reads', async () => {
    const { secret } = await givenToken(await givenOrganisation());
    await givenFreshHub('sam');
    const hub = await watch('sam');
    const { env: deployment, calls } = isolate();
    const statuses = await Promise.all(
      Array.from({ length: 1000 }, () => statusOf(deployment, secret, 'sam')),
    );
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(hub.reads.length + calls.filter((name) => name.startsWith('D1')).length).toBeLessThanOrEqual(2);
    expect(calls.filter((name) => name === 'KV.put')).toHaveLength(1);
  });
});

describe('a busy isolate', () => {
  it('does no I/O between syncs, and none of its callers waits for one', async () => {
    const { secret } = await givenToken(await givenOrganisation());
    const halfLease = 1000;
    const { env: deployment, calls } = isolate({ REVOCATION_LEASE_MS: String(2 * halfLease) });
    await vi.waitUntil(() => !(openDeployment(deployment).verify(secret, serverCall()) instanceof Promise), {
      timeout: 10_000,
    });
    await scheduler.wait(50);
    calls.length = 0;
    let waited = 0;
    let last = Date.now();
    const from = last;
    while (calls.length < 4) {
      // Where the machine itself stood still for half a lease, the isolate was not a busy one.
      const isBusy = Date.now() - last < halfLease;
      last = Date.now();
      for (let call = 0; call < 20; call++) {
        const answer = openDeployment(deployment).verify(secret, serverCall());
        if (isBusy && answer instanceof Promise) waited++;
      }
      await scheduler.wait(8);
    }
    expect(waited).toBe(0);
    expect(new Set(calls)).toEqual(new Set(['hub.sync']));
    // Half a lease apart, and one that tells what was counted.
    expect(last - from).toBeGreaterThanOrEqual(2 * halfLease);
  });
});

describe('a token that was switched off', () => {
  async function switchOff(organisation: string, token: string): Promise<void> {
    const path = `/api/organisations/${organisation}/tokens/${token}`;
    const answer = await write('PATCH', path, await givenSession(), { active: false });
    expect(answer.status).toBe(200);
  }

  it.each([
    ['the old record', (old: string) => old],
    ['a record of the future', (old: string) => old.replace(/\[\d+/, '[4000000')],
    ['nonsense', () => '{"active":true}'],
    ['the record of another token', (old: string) => old.replace(/"[0-9a-f-]{36}"/, '"another"')],
  ])('is refused though KV holds %s', async (_, lie) => {
    const organisation = await givenOrganisation();
    const { id, secret } = await givenToken(organisation);
    const key = cacheKey(hashOfSecret(secret));
    const { env: warm } = isolate({ REVOCATION_LEASE_MS: '100' });
    expect(await statusOf(warm, secret)).toBe(200);
    const old = await vi.waitUntil(() => env.TOKEN_CACHE.get(key));
    await switchOff(organisation, id);
    await env.TOKEN_CACHE.put(key, lie(old));
    expect(await statusOf(warm, secret)).toBe(401);
    expect(await statusOf(isolate().env, secret)).toBe(401);
    expect(await statusOf(isolate({ CHANGE_HUB: NO_HUB }).env, secret)).toBe(401);
  });

  it('is refused by a hub that was evicted meanwhile', async () => {
    const organisation = await givenOrganisation();
    const { id, secret } = await givenToken(organisation);
    const { env: warm } = isolate({ REVOCATION_LEASE_MS: '100' });
    expect(await statusOf(warm, secret)).toBe(200);
    await switchOff(organisation, id);
    await evictDurableObject(hubOf('afr'));
    expect(await statusOf(warm, secret)).toBe(401);
    expect(await statusOf(isolate().env, secret)).toBe(401);
  });

  it('is refused after the database was restored and used the same numbers again', async () => {
    const organisation = await givenOrganisation();
    const [lost, other] = [await givenToken(organisation), await givenToken(organisation)];
    const { env: warm } = isolate({ REVOCATION_LEASE_MS: '100' });
    expect(await statusOf(warm, lost.secret)).toBe(200);
    expect(await statusOf(warm, other.secret)).toBe(200);
    const key = cacheKey(hashOfSecret(other.secret));
    const old = await vi.waitUntil(() => env.TOKEN_CACHE.get(key));
    // Back to before both tokens were made; then one is made again as it was, and the numbers come again.
    const row = await env.DB.prepare('SELECT * FROM tokens WHERE id = ?').bind(other.id).first();
    const { seq } = (await env.DB.prepare('SELECT max(seq) AS seq FROM changes').first<{
      seq: number;
    }>()) ?? {
      seq: 0,
    };
    await env.DB.batch([
      env.DB.prepare('DELETE FROM tokens WHERE organisation_id = ?').bind(organisation),
      env.DB.prepare('DELETE FROM tombstones WHERE organisation_id = ?').bind(organisation),
      env.DB.prepare('DELETE FROM changes WHERE seq > ?').bind(seq - 2),
      env.DB.prepare("UPDATE sqlite_sequence SET seq = ? WHERE name = 'changes'").bind(seq - 2),
      env.DB.prepare(
        'INSERT INTO tokens (id, organisation_id, hash, preview, created_by, created_at) VALUES (?, ?, ?, ?, ?, ?)',
      ).bind(
        other.id,
        organisation,
        hashOfSecret(other.secret),
        other.secret.slice(0, 5),
        'owner@example.com',
        String(row?.['created_at']),
      ),
    ]);
    // The same number as before, of another past.
    await switchOff(organisation, other.id);
    const after = await env.DB.prepare('SELECT max(seq) AS seq FROM changes').first<{ seq: number }>();
    expect(after?.seq).toBe(seq);
    await env.TOKEN_CACHE.put(key, old);
    expect(await statusOf(warm, other.secret)).toBe(401);
    expect(await statusOf(warm, lost.secret)).toBe(401);
    expect(await statusOf(isolate().env, other.secret)).toBe(401);
  });
});

describe('a record in KV', () => {
  it('of one token is not used for another token under whose key it was stored', async () => {
    const [mine, other] = [await givenOrganisation(), await givenOrganisation()];
    const [paused, good] = [await givenToken(mine, false), await givenToken(other)];
    const { env: deployment } = isolate();
    expect(await statusOf(deployment, good.secret)).toBe(200);
    const text = await vi.waitUntil(() => env.TOKEN_CACHE.get(cacheKey(hashOfSecret(good.secret))));
    await env.TOKEN_CACHE.put(cacheKey(hashOfSecret(paused.secret)), text);
    expect(await statusOf(isolate().env, paused.secret)).toBe(401);
  });
});

it('a hub answers three calls: sync, advance and its alarm', () => {
  expect(Object.getOwnPropertyNames(ChangeHub.prototype).toSorted()).toEqual([
    'advance',
    'alarm',
    'constructor',
    'sync',
  ]);
});

describe('a hub under other terms', () => {
  const rejected = (call: () => Promise<unknown>) => call().then(() => 'answered', String);
  it.each([
    ['of the release before versions', {}],
    ['of a later version', { version: termsOf(1).version + 1, epoch: 1 }],
    ['of another database', termsOf(2)],
  ])('answers no question, counts nothing and confirms nothing: %s', async (_, terms) => {
    const hub = hubOf('sam');
    await runInDurableObject(hub, async (object: ChangeHub) => {
      const counts: Counts = new Map([[hashOf('made-up'), countedOf('made-up')]]);
      expect(await rejected(() => object.sync({ head: null, ...terms }, counts))).toMatch(/^Error: hub: /);
      const { head } = await object.sync({ head: null, ...TERMS }, new Map());
      expect(await rejected(() => object.advance({ ...head, ...terms }))).toMatch(/^Error: hub: /);
      expect(await object.advance({ ...head, ...TERMS })).toEqual(TERMS);
    });
  });

  it('is not used: the database answers, and the call is accepted', async () => {
    const { secret } = await givenToken(await givenOrganisation());
    const silent = {
      sync: () => Promise.resolve({ head: { seq: 1, nonce: 'x' }, changes: [], remaining: 9e9 }),
    };
    const CHANGE_HUB = { getByName: () => silent } as unknown as Env['CHANGE_HUB'];
    const { env: deployment, calls } = isolate({ CHANGE_HUB });
    expect(await statusOf(deployment, secret)).toBe(200);
    expect(calls.filter((name) => name.startsWith('D1'))).toHaveLength(1);
  });
});

describe('a good token is accepted', () => {
  const hang = () => new Promise<never>(() => undefined);
  it.each([
    ['hangs', hang],
    ['fails', () => Promise.reject(new Error('planted'))],
    ['answers nonsense', () => Promise.resolve('nonsense')],
  ])('while KV %s, from the answer of the hub', async (_, get) => {
    const { secret } = await givenToken(await givenOrganisation());
    // The two methods that verification calls.
    const cache = { get, put: hang } as unknown as Env['TOKEN_CACHE'];
    const { env: deployment, calls } = isolate({ TOKEN_CACHE: cache });
    expect(await statusOf(deployment, secret)).toBe(200);
    expect(calls.filter((name) => name.startsWith('D1'))).toEqual([]);
  });

  it('while the hub cannot be reached, by way of the database', async () => {
    const { secret } = await givenToken(await givenOrganisation());
    const { env: deployment, calls } = isolate({ CHANGE_HUB: NO_HUB });
    expect(await statusOf(deployment, secret)).toBe(200);
    expect(calls.filter((name) => name.startsWith('D1'))).toHaveLength(1);
    expect(await statusOf(deployment, secret)).toBe(200);
    expect(calls.filter((name) => name.startsWith('D1'))).toHaveLength(1);
  });
});

describe('while the database is away', () => {
  it('known tokens still work, unknown ones get 503 with Retry-After and never 401, and afterwards all work', async () => {
    const organisation = await givenOrganisation();
    const [known, unknown] = [await givenToken(organisation), await givenToken(organisation)];
    const { env: deployment } = isolate({ DB: NO_DB });
    expect(await statusOf(deployment, known.secret)).toBe(200);
    const hub = await watch('afr');
    hub.isAway = true;
    expect(await statusOf(deployment, known.secret)).toBe(200);
    // Past the isolate's lease: the hub's own still holds.
    await scheduler.wait(1100);
    expect(await statusOf(deployment, known.secret)).toBe(200);
    const answer = await ping(deployment, unknown.secret);
    expect(answer.status).toBe(503);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(answer.headers.has('www-authenticate')).toBe(false);
    hub.isAway = false;
    expect(await statusOf(deployment, unknown.secret)).toBe(200);
  });

  it('a region whose hub has just started answers 503', async () => {
    const { secret } = await givenToken(await givenOrganisation());
    await givenFreshHub('me');
    const hub = await watch('me');
    hub.isAway = true;
    const { env: deployment } = isolate({ DB: NO_DB });
    expect(await statusOf(deployment, secret, 'me')).toBe(503);
    hub.isAway = false;
    // What failed is not asked again for three quarters of a second at most.
    await scheduler.wait(800);
    expect(await statusOf(deployment, secret, 'me')).toBe(200);
  });
});

describe.concurrent('what is counted', () => {
  async function usageOf(id: string) {
    const sums = await env.DB.prepare(
      'SELECT sum(accepted) AS accepted, sum(refused) AS refused FROM token_usage WHERE token_id = ?',
    )
      .bind(id)
      .first<{ accepted: number | null; refused: number | null }>();
    const row = await env.DB.prepare('SELECT last_used_at AS at FROM tokens WHERE id = ?')
      .bind(id)
      .first<{ at: string | null }>();
    return { accepted: sums?.accepted ?? 0, refused: sums?.refused ?? 0, lastUsedAt: row?.at ?? null };
  }

  /** So many calls, and one more when their count has surely ridden to the hub. */
  async function callAndTell(deployment: Env, secret: string, calls: number, region: Region): Promise<void> {
    for (let call = 0; call < calls; call++) await ping(deployment, secret, region);
    await scheduler.wait(600);
    const context = createExecutionContext();
    await ping(deployment, secret, region);
    await waitOnExecutionContext(context);
    await scheduler.wait(100);
  }

  it('is written by the alarm, as counts and as the time of last use, and a call writes nothing', async () => {
    const organisation = await givenOrganisation();
    const [used, paused] = [await givenToken(organisation), await givenToken(organisation, false)];
    const { env: deployment, calls } = isolate();
    const from = new Date().toISOString();
    await callAndTell(deployment, paused.secret, 2, 'wnam');
    await callAndTell(deployment, used.secret, 7, 'wnam');
    await callAndTell(deployment, used.secret, 0, 'wnam');
    expect(await usageOf(used.id)).toEqual({ accepted: 0, refused: 0, lastUsedAt: null });
    // Five seconds in memory, then the hub's own storage and an alarm, which is due at once: none rang before.
    await vi.waitUntil(async () => (await usageOf(used.id)).accepted > 0, { timeout: 15_000, interval: 200 });
    const sums = await usageOf(used.id);
    expect(sums.accepted).toBeGreaterThanOrEqual(8);
    expect(sums.accepted).toBeLessThanOrEqual(9);
    expect(sums.lastUsedAt?.localeCompare(from)).toBe(1);
    expect(await usageOf(paused.id)).toMatchObject({ accepted: 0, refused: 3, lastUsedAt: null });
    expect(calls.filter((name) => name.startsWith('D1'))).toEqual([]);
  });

  it('is neither lost nor counted twice when the second of two writes fails', async () => {
    const organisation = await givenOrganisation();
    const [first, last] = [await givenToken(organisation), await givenToken(organisation)];
    const ring = () => runInDurableObject(hubOf('apac'), (object: ChangeHub) => object.alarm());
    // More tokens than one write takes; all but two of them were deleted meanwhile.
    const many = Array.from({ length: 5000 }, (_, index) => `gone-${index}`);
    const counts = countsOf([first.id, ...many, last.id]);
    await hubOf('apac').sync({ head: null, ...TERMS }, counts);
    const seen = await watch('apac');
    seen.failing = 2;
    await ring();
    expect((await usageOf(first.id)).accepted).toBe(1);
    expect((await usageOf(last.id)).accepted).toBe(0);
    await ring();
    await ring();
    expect((await usageOf(first.id)).accepted).toBe(1);
    expect((await usageOf(last.id)).accepted).toBe(1);
    await hubOf('apac').sync({ head: null, ...TERMS }, countsOf([last.id]));
    await ring();
    await ring();
    expect((await usageOf(last.id)).accepted).toBe(2);
  });

  it('is read if the release before versions wrote it, and left as it is if a later release wrote it', async () => {
    const { id } = await givenToken(await givenOrganisation());
    const hub = hubOf('oc');
    const row = { tokenId: id, hour: 9, accepted: 3, refused: 0, usedAt: null };
    const later = { counts: 'of another shape' };
    await runInDurableObject(hub, async (object: ChangeHub, state) => {
      await state.storage.put({ 'usage:0': [row], 'usage:4:0': later });
      await object.alarm();
      await object.alarm();
      expect(await state.storage.get('usage:4:0')).toEqual(later);
      expect((await state.storage.list({ prefix: 'usage:' })).size).toBe(1);
      await state.storage.delete('usage:4:0');
    });
    expect(await usageOf(id)).toMatchObject({ accepted: 3 });
  });

  it('is written once a minute at most, and nothing is lost or counted twice while the database is away', async () => {
    const { id, secret } = await givenToken(await givenOrganisation());
    const hub = hubOf('eeur');
    const seen = await watch('eeur');
    const { env: deployment } = isolate();
    await callAndTell(deployment, secret, 4, 'eeur');
    const ring = () => runInDurableObject(hub, (object: ChangeHub) => object.alarm());
    seen.isAway = true;
    await ring();
    const again = await runInDurableObject(hub, (_, state) => state.storage.getAlarm());
    expect(again).toBeGreaterThan(Date.now() + 50_000);
    expect(await usageOf(id)).toMatchObject({ accepted: 0 });
    seen.isAway = false;
    // What is kept outlives the object.
    await evictDurableObject(hub);
    await ring();
    const { accepted } = await usageOf(id);
    expect(accepted).toBeGreaterThanOrEqual(4);
    await ring();
    expect(await usageOf(id)).toMatchObject({ accepted });
    await callAndTell(deployment, secret, 3, 'eeur');
    await vi.waitUntil(
      () =>
        runInDurableObject(hub, async (_, state) => (await state.storage.list({ prefix: 'usage:' })).size),
      { timeout: 8000, interval: 100 },
    );
    const due = await runInDurableObject(hub, (_, state) => state.storage.getAlarm());
    expect(due).toBeGreaterThan(Date.now() + 40_000);
  });
});

describe('what waits to be written', () => {
  it('is bounded while the database refuses it, and waiting rows are not stored again with new ones', async () => {
    const hub = hubOf('enam');
    const seen = await watch('enam');
    const ring = () => runInDurableObject(hub, (object: ChangeHub) => object.alarm());
    const saved = () =>
      runInDurableObject(hub, (_, state) => state.storage.list<{ tokenId: string }[]>({ prefix: 'usage:' }));
    const count = (from: number, many: number) =>
      hub.sync(
        { head: null, ...TERMS },
        countsOf(Array.from({ length: many }, (_, index) => `t${from + index}`)),
      );
    await count(0, 55_000);
    seen.isAway = true;
    await ring();
    const before = [...(await saved()).keys()];
    expect(before).toHaveLength(11);
    await count(55_000, 10_000);
    // Five seconds in memory, then in parts of their own.
    const added = await vi.waitUntil(
      async () => {
        const keys = [...(await saved()).keys()].filter((key) => !before.includes(key));
        return keys.length > 0 && keys;
      },
      { timeout: 15_000, interval: 200 },
    );
    expect(added).toHaveLength(2);
    await ring();
    const rows = [...(await saved()).values()].flat();
    expect(rows).toHaveLength(60_000);
    expect(rows[0]?.tokenId).toBe('t5000');
    expect(rows.at(-1)?.tokenId).toBe('t64999');
  });
});
