// The figures of docs/scale.md: the cost of a call far from the database, in time and in money, and what breaks first.
// A model: published latencies and prices are the input, a seeded simulation of verification makes the tables.
//   node bench/latency-model.ts            prints the tables
//   node bench/latency-model.ts --write    puts them into docs/scale.md
//   node bench/latency-model.ts --check    fails when docs/scale.md has other figures
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { median } from './statistics.ts';

/** A latency in milliseconds: its median, and the factor from the median to the 99th percentile. */
type Latency = { p50: number; tail: number };

/** The sources are in docs/scale.md, under the same names. */
const LATENCY = {
  memory: { p50: 0.02, tail: 3 },
  kvHot: { p50: 1, tail: 5 },
  kvCold: { p50: 180, tail: 2.5 },
  hubNear: { p50: 15, tail: 3 },
  sydneyEurope: { p50: 310, tail: 1.3 },
  statement: { p50: 1, tail: 5 },
  coldIsolate: { p50: 25, tail: 4 },
} satisfies Record<string, Latency>;

/** The deployment's settings, in milliseconds. */
const LEASE = 1000;
const HUB_LEASE = 10_000;
const KV_PATIENCE = 250;

const SEED = 20_261_123;
const DRAWS = 20_001;
const CALLS = 40_000;

// Numerical Recipes' linear congruential generator: the tables must be the same on every machine.
let state = SEED;
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

/** What verification adds to a call from Sydney, D1 in western Europe, the hub in Oceania. */
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

function latencyTable(): string {
  const rows = CASES.map(({ title, path, cost }) => {
    const costs = Array.from({ length: DRAWS }, cost).toSorted((a, b) => a - b);
    const p99 = costs[Math.floor(0.99 * DRAWS)] ?? Number.NaN;
    return `| ${title} | ${path} | ${milliseconds(median(costs))} | ${milliseconds(p99)} |`;
  });
  return `| a call from Sydney, D1 in Europe | waits for | p50 | p99 |\n|---|---|---|---|\n${rows.join('\n')}`;
}

/** One isolate under calls at random times: the shares of calls that find a lease, wait for the hub, or wait for D1 behind it. */
function isolate(perSecond: number): {
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

function loadTable(): string {
  const rows = RATES.map((rate) => {
    const { memory, hub: near, d1, costs } = isolate(rate);
    const mean = costs.reduce((sum, cost) => sum + cost, 0) / CALLS;
    return `| ${rate} | ${percent(memory)} | ${percent(near)} | ${percent(d1)} | ${milliseconds(mean)} |`;
  });
  return `| calls a second in the isolate | from memory | wait for the hub | wait for D1 behind it | mean |\n|---|---|---|---|---|\n${rows.join('\n')}`;
}

const percent = (count: number) =>
  `${((100 * count) / CALLS).toFixed(count / CALLS > 0.995 || count / CALLS < 0.005 ? 2 : 0)} %`;

/** US dollars, from Cloudflare's pages in 2026 (docs/scale.md names them). */
const PRICE = {
  request: 0.3 / 1e6,
  cpuMillisecond: 0.02 / 1e6,
  hubRequest: 0.15 / 1e6,
  gigabyteSecond: 12.5 / 1e6,
  kvRead: 0.5 / 1e6,
  kvWrite: 5 / 1e6,
  kvDelete: 5 / 1e6,
  rowRead: 0.001 / 1e6,
  rowWritten: 1 / 1e6,
  /** Workers Logs, beyond the 20 million lines a month that are included. */
  logLine: 0.6 / 1e6,
};
const CPU_PER_CALL = 0.5;
/** A Durable Object is billed as 128 MB while it is awake. */
const HUB_GIGABYTES = 0.128;
/** The seconds for which a sync keeps a hub awake (change-hub.ts): five until it saves its counts, ten until it hibernates, and ten
 * more after the alarm that writes them. Asleep, it costs nothing. */
const HUB_LINGERS = 25;
const MONTH = 30 * 86_400;

type Traffic = {
  title: string;
  perSecond: number;
  isolates: number;
  regions: number;
  activeTokens: number;
  missShare: number;
};

/** The cost of verification for a million calls, after the included amounts are used up. */
function perMillion({ perSecond, isolates, regions, activeTokens, missShare }: Traffic) {
  const seconds = 1e6 / perSecond;
  const perIsolate = perSecond / isolates;
  const { syncs } = isolate(perIsolate);
  const syncsPerCall = syncs / CALLS;
  const worker = 1e6 * (PRICE.request + CPU_PER_CALL * PRICE.cpuMillisecond);
  const hubCalls = 1e6 * (syncsPerCall + missShare * 2) * PRICE.hubRequest;
  const awake = 1 - Math.exp(-((perSecond * syncsPerCall) / regions) * HUB_LINGERS);
  // Its time, and every five seconds a row in its own storage for the counts of the next minute.
  const hubTime = seconds * regions * awake * (HUB_GIGABYTES * PRICE.gigabyteSecond + PRICE.rowWritten / 5);
  const kvCost = 1e6 * missShare * (PRICE.kvRead + PRICE.kvWrite / 2);
  // Once a minute and region, one row per token that called and one for its last use.
  const rows = Math.min(1e6, (seconds / 60) * activeTokens) * 2;
  const d1 = rows * PRICE.rowWritten + (seconds * regions * awake * 1000 * 2 * PRICE.rowRead) / HUB_LEASE;
  const sum = worker + hubCalls + hubTime + kvCost + d1;
  return { worker, hub: hubCalls + hubTime, kv: kvCost, d1, sum, logged: sum + 1e6 * PRICE.logLine };
}

const TRAFFIC: Traffic[] = [
  {
    title: 'one service, 1 call a second, one region',
    perSecond: 1,
    isolates: 1,
    regions: 1,
    activeTokens: 1,
    missShare: 0.0005,
  },
  {
    title: '100 calls a second, 50 tokens, three regions',
    perSecond: 100,
    isolates: 10,
    regions: 3,
    activeTokens: 50,
    missShare: 0.001,
  },
  {
    title: '10,000 calls a second, 5,000 tokens, nine regions',
    perSecond: 10_000,
    isolates: 200,
    regions: 9,
    activeTokens: 5000,
    missShare: 0.001,
  },
];

function costTable(): string {
  const rows = TRAFFIC.map((traffic) => {
    const { worker, hub: hubs, kv: cache, d1, sum, logged } = perMillion(traffic);
    const month = (traffic.perSecond * MONTH) / 1e6;
    return `| ${traffic.title} | ${[worker, hubs, cache, d1, sum].map(dollars).join(' | ')} | ${dollars(sum * month)} | ${dollars(logged)} |`;
  });
  return `| US$ per million calls | Worker | hubs | KV | D1 | sum | a month of it | sum with \`LOG = "all"\` |\n|---|---|---|---|---|---|---|---|\n${rows.join('\n')}`;
}

/** Rows that D1 counts as written, indexes included: an event has six indexes, a change of a token two, a token four. */
const EVENT_ROWS = 7;
const CHANGE_ROWS = 3;
const CREATE_ROWS = 5;

function changeTable(): string {
  const told = REGIONS * PRICE.hubRequest + PRICE.kvDelete;
  const reads = 60 * PRICE.rowRead;
  const request = PRICE.request + 3 * PRICE.cpuMillisecond + reads;
  const rows: [string, number][] = [
    ['a token is switched', request + told + (1 + EVENT_ROWS + CHANGE_ROWS) * PRICE.rowWritten],
    ['a token is created', request + (CREATE_ROWS + EVENT_ROWS + CHANGE_ROWS) * PRICE.rowWritten],
    [
      'an organisation with ten tokens changes its plan',
      request +
        REGIONS * PRICE.hubRequest +
        10 * PRICE.kvDelete +
        (3 + EVENT_ROWS + 10 * CHANGE_ROWS) * PRICE.rowWritten,
    ],
    ['a repeat that changes nothing', request],
    ['the same, 40 in a call', request / 40],
  ];
  const lines = rows.map(([what, cost]) => `| ${what} | ${dollars(cost * 1e6)} |`);
  return `| US$ per million changes | |\n|---|---|\n${lines.join('\n')}`;
}

/** Free plan, per day (Cloudflare's pricing pages, 2026). */
const FREE = {
  requests: 100_000,
  hubRequests: 100_000,
  gigabyteSeconds: 13_000,
  kvReads: 100_000,
  kvWrites: 1000,
  rowsRead: 5e6,
  rowsWritten: 100_000,
  kvDeletes: 1000,
  logLines: 200_000,
  statements: 50,
  megabytes: 500,
};
/** One statement of the hourly clean-up (worker/upkeep/prune.ts). */
const PRUNED_ROWS = 2000;

function freeTable(): string {
  const perDay = 86_400;
  const hubDay = perDay * HUB_GIGABYTES;
  const syncsAtOneASecond = isolate(1).syncs / CALLS;
  const rows: [string, string, string][] = [
    [
      'Worker requests',
      FREE.requests.toLocaleString('en'),
      `${FREE.requests.toLocaleString('en')} calls: **this ends first**`,
    ],
    [
      'hub requests',
      FREE.hubRequests.toLocaleString('en'),
      `${Math.round(FREE.hubRequests / syncsAtOneASecond).toLocaleString('en')} calls at one a second (${syncsAtOneASecond.toFixed(2)} syncs a call), no bound worth naming for bursts`,
    ],
    [
      'hub time, GB-s',
      FREE.gigabyteSeconds.toLocaleString('en'),
      `one hub awake all day takes ${Math.round(hubDay).toLocaleString('en')}: a second busy region ends it`,
    ],
    [
      'KV reads / writes',
      `${FREE.kvReads.toLocaleString('en')} / ${FREE.kvWrites.toLocaleString('en')}`,
      'one of each per token that an isolate meets for the first time; a refused write costs speed; answers stay right',
    ],
    [
      'D1 rows read',
      FREE.rowsRead.toLocaleString('en'),
      `${Math.round((2 * perDay * 1000) / HUB_LEASE).toLocaleString('en')} for one hub awake all day`,
    ],
    [
      'KV deletes',
      FREE.kvDeletes.toLocaleString('en'),
      'one for each change of a token; a refused one costs speed, never correctness',
    ],
    [
      'lines in Workers Logs',
      FREE.logLines.toLocaleString('en'),
      'all requests of the day with `LOG = "all"`; with `errors` next to none',
    ],
    [
      'statements in a run',
      String(FREE.statements),
      `the hourly clean-up removes ${((FREE.statements - 10) * PRUNED_ROWS).toLocaleString('en')} rows; an export holds 200,000 events`,
    ],
    [
      'size of D1',
      `${FREE.megabytes} MB`,
      `${(Math.round((FREE.megabytes * 1e6) / BYTES_PER_EVENT / 1000) * 1000).toLocaleString('en')} events and nothing else, or ${Math.round((FREE.megabytes * 1e6) / (BYTES_PER_ORGANISATION + 3 * BYTES_PER_TOKEN) / 1000) * 1000} organisations with three tokens each`,
    ],
    [
      'D1 rows written',
      FREE.rowsWritten.toLocaleString('en'),
      `${Math.floor(FREE.rowsWritten / (2 * 1440))} tokens that call in every minute of the day`,
    ],
  ];
  return `| free plan, a day | included | lasts for |\n|---|---|---|\n${rows.map((row) => `| ${row.join(' | ')} |`).join('\n')}`;
}

/** With all indexes, as `node bench/row-bytes.ts` measures them in SQLite: 518, 304 and 693 after a VACUUM; a fifth is
 * added for pages that are not full. */
const BYTES_PER_TOKEN = 620;
const BYTES_PER_ORGANISATION = 365;
const BYTES_PER_EVENT = 830;
const D1_LIMIT = 10e9;
const D1_STATEMENTS = 1000;
const HUB_REQUESTS = 1000;
/** A change is one batch: its events, the change itself, and the reads for the reason of a refusal. */
const CHANGE_STATEMENTS = 5;
/** Measured: this number of tokens' counts is written in this number of seconds. */
const COUNTED_TOKENS = 60_000;
const COUNTS_SECONDS = 1.7;
const REGIONS = 9;

function breakTable(): string {
  const organisations = 1e6;
  const tokens = 3e6;
  const bytes = organisations * BYTES_PER_ORGANISATION + tokens * BYTES_PER_TOKEN;
  const eventsADay = organisations * 0.2;
  const daysToFull = (D1_LIMIT - bytes) / (eventsADay * BYTES_PER_EVENT);
  const rows: [string, string, string][] = [
    [
      'a hub, by tokens that no isolate remembers',
      `${HUB_REQUESTS.toLocaleString('en')} misses a second in one region: more than 10,000 tokens per isolate in turn`,
      'several hubs a region, by hash',
    ],
    [
      'a hub, by busy isolates',
      `${(HUB_REQUESTS / (2000 / LEASE)).toLocaleString('en')} isolates in one region, two syncs a second each`,
      'a longer lease, or several hubs a region',
    ],
    [
      'D1’s size (10 GB)',
      `${(bytes / 1e9).toFixed(1)} GB for a million organisations with three tokens each; the audit log fills the rest in ${Math.round(daysToFull / 30)} months at one event per organisation in five days`,
      'a retention of events; then libSQL, or organisations over several databases',
    ],
    [
      'D1’s one writer, by changes',
      `${Math.floor(D1_STATEMENTS / CHANGE_STATEMENTS)} changes a second: a batch of ${CHANGE_STATEMENTS} statements each. Hubs share their reads: 50 changes a second were measured to cost three hubs 60 reads a second, not 150`,
      'organisations over several databases',
    ],
    [
      'D1’s one writer, by usage counts',
      `${(Math.floor(60 / COUNTS_SECONDS / REGIONS) * COUNTED_TOKENS).toLocaleString('en')} tokens that call in the same minute in all nine regions: the counts of 60,000 in a minute were measured to take ${COUNTS_SECONDS} s`,
      'a longer flush interval (counts are approximate by contract), then a second database for counts alone',
    ],
    ['an isolate’s memory', 'never: bounded at 10,000 records', '–'],
  ];
  return `| | breaks first: at | what then |\n|---|---|---|\n${rows.map(([what, at, then], index) => `| ${index + 1}. ${what} | ${at} | ${then} |`).join('\n')}`;
}

function milliseconds(value: number): string {
  if (value < 1) return `${value.toFixed(2)} ms`;
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
}

const dollars = (value: number) => (value < 0.1 ? value.toFixed(3) : value.toFixed(2));

const TABLES: Record<string, () => string> = {
  latency: latencyTable,
  load: loadTable,
  cost: costTable,
  changes: changeTable,
  free: freeTable,
  breaks: breakTable,
};
const DOCUMENT = fileURLToPath(new URL('../docs/scale.md', import.meta.url));

function rendered(document: string): string {
  let text = document;
  for (const [name, table] of Object.entries(TABLES)) {
    state = SEED;
    const block = new RegExp(`(<!-- ${name} -->\\n)[^]*?(<!-- /${name} -->)`);
    if (!block.test(text)) throw new Error(`docs/scale.md has no place for the table "${name}"`);
    const made = table();
    text = text.replace(block, (_, before: string, after: string) => `${before}${made}\n${after}`);
  }
  return text;
}

const document = readFileSync(DOCUMENT, 'utf8');
const fresh = rendered(document);
if (process.argv.includes('--write')) writeFileSync(DOCUMENT, fresh);
else if (process.argv.includes('--check')) {
  if (fresh !== document)
    throw new Error('docs/scale.md holds other figures: node bench/latency-model.ts --write');
} else for (const table of Object.values(TABLES)) process.stdout.write(`${((state = SEED), table())}\n\n`);
