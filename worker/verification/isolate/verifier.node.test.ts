import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { TokenHash } from '../../token/secret.ts';
import { Hub } from '../hub/hub.ts';
import type { CachedRecord, Holder } from '../record.ts';
import { parseNetwork } from '../../token/network.ts';
import type { Caller } from '../caller.ts';
import { SERVER, Table, hashOf, holderOf } from '../simulation/table.ts';
import { IsolateVerifier } from './verifier.ts';
import type { Answer, Counts } from '../sync.ts';
import type { Context, Ports, Verification } from './verifier.ts';

const LEASE_MS = 1000;
const HUB_LEASE_MS = 10_000;
const A = hashOf('a');
const ACCEPTED = { ok: true, tokenId: 'a', organisationId: 'o', plan: 'enterprise' };
const INVALID = { ok: false, reason: 'invalid-token' };
const UNAVAILABLE = { ok: false, reason: 'verification-unavailable', retryAfter: 1 };
const never = () => new Promise<never>(() => undefined);
const after = (ms: number) =>
  new Promise<void>((done) => {
    setTimeout(done, ms);
  });

let table: Table;
let hub: Hub;
let cache: Map<TokenHash, CachedRecord>;
/** What went over the wire, and what the hub was told of calls. */
let io: string[];
let told: Counts[];
let waiting: Promise<unknown>[];
let ports: Ports;
let verifier: IsolateVerifier;

beforeEach(() => {
  vi.useFakeTimers();
  table = new Table();
  table.change('a', holderOf('a'));
  hub = new Hub(table, () => Date.now(), HUB_LEASE_MS);
  cache = new Map();
  [io, told, waiting] = [[], [], []];
  ports = {
    now: () => Date.now(),
    sleep: after,
    hub: {
      sync: async (ask, counts) => {
        io.push('hub');
        await after(5);
        told.push(counts);
        const answer = await hub.sync(ask);
        // As the Durable Object around it does: before anybody has to wait for it.
        if (hub.isStale) hub.refresh().catch(() => undefined);
        return answer;
      },
    },
    cache: {
      get: async (hash) => {
        io.push('KV');
        await after(2);
        return cache.get(hash) ?? null;
      },
      put: async (hash, record) => cache.set(hash, record),
    },
    source: table,
    random: () => 0.5,
    isRead: () => false,
    leaseMs: LEASE_MS,
  };
  verifier = new IsolateVerifier(ports);
});
afterEach(() => void vi.useRealTimers());

const context: Context = { caller: SERVER, waitUntil: (promise) => void waiting.push(promise) };
const recall = (hash = A) => verifier.recall(hash, context);

/** One call, however it is answered, with time going on as it needs to. */
async function verify(hash = A, called = context): Promise<Verification> {
  const answer = Promise.resolve(verifier.recall(hash, called) ?? verifier.lookUp(hash, called));
  const progress = { isDone: false };
  void answer.finally(() => (progress.isDone = true));
  while (!progress.isDone) await vi.advanceTimersByTimeAsync(1);
  return answer;
}

function sumOf(all: Counts[], token = 'a') {
  const sum = { accepted: 0, refused: 0 };
  for (const counts of all) {
    const { accepted, refused } = counts.get(hashOf(token)) ?? { accepted: 0, refused: 0 };
    sum.accepted += accepted;
    sum.refused += refused;
  }
  return sum;
}

describe('a secret that has an end', () => {
  const END = '2026-03-01T12:00:00.000Z';
  beforeEach(() => {
    vi.setSystemTime('2026-03-01T11:59:50Z');
    table.change('a', { ...holderOf('a'), expiresAt: Date.parse(END) });
  });

  it('says when it ends, and is refused from that instant on, also from memory and while everything else is down', async () => {
    const accepted = { ...ACCEPTED, expiresAt: END };
    expect(await verify()).toEqual(accepted);
    while (Date.now() < Date.parse(END) - 10) {
      expect(await verify()).toEqual(accepted);
      await vi.advanceTimersByTimeAsync(50);
    }
    await verify();
    vi.setSystemTime(Date.parse(END) - 1);
    expect(recall()).toEqual(accepted);
    table.isAway = true;
    vi.setSystemTime(Date.parse(END));
    expect(recall()).toEqual(INVALID);
  });

  it('keeps its end in KV, for an isolate that finds it there', async () => {
    await verify();
    verifier = new IsolateVerifier(ports);
    io = [];
    expect(await verify()).toEqual({ ...ACCEPTED, expiresAt: END });
    expect(io).toEqual(['KV', 'hub']);
    vi.setSystemTime(END);
    verifier = new IsolateVerifier(ports);
    expect(await verify()).toEqual(INVALID);
  });

  it('is judged by the clock of the isolate when the answer is given: a call that waited past the end is refused', async () => {
    ports.hub.sync = never;
    vi.setSystemTime(Date.parse(END) - 500);
    expect(await verify()).toEqual(INVALID);
  });

  it('does not make an inactive token, or one on another plan, work', async () => {
    const end = { expiresAt: Date.parse(END) };
    table.change('a', { ...holderOf('a', false), ...end });
    expect(await verify()).toEqual(INVALID);
    table.change('a', { ...holderOf('a'), plan: 'pro', ...end });
    hub = new Hub(table, () => Date.now(), HUB_LEASE_MS);
    verifier = new IsolateVerifier(ports);
    expect(await verify()).toMatchObject({ reason: 'enterprise-plan-required' });
    vi.setSystemTime(END);
    expect(await verify()).toEqual(INVALID);
  });
});

describe('an organisation that is paused', () => {
  const PAUSED = { ok: false, reason: 'organisation-paused', tokenId: 'a', organisationId: 'o' };
  const paused = (more: Partial<Holder> = {}): Holder => ({ ...holderOf('a'), isPaused: true, ...more });
  const judged = async (holder: Holder, caller: Partial<Caller> = {}) => {
    table.change('a', holder);
    hub = new Hub(table, () => Date.now(), HUB_LEASE_MS);
    verifier = new IsolateVerifier(ports);
    return verify(A, { ...context, caller: { ...SERVER, ...caller } });
  };

  it('has its tokens refused with that reason, and the calls counted; afterwards they work again', async () => {
    expect(await judged(paused())).toEqual({ ...PAUSED, plan: 'enterprise' });
    await vi.advanceTimersByTimeAsync(15_000);
    expect(sumOf(told)).toEqual({ accepted: 0, refused: 1 });
    expect(await judged(holderOf('a'))).toEqual(ACCEPTED);
  });

  it('is told before its plan, and after everything that makes a token unknown', async () => {
    expect(await judged(paused({ plan: 'pro' }))).toEqual({ ...PAUSED, plan: 'pro' });
    expect(await judged(paused({ active: false }))).toEqual(INVALID);
    expect(await judged(paused({ expiresAt: Date.now() - 1 }))).toEqual(INVALID);
    const network = parseNetwork('203.0.113.0/24');
    if (network === null) throw new Error('no network');
    const limited = paused({
      limits: { access: 'read', paths: [], networks: [network], origins: ['https://shop.example'] },
    });
    expect(await judged(limited, { address: '198.51.100.7' })).toEqual(INVALID);
    const inside = { address: '203.0.113.7' };
    expect(await judged(limited, { ...inside, origin: 'https://other.example' })).toEqual(INVALID);
    // Before what the call may do: also where the caller judges that itself.
    expect(await judged(limited, { ...inside, method: 'POST' })).toMatchObject(PAUSED);
    expect(await judged(limited, { ...inside, judgesScope: true })).toMatchObject(PAUSED);
  });

  it('is kept in KV as paused, for an isolate that finds it there', async () => {
    await judged(paused());
    verifier = new IsolateVerifier(ports);
    io = [];
    expect(await verify()).toMatchObject(PAUSED);
    expect(io).toEqual(['KV', 'hub']);
  });
});

it('calls are counted by secret, each with its token', async () => {
  table.change('b', holderOf('a'));
  await verify(A);
  await verify(hashOf('b'));
  recall(hashOf('b'));
  await vi.advanceTimersByTimeAsync(15_000);
  expect([sumOf(told), sumOf(told, 'b')]).toEqual([
    { accepted: 1, refused: 0 },
    { accepted: 2, refused: 0 },
  ]);
  expect(new Set(told.flatMap((counts) => [...counts.values()].map(({ tokenId }) => tokenId)))).toEqual(
    new Set(['a']),
  );
});

describe('a token that is remembered', () => {
  it('is answered at once, and a thousand times without any I/O', async () => {
    expect(await verify()).toEqual(ACCEPTED);
    io = [];
    for (let call = 0; call < 1000; call++) expect(recall()).toEqual(ACCEPTED);
    expect(io).toEqual([]);
  });

  it('is never answered from memory once the lease is over', async () => {
    const from = Date.now();
    await verify();
    // Counted from before the call, so the way there and back is gone.
    vi.setSystemTime(from + 2 + LEASE_MS - 1);
    expect(recall()).toEqual(ACCEPTED);
    vi.setSystemTime(from + 2 + LEASE_MS);
    expect(recall()).toBeUndefined();
  });

  it('is answered under the shorter lease of the two', async () => {
    await verify();
    table.isAway = true;
    // 300 ms before the hub's own lease ends.
    await vi.advanceTimersByTimeAsync(HUB_LEASE_MS - 300);
    expect(await verify()).toEqual(ACCEPTED);
    await vi.advanceTimersByTimeAsync(290);
    expect(recall()).toBeUndefined();
  });

  it('renews the lease in the background, by one request of many, so that none waits', async () => {
    await verify();
    io = [];
    for (let ms = 0; ms < 10_000; ms++) {
      for (let call = 0; call < 5; call++) expect(recall()).toEqual(ACCEPTED);
      await vi.advanceTimersByTimeAsync(1);
    }
    expect(new Set(io)).toEqual(new Set(['hub']));
    // Half a lease apart, and a few that tell what was counted.
    expect(io.length).toBeGreaterThanOrEqual(19);
    expect(io.length).toBeLessThanOrEqual(22);
  });

  it('is not asked for again when others are', async () => {
    table.change('b', holderOf('b'));
    await verify();
    await verify(hashOf('b'));
    table.change('b', holderOf('b', false));
    await hub.advance(table.head);
    await vi.advanceTimersByTimeAsync(LEASE_MS);
    const { reads } = table;
    io = [];
    expect(await verify()).toEqual(ACCEPTED);
    expect(io).toEqual(['hub']);
    expect(await verify(hashOf('b'))).toEqual(INVALID);
    expect(table.reads).toBe(reads + 1);
  });

  it('may be one without a row, which is asked of the database once', async () => {
    expect(await verify(hashOf('deleted'))).toEqual(INVALID);
    const { reads } = table;
    for (let ms = 0; ms < 5000; ms++) {
      expect(await verify(hashOf('deleted'))).toEqual(INVALID);
      await vi.advanceTimersByTimeAsync(1);
    }
    expect(table.reads).toBe(reads);
  });
});

describe('an isolate that starts after a change of another token', () => {
  it.each([
    ['an active token', 'a', ACCEPTED],
    ['a secret that no row knows', 'deleted', INVALID],
  ])('remembers %s that the hub had read before', async (_, name, said) => {
    await verify(hashOf(name));
    table.change('other', holderOf('other'));
    await hub.advance(table.head);
    cache.clear();
    verifier = new IsolateVerifier(ports);
    expect(await verify(hashOf(name))).toEqual(said);
    expect(recall(hashOf(name))).toEqual(said);
  });
});

describe('secrets without a row', () => {
  it('cost the hub a bounded number of look-ups when thousands are asked for, and are unavailable until time has passed', async () => {
    let refused = 0;
    for (let index = 0; index < 300; index++) {
      const answer = await verify(hashOf(`deleted ${index}`));
      if (answer.ok || answer.reason !== 'invalid-token') refused++;
    }
    // Each look-up takes some 7 ms here, in which 0.04 more are granted.
    expect(refused).toBeGreaterThan(150);
    expect(table.reads).toBeLessThan(150);
    io = [];
    expect(await verify(hashOf('deleted too'))).toEqual(UNAVAILABLE);
    expect(io).toEqual(['KV']);
    // What is known to be without a row is refused as ever.
    expect(await verify(hashOf('deleted 1'))).toEqual(INVALID);
    await vi.advanceTimersByTimeAsync(1000);
    expect(await verify(hashOf('deleted too'))).toEqual(INVALID);
  });

  it('count once, even if a thousand calls ask for the same one at the same time', async () => {
    const one = hashOf('deleted');
    const answers = Array.from({ length: 1000 }, () => verifier.lookUp(one, context));
    await vi.advanceTimersByTimeAsync(100);
    expect(new Set((await Promise.all(answers)).map(({ ok }) => ok))).toEqual(new Set([false]));
    expect(await verify(hashOf('another'))).toEqual(INVALID);
  });

  it('do not affect tokens: one in memory is answered at once, and one in KV is looked up', async () => {
    await verify();
    table.change('b', holderOf('b'));
    await hub.advance(table.head);
    cache.set(hashOf('b'), { asOf: table.head, holder: holderOf('b') });
    for (let index = 0; index < 300; index++) await verify(hashOf(`deleted ${index}`));
    await verify();
    expect(recall()).toEqual(ACCEPTED);
    expect(await verify(hashOf('b'))).toMatchObject({ ok: true, tokenId: 'b' });
  });
});

describe('when KV', () => {
  it.each([
    ['hangs', never],
    ['fails', () => Promise.reject(new Error('KV: down'))],
    ['has nothing', () => Promise.resolve(null)],
    [
      'answers with a change that was never committed',
      () => Promise.resolve({ asOf: { seq: 900, nonce: 'x' }, holder: holderOf('evil') }),
    ],
  ])('%s, the hub’s answer counts', async (_, get) => {
    ports.cache.get = get;
    const from = Date.now();
    expect(await verify()).toEqual(ACCEPTED);
    expect(Date.now() - from).toBeLessThan(270);
  });

  it('answers an old record, it is not accepted', async () => {
    cache.set(A, { asOf: table.head, holder: holderOf('a') });
    table.change('a', holderOf('a', false));
    await hub.advance(table.head);
    expect(await verify()).toEqual(INVALID);
  });

  it('answers a record that still holds, without a question to the database', async () => {
    cache.set(A, { asOf: table.head, holder: holderOf('a') });
    expect(await verify()).toEqual(ACCEPTED);
    expect(table.reads).toBe(0);
  });

  it('takes no write, the call is answered all the same', async () => {
    ports.cache.put = () => Promise.reject(new Error('KV: 429'));
    expect(await verify()).toEqual(ACCEPTED);
    await Promise.all(waiting.slice(0, 1));
  });
});

describe('when the hub', () => {
  it.each([
    ['hangs', never, 2010],
    ['fails', () => Promise.reject(new Error('unreachable')), 10],
  ])('%s, the database is asked, and gives the lease', async (_, sync, ms) => {
    ports.hub.sync = sync;
    const from = Date.now();
    expect(await verify()).toEqual(ACCEPTED);
    expect(Date.now() - from).toBeLessThanOrEqual(ms);
    const { reads } = table;
    expect(recall()).toEqual(ACCEPTED);
    table.change('a', holderOf('a', false));
    await vi.advanceTimersByTimeAsync(LEASE_MS);
    expect(await verify()).toEqual(INVALID);
    expect(table.reads).toBe(reads + 1);
  });

  it('is away, an isolate learns of all changes from the database, not only of the token that is asked for', async () => {
    table.change('b', holderOf('b'));
    await verify();
    await verify(hashOf('b'));
    ports.hub.sync = () => Promise.reject(new Error('unreachable'));
    table.change('b', holderOf('b', false));
    await vi.advanceTimersByTimeAsync(LEASE_MS);
    expect(await verify()).toEqual(ACCEPTED);
    // The lease that `a` has taken covers `b` as well.
    expect(await verify(hashOf('b'))).toEqual(INVALID);
  });

  it('hangs, its callers wait for it once, and then ask the database at once, until it is tried again', async () => {
    await verify();
    const { sync } = ports.hub;
    ports.hub.sync = never;
    const waits: number[] = [];
    for (let call = 0; call < 6; call++) {
      await vi.advanceTimersByTimeAsync(LEASE_MS);
      const from = Date.now();
      expect(await verify()).toEqual(ACCEPTED);
      waits.push(Date.now() - from);
    }
    expect(waits[0]).toBeGreaterThanOrEqual(2000);
    expect(waits[0]).toBeLessThanOrEqual(2010);
    expect(Math.max(...waits.slice(1, 4))).toBeLessThanOrEqual(1);
    ports.hub.sync = sync;
    await vi.advanceTimersByTimeAsync(5000);
    io = [];
    await verify();
    expect(io).toContain('hub');
  });

  it('was not told of a change because the Worker died after the commit, it reads the change within its own lease', async () => {
    await verify();
    table.change('a', holderOf('a', false));
    const from = Date.now();
    while ((await verify()).ok) await vi.advanceTimersByTimeAsync(20);
    expect(Date.now() - from).toBeLessThanOrEqual(HUB_LEASE_MS);
  });

  it('answers a reset, everything is forgotten and asked for again', async () => {
    await verify();
    hub = new Hub(table, () => Date.now(), HUB_LEASE_MS);
    table.change('a', holderOf('a', false));
    table.prune();
    await vi.advanceTimersByTimeAsync(LEASE_MS);
    expect(await verify()).toEqual(INVALID);
  });
});

describe('when the database', () => {
  it.each([
    ['fails', () => Promise.reject(new Error('D1_ERROR'))],
    ['hangs', never],
  ])(
    '%s and nothing is held, the call is unavailable, within seconds, and neither accepted nor refused',
    async (_, fail) => {
      vi.spyOn(table, 'read').mockImplementation(fail);
      vi.spyOn(table, 'newestChanges').mockImplementation(fail);
      const from = Date.now();
      expect(await verify()).toEqual(UNAVAILABLE);
      expect(Date.now() - from).toBeLessThan(8000);
    },
  );

  it('fails, calls are answered during the hub’s lease, then they are unavailable, and afterwards they are answered again', async () => {
    await verify();
    table.isAway = true;
    const from = Date.now();
    let last = from;
    for (let ms = 0; ms < 12_000; ms += 50) {
      const said = await verify();
      if (said.ok) last = Date.now();
      expect([ACCEPTED, UNAVAILABLE]).toContainEqual(said);
      await vi.advanceTimersByTimeAsync(50);
    }
    expect(last - from).toBeGreaterThan(HUB_LEASE_MS - LEASE_MS);
    expect(last - from).toBeLessThanOrEqual(HUB_LEASE_MS);
    table.isAway = false;
    // What failed is not asked again for three quarters of a second at most.
    await vi.advanceTimersByTimeAsync(750);
    expect(await verify()).toEqual(ACCEPTED);
  });

  it('was restored, a token that came back is accepted and a token that was lost is refused', async () => {
    const backup = table.backup();
    table.change('a', null);
    table.change('late', holderOf('late'));
    expect(await verify()).toEqual(INVALID);
    expect((await verify(hashOf('late'))).ok).toBe(true);
    table.restore(backup);
    await vi.advanceTimersByTimeAsync(HUB_LEASE_MS + LEASE_MS);
    expect(await verify()).toEqual(ACCEPTED);
    expect(await verify(hashOf('late'))).toEqual(INVALID);
  });
});

describe('an isolate that is behind', () => {
  it.each([
    ['the hub', false],
    ['the database itself', true],
  ])(
    'learns thousands of changes from %s and keeps the records that none of them is about',
    async (_, isHubAway) => {
      await verify();
      if (isHubAway) ports.hub.sync = () => Promise.reject(new Error('unreachable'));
      for (let index = 0; index < 20_000; index++) table.change(index, null);
      if (!isHubAway) await hub.advance(table.head);
      const { generation } = verifier.memory;
      const { reads } = table;
      await vi.advanceTimersByTimeAsync(LEASE_MS);
      expect(await verify()).toEqual(ACCEPTED);
      expect(verifier.memory.generation).toBe(generation);
      expect(verifier.memory.head).toEqual(table.head);
      expect(table.reads).toBe(reads);
    },
  );
});

describe('calls that come together when the lease is over', () => {
  /** So many calls at once; answers how long the slowest took. */
  async function verifyTogether(count: number): Promise<{ answers: Verification[]; ms: number }> {
    const from = Date.now();
    const calls = Promise.all(Array.from({ length: count }, () => verifier.lookUp(A, context)));
    const progress = { isDone: false };
    void calls.finally(() => (progress.isDone = true));
    while (!progress.isDone) await vi.advanceTimersByTimeAsync(1);
    return { answers: await calls, ms: Date.now() - from };
  }

  beforeEach(async () => {
    await verify();
    await vi.advanceTimersByTimeAsync(LEASE_MS);
    io = [];
  });

  it('are answered by one renewal', async () => {
    const { answers, ms } = await verifyTogether(500);
    expect(new Set(answers.map(({ ok }) => ok))).toEqual(new Set([true]));
    expect(io).toEqual(['hub']);
    // The hub takes 5 ms; the others look again every 10 ms.
    expect(ms).toBeLessThanOrEqual(12);
  });

  it('are answered by one renewal, even if its answer comes after the lease', async () => {
    const { sync } = ports.hub;
    ports.hub.sync = async (ask, counts) => {
      const answer = await sync(ask, counts);
      await after(LEASE_MS + 500);
      return answer;
    };
    const { answers } = await verifyTogether(500);
    expect(new Set(answers.map(({ ok }) => ok))).toEqual(new Set([true]));
    expect(io).toEqual(['hub']);
    expect(recall()).toBeUndefined();
  });

  it('are answered by one read of the database when the hub is away, and the record is not read again', async () => {
    ports.hub.sync = () => Promise.reject(new Error('unreachable'));
    table.slow = after(300);
    table.pages = [];
    const { reads } = table;
    const { answers } = await verifyTogether(500);
    expect(new Set(answers.map(({ ok }) => ok))).toEqual(new Set([true]));
    expect(table.pages).toHaveLength(1);
    expect(table.reads).toBe(reads);
  });

  it('do not ask a hub and a database that failed again before a rest', async () => {
    let asked = 0;
    ports.hub.sync = () => {
      asked++;
      return Promise.reject(new Error('unreachable'));
    };
    table.isAway = true;
    table.pages = [];
    for (let ms = 0; ms < 2500; ms += 5) {
      expect(await verifier.lookUp(A, context)).toEqual(UNAVAILABLE);
      await vi.advanceTimersByTimeAsync(5);
    }
    // Half a second each: `random` is in the middle.
    expect(asked).toBe(5);
    expect(table.pages).toHaveLength(5);
  });
});

describe('a database that is restored while it is read', () => {
  it('gives record and changes from two pasts, and the record is not kept', async () => {
    await verify(hashOf('b'));
    table.change('b', holderOf('b'));
    const backup = table.backup();
    ports.hub.sync = () => Promise.reject(new Error('unreachable'));
    vi.setSystemTime(Date.now() + LEASE_MS);
    await verify(hashOf('b'));
    // The same number twice: in the past that is lost it says nothing of this token, in the other one it switches it off.
    table.change('c', holderOf('c'));
    const record = await table.read([A]);
    table.restore(backup);
    table.change('a', holderOf('a', false));
    vi.spyOn(table, 'read').mockResolvedValueOnce(record);
    vi.setSystemTime(Date.now() + LEASE_MS);
    await verify();
    expect(await verify()).toEqual(INVALID);
  });
});

describe('an answer that was overtaken by one of another past', () => {
  it('serves its own call, and neither its record nor its changes are kept', async () => {
    await verify(hashOf('b'));
    const backup = table.backup();
    table.change('a', holderOf('a'));
    const { sync } = ports.hub;
    // An answer of the past that will be lost, on its way for a second.
    ports.hub.sync = async (ask, counts) => {
      const answer = await sync(ask, counts);
      await after(1000);
      return answer;
    };
    const overtaken = verifier.lookUp(A, context);
    await vi.advanceTimersByTimeAsync(20);
    ports.hub.sync = sync;
    table.restore(backup);
    table.change('b', holderOf('b', false));
    table.restore({
      ...table.backup(),
      holders: new Map([...table.backup().holders, [A, holderOf('a', false)]]),
    });
    hub = new Hub(table, () => Date.now(), HUB_LEASE_MS);
    vi.setSystemTime(Date.now() + LEASE_MS);
    expect(await verify(hashOf('b'))).toEqual(INVALID);
    await vi.advanceTimersByTimeAsync(1000);
    expect(await overtaken).toEqual(ACCEPTED);
    expect(await verify()).toEqual(INVALID);
  });
});

describe('what was counted', () => {
  it('is sent with the syncs, and the rest is sent when calls stop', async () => {
    table.change('b', holderOf('b', false));
    await verify(hashOf('b'));
    for (let call = 0; call < 300; call++) {
      await verify();
      await vi.advanceTimersByTimeAsync(7);
    }
    for (let call = 0; call < 5; call++) recall();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sumOf(told)).toEqual({ accepted: 305, refused: 0 });
    expect(sumOf(told, 'b')).toEqual({ accepted: 0, refused: 1 });
    io = [];
    await vi.advanceTimersByTimeAsync(600_000);
    expect(io).toEqual([]);
  });

  it('is kept while the hub is away, and told once it is back', async () => {
    await verify();
    const { sync } = ports.hub;
    ports.hub.sync = () => Promise.reject(new Error('unreachable'));
    for (let call = 0; call < 20; call++) {
      await verify();
      await vi.advanceTimersByTimeAsync(300);
    }
    ports.hub.sync = sync;
    for (let call = 0; call < 5; call++) {
      await verify();
      await vi.advanceTimersByTimeAsync(300);
    }
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sumOf(told)).toEqual({ accepted: 26, refused: 0 });
  });
});

describe('a caller who hangs up', () => {
  it('does not end its question to the hub, which has the counts of other calls', async () => {
    await verify();
    for (let call = 0; call < 9; call++) recall();
    await vi.advanceTimersByTimeAsync(LEASE_MS - 100);
    vi.setSystemTime(Date.now() + LEASE_MS);
    [told, waiting] = [[], []];
    // No call waits for the answer itself.
    void verifier.lookUp(A, context);
    expect(waiting).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(50);
    await Promise.all(waiting.slice(0, 1));
    expect(sumOf(told)).toEqual({ accepted: 10, refused: 0 });
  });
});

describe('many tokens that change together', () => {
  it('are all answered by two reads of the database, even if the hub is too slow for each of them', async () => {
    const names = Array.from({ length: 10 }, (_, index) => `token ${index}`);
    for (const name of names) table.change(name, holderOf(name));
    for (const name of names) await verify(hashOf(name));
    // As a change of a plan does: each of them is unknown from now on.
    for (const name of names) table.change(name, holderOf(name, false));
    await hub.refresh();
    const { sync } = ports.hub;
    ports.hub.sync = async (ask, counts) => {
      if (ask.hash !== undefined) await after(2500);
      return sync(ask, counts);
    };
    await vi.advanceTimersByTimeAsync(LEASE_MS);
    const direct: TokenHash[][] = [];
    ports.source = {
      read: async (hashes) => {
        direct.push(hashes);
        await after(400);
        return table.read(hashes);
      },
      changesFrom: async (seq, limit) => {
        await after(400);
        return table.changesFrom(seq, limit);
      },
    };
    const answers = Promise.all(names.map((name) => verifier.lookUp(hashOf(name), context)));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await answers).toEqual(names.map(() => INVALID));
    expect(direct.length).toBeLessThanOrEqual(2);
  });
});

describe('a thousand calls at once', () => {
  it('for a token that is new to the isolate and the region read the database twice at most', async () => {
    const answers = Promise.all(Array.from({ length: 1000 }, () => verifier.lookUp(A, context)));
    await vi.advanceTimersByTimeAsync(50);
    expect((await answers).every(({ ok }) => ok)).toBe(true);
    expect(table.reads + table.pages.length).toBeLessThanOrEqual(2);
  });

  it('fill KV once', async () => {
    const put = vi.spyOn(ports.cache, 'put');
    const answers = Promise.all(Array.from({ length: 1000 }, () => verifier.lookUp(A, context)));
    await vi.advanceTimersByTimeAsync(50);
    await answers;
    expect(put).toHaveBeenCalledTimes(1);
  });

  it('are not sent to the database by a hub that is slow: what the first one learned there serves the others', async () => {
    const { sync } = ports.hub;
    let calls = 0;
    ports.hub.sync = (ask, counts) => (calls++ === 0 ? sync(ask, counts) : never());
    const answers = Promise.all(Array.from({ length: 1000 }, () => verifier.lookUp(A, context)));
    // The others wait for the hub until it is too late, while another call renews the lease.
    await vi.advanceTimersByTimeAsync(1900);
    calls = 0;
    void verifier.lookUp(A, context);
    await vi.advanceTimersByTimeAsync(500);
    expect((await answers).every(({ ok }) => ok)).toBe(true);
    expect(table.reads).toBeLessThanOrEqual(2);
  });

  it('share no promise: one whose answer never comes does not block the others', async () => {
    const { sync } = ports.hub;
    let calls = 0;
    ports.hub.sync = (ask, counts): Promise<Answer> => (calls++ === 0 ? never() : sync(ask, counts));
    const [first, ...others] = Array.from({ length: 20 }, () => verifier.lookUp(A, context));
    await vi.advanceTimersByTimeAsync(50);
    expect((await Promise.all(others)).every(({ ok }) => ok)).toBe(true);
    await vi.advanceTimersByTimeAsync(2100);
    expect((await first)?.ok).toBe(true);
  });
});
