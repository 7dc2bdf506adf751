import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { publishTo, publishChange } from './publish.ts';
import type { PublishPorts, Publishing } from './publish.ts';
import { REGIONS } from './region.ts';
import type { Hubs } from './region.ts';
import { leasesToWaitFor } from '../deployment/deployment.ts';
import { hashOf } from './simulation/table.ts';
import { termsOf } from './terms.ts';

const AT = Date.UTC(2026, 10, 25);
const HEAD = { seq: 7, nonce: 'n7' };
const LEASE_MS = 1000;
const HUB_LEASE_MS = 10_000;
/** 2 % for the rates of clocks, and 100 ms. */
const SHORT = LEASE_MS * 1.02 + 100;
const WORST = HUB_LEASE_MS * 1.02 + 100;

beforeEach(() => void vi.useFakeTimers({ now: AT }));
afterEach(() => void vi.useRealTimers());

const after = (ms: number) =>
  new Promise<void>((done) => {
    setTimeout(done, ms);
  });

/** Publishes a change; answers after how many ms it was answered, and who was told how often. */
async function answeredAfter(ports: Partial<PublishPorts>) {
  const told = new Map<string, number>();
  const { advance = () => after(20), ...others } = ports;
  let answer: { effectiveAt: string; took: number } | null = null;
  const published = publishChange(
    {
      now: () => Date.now(),
      sleep: after,
      places: REGIONS,
      advance: (region, head) => {
        expect(head).toEqual(HEAD);
        told.set(region, (told.get(region) ?? 0) + 1);
        return advance(region, head);
      },
      forget: () => Promise.resolve(),
      leaseMs: LEASE_MS,
      hubLeaseMs: HUB_LEASE_MS,
      ...others,
    },
    { head: HEAD, hashes: [hashOf('a'), hashOf('b')] },
  ).then(({ effectiveAt }) => (answer = { effectiveAt, took: Date.now() - AT }));
  await vi.advanceTimersByTimeAsync(20_000);
  await published;
  if (answer === null) throw new Error('never answered');
  const { effectiveAt, took } = answer as { effectiveAt: string; took: number };
  // The receipt names the instant of the answer itself.
  expect(effectiveAt).toBe(new Date(AT + took).toISOString());
  return { took, told };
}

describe('a change is answered', () => {
  it('a lease after the last of nine hubs has confirmed', async () => {
    const { took, told } = await answeredAfter({});
    expect(took).toBe(20 + SHORT);
    expect(told).toEqual(new Map(REGIONS.map((region) => [region, 1])));
  });

  it('when the slowest hub has confirmed', async () => {
    const { took } = await answeredAfter({ advance: (region) => after(region === 'oc' ? 3000 : 5) });
    expect(took).toBe(3000 + SHORT);
  });

  it('never later than the hubs’ own lease, which a hub that was not told cannot renew', async () => {
    const { took } = await answeredAfter({ advance: (region) => after(region === 'oc' ? 9500 : 5) });
    expect(took).toBe(WORST);
  });

  it('after a hub that failed twice has confirmed', async () => {
    let failures = 0;
    const { took, told } = await answeredAfter({
      advance: (region) => {
        if (region === 'me' && failures++ < 2) return Promise.reject(new Error('unreachable'));
        return after(20);
      },
    });
    expect(told.get('me')).toBe(3);
    expect(took).toBe(200 + 200 + 20 + SHORT);
  });

  it('after a hub that never answered the first time was told once more', async () => {
    let asked = 0;
    const { took, told } = await answeredAfter({
      advance: (region) =>
        region === 'afr' && asked++ === 0 ? new Promise<void>(() => undefined) : after(20),
    });
    expect(told.get('afr')).toBe(2);
    expect(took).toBe(2000 + 20 + SHORT);
  });

  it.each([
    ['hangs', () => new Promise<void>(() => undefined)],
    ['fails and fails', () => Promise.reject(new Error('unreachable'))],
  ])('after the hubs’ lease when one of them %s', async (_, advance) => {
    const { took } = await answeredAfter({
      advance: (region) => (region === 'sam' ? advance() : after(20)),
    });
    expect(took).toBe(WORST);
  });

  it.each([
    ['hangs', () => new Promise<void>(() => undefined)],
    ['fails', () => Promise.reject(new Error('KV: 429'))],
  ])('as soon when KV %s', async (_, forget) => {
    const forgotten: string[] = [];
    const { took } = await answeredAfter({
      forget: (hash) => {
        forgotten.push(hash);
        return forget();
      },
    });
    expect(took).toBe(20 + SHORT);
    expect(forgotten).toEqual(['a', 'b']);
  });
});

/** How long a change takes in a deployment with these settings, in ms. */
async function publishedIn(given: {
  namespace?: Hubs['namespace'];
  epoch?: number;
  leaseMsBefore?: number;
  hubLeaseMsBefore?: number;
}): Promise<number> {
  const { namespace = hubsThat((point) => after(20).then(() => point)), epoch = 1 } = given;
  const { leaseMsBefore = 0, hubLeaseMsBefore = 1 } = given;
  const publishing: Publishing = {
    hubs: { namespace, epoch, jurisdiction: null },
    cache: { delete: () => Promise.resolve() },
    ...leasesToWaitFor({ leaseMs: 500, leaseMsBefore, hubLeaseMs: 5000, hubLeaseMsBefore }),
    refuse: () => undefined,
  };
  const from = Date.now();
  const published = publishTo(publishing, { head: HEAD, hashes: [] }).then(() => Date.now());
  await vi.advanceTimersByTimeAsync(30_000);
  return (await published) - from;
}

/** Hubs whose `advance` answers so; `names` collects which were told. */
function hubsThat(advance: (point: object) => Promise<unknown>, names = new Set<string>()) {
  const getByName = (name: string) => {
    names.add(name);
    return { advance };
  };
  // The one method that is used of a namespace.
  return { getByName } as unknown as Hubs['namespace'];
}

describe('a hub of another release or another database', () => {
  it.each([
    ['a hub of the release before terms existed, which answers nothing', () => after(20)],
    ['a hub of a later release', () => after(20).then(() => ({ version: termsOf(1).version + 1, epoch: 1 }))],
    ['a hub of another database', () => after(20).then(() => ({ ...termsOf(2) }))],
  ])('confirms nothing: %s', async (_, advance) => {
    expect(await publishedIn({ namespace: hubsThat(advance) })).toBe(5000 * 1.02 + 100);
  });

  it('is not asked at all from the next epoch on', async () => {
    const [first, second] = [new Set<string>(), new Set<string>()];
    const confirm = (point: object) => Promise.resolve(point);
    await publishedIn({ namespace: hubsThat(confirm, first) });
    await publishedIn({ namespace: hubsThat(confirm, second), epoch: 2 });
    // The release before epochs tells the hubs of these names.
    expect([...first]).toEqual([...REGIONS]);
    expect([...second]).toEqual(REGIONS.map((region) => `${region}.2`));
  });
});

describe('KV', () => {
  const hashes = Array.from({ length: 10 }, (_, index) => hashOf(index));
  /** What happened, in order, and how many deletes were under way at most. */
  async function publishing(ports: Partial<PublishPorts>) {
    const seen: string[] = [];
    const progress = { underWay: 0, most: 0 };
    const { forget = () => after(50), advance = () => after(20) } = ports;
    void publishChange(
      {
        now: () => Date.now(),
        sleep: after,
        places: REGIONS,
        advance: async (region, head) => {
          await advance(region, head);
          seen.push('told');
        },
        forget: async (hash) => {
          seen.push('delete');
          progress.most = Math.max(progress.most, ++progress.underWay);
          await forget(hash);
          progress.underWay--;
        },
        leaseMs: LEASE_MS,
        hubLeaseMs: HUB_LEASE_MS,
      },
      { head: HEAD, hashes },
    ).then(() => seen.push('answered'));
    await vi.advanceTimersByTimeAsync(20_000);
    return { seen, ...progress };
  }

  it('is told after the hubs and before the answer, four deletes at a time', async () => {
    const { seen, most } = await publishing({});
    expect(seen).toEqual([...REGIONS.map(() => 'told'), ...hashes.map(() => 'delete'), 'answered']);
    expect(most).toBe(4);
  });

  it('is told even if a hub hangs', async () => {
    const { seen } = await publishing({
      advance: (region) => (region === 'oc' ? new Promise<void>(() => undefined) : after(20)),
    });
    expect(seen).toEqual([...REGIONS.slice(1).map(() => 'told'), ...hashes.map(() => 'delete'), 'answered']);
  });

  it('is not asked for more when it is slow', async () => {
    const { seen } = await publishing({ forget: () => after(600) });
    expect(seen.filter((what) => what === 'delete')).toHaveLength(8);
    expect(seen.at(-1)).toBe('answered');
  });
});

describe('where an isolate’s lease is longer than the hubs’', () => {
  it('a change is answered no sooner than the isolate’s, though no hub confirms', async () => {
    const { took } = await answeredAfter({
      advance: () => Promise.reject(new Error('unreachable')),
      leaseMs: HUB_LEASE_MS,
      hubLeaseMs: LEASE_MS,
    });
    expect(took).toBe(WORST);
  });
});

describe('a lease that a deployment shortened', () => {
  it('is waited for as long as it was before, while the old isolates may still run', async () => {
    expect(await publishedIn({})).toBe(20 + 500 * 1.02 + 100);
    expect(await publishedIn({ leaseMsBefore: 2000 })).toBe(20 + 2000 * 1.02 + 100);
    const namespace = hubsThat(() => Promise.reject(new Error('unreachable')));
    expect(await publishedIn({ namespace })).toBe(5000 * 1.02 + 100);
    expect(await publishedIn({ namespace, hubLeaseMsBefore: 8000 })).toBe(8000 * 1.02 + 100);
  });
});
