// A model of the time that verification adds to a call far from the database. Its input is published latencies. A seeded simulation
// of verification makes the tables of docs/scale.md (scale.ts).
import { median } from './statistics.ts';

/** A latency in milliseconds: its median, and the factor from the median to the 99th percentile. */
type Latency = { p50: number; tail: number };

/** The sources are in docs/scale.md, under the same names. */
const LATENCY = {
  memory: { p50: 0.03, tail: 3 },
  kvHot: { p50: 1, tail: 5 },
  kvCold: { p50: 180, tail: 2.5 },
  hubNear: { p50: 15, tail: 3 },
  sydneyEurope: { p50: 310, tail: 1.3 },
  statement: { p50: 1, tail: 5 },
  coldIsolate: { p50: 39, tail: 4 },
} satisfies Record<string, Latency>;

/** The deployment's settings, in milliseconds. */
export const LEASE = 1000;
export const HUB_LEASE = 10_000;
const KV_PATIENCE = 250;

const SEED = 20_261_123;
const DRAWS = 20_001;
export const CALLS = 40_000;

// Numerical Recipes' linear congruential generator: the tables must be the same on every machine.
let state = SEED;

/** Begins the numbers again, so that a table does not depend on the tables before it. */
export function restart(): void {
  state = SEED;
}

function random(): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return (state + 0.5) / 0x1_0000_0000;
}

/** A draw from a log-normal distribution: latencies have a long right tail. 2.326 is the normal 99th percentile. */
function draw({ p50, tail }: Latency): number {
  const normal = Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());
  return p50 * Math.exp((Math.log(tail) / 2.326) * normal);
}

const d1FromSydney = () => draw(LATENCY.sydneyEurope) + draw(LATENCY.statement);
const hub = () => draw(LATENCY.hubNear);
/** KV has 250 ms; a later answer counts as a miss that took 250 ms. */
const kv = (latency: Latency) => Math.min(KV_PATIENCE, draw(latency));

/** The time that verification adds to a call from Sydney, with D1 in western Europe and the hub in Oceania. */
const CASES: { title: string; path: string; cost: () => number }[] = [
  { title: 'busy isolate, known token', path: 'memory', cost: () => draw(LATENCY.memory) },
  {
    title: 'busy isolate, token new to it, known in the location',
    path: 'KV, then hub',
    cost: () => kv(LATENCY.kvHot) + hub(),
  },
  {
    title: 'idle isolate (lease over), busy region',
    path: 'hub',
    cost: () => hub() + draw(LATENCY.memory),
  },
  {
    title: 'idle isolate, idle region (the hub’s lease over too)',
    path: 'hub → D1',
    cost: () => hub() + d1FromSydney(),
  },
  {
    title: 'fresh isolate, region busy, token known to KV far away',
    path: 'start, KV, then hub',
    cost: () => draw(LATENCY.coldIsolate) + kv(LATENCY.kvCold) + hub(),
  },
  {
    title: 'first call ever of a token, region busy',
    path: 'KV miss, then hub → D1',
    cost: () => kv(LATENCY.kvCold) + hub() + d1FromSydney(),
  },
  {
    title: 'first call ever in the region',
    path: 'start, KV miss, then hub → D1 twice (its load, the record)',
    cost: () => draw(LATENCY.coldIsolate) + kv(LATENCY.kvCold) + hub() + d1FromSydney() + d1FromSydney(),
  },
  { title: 'for comparison: D1 on each call', path: 'D1', cost: d1FromSydney },
];

export function latencyTable(): string {
  const rows = CASES.map(({ title, path, cost }) => {
    const costs = Array.from({ length: DRAWS }, cost).toSorted((a, b) => a - b);
    const p99 = costs[Math.floor(0.99 * DRAWS)] ?? Number.NaN;
    return `| ${title} | ${path} | ${milliseconds(median(costs))} | ${milliseconds(p99)} |`;
  });
  return `| a call from Sydney, D1 in Europe | waits for | p50 | p99 |\n|---|---|---|---|\n${rows.join('\n')}`;
}

/** One isolate under calls at random times: the shares of calls that find a lease, wait for the hub, or wait for D1 behind it. */
export function isolate(perSecond: number): {
  memory: number;
  hub: number;
  d1: number;
  syncs: number;
  costs: number[];
} {
  let now = 0;
  let leaseEnd = 0;
  let renewing = 0;
  let hubLeaseEnd = 0;
  const tally = { memory: 0, hub: 0, d1: 0, syncs: 0, costs: [] as number[] };
  const sync = () => {
    tally.syncs++;
    const over = now > hubLeaseEnd;
    const took = hub() + (over ? d1FromSydney() : 0);
    // In the second half of its lease the hub reads D1 after its answer; a lease begins before the call that asks for it.
    if (now > hubLeaseEnd - HUB_LEASE / 2) hubLeaseEnd = now + HUB_LEASE;
    leaseEnd = Math.max(leaseEnd, now + LEASE);
    return took;
  };
  for (let call = 0; call < CALLS; call++) {
    now += (-1000 / perSecond) * Math.log(random());
    if (now < leaseEnd) {
      tally.memory++;
      tally.costs.push(draw(LATENCY.memory));
      // In the second half of the lease, one call renews it after its answer.
      if (now > leaseEnd - LEASE / 2 && now > renewing) renewing = now + sync();
    } else {
      const far = now > hubLeaseEnd;
      tally[far ? 'd1' : 'hub']++;
      tally.costs.push(sync());
    }
  }
  return tally;
}

const RATES = [0.01, 0.1, 1, 10, 100];

export function loadTable(): string {
  const rows = RATES.map((rate) => {
    const { memory, hub: near, d1, costs } = isolate(rate);
    const mean = costs.reduce((sum, cost) => sum + cost, 0) / CALLS;
    return `| ${rate} | ${percent(memory)} | ${percent(near)} | ${percent(d1)} | ${milliseconds(mean)} |`;
  });
  return `| calls a second in the isolate | from memory | wait for the hub | wait for D1 behind it | mean |\n|---|---|---|---|---|\n${rows.join('\n')}`;
}

const percent = (count: number) =>
  `${((100 * count) / CALLS).toFixed(count / CALLS > 0.995 || count / CALLS < 0.005 ? 2 : 0)} %`;

function milliseconds(value: number): string {
  if (value < 1) return `${value.toFixed(2)} ms`;
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
}
