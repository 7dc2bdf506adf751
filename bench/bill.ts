// The cost of verification and of changes, from the published prices of Cloudflare: tables of docs/scale.md (scale.ts).
import { CALLS, HUB_LEASE, isolate } from './latency-model.ts';
import { REGIONS } from '../worker/verification/region.ts';

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
export const HUB_GIGABYTES = 0.128;
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
  /** How many callers a hub is told of for each token and minute. A token is called in one region. */
  callers: number;
  missShare: number;
};

/**
 * Rows that a hub writes for a token that called in a minute: that of the hour, that of the last use, and one for each caller. `npm run
 * bench:large` measures it (docs/operating/growth.md). A refused call adds its reason. The first call of an hour or of a day also writes
 * indexes.
 */
export function rowsOfMinute(callers: number): number {
  return 2 + callers;
}

/** The cost of verification for a million calls, after the included amounts are used up. */
function perMillion({ perSecond, isolates, regions, activeTokens, callers, missShare }: Traffic) {
  const seconds = 1e6 / perSecond;
  const perIsolate = perSecond / isolates;
  const { syncs } = isolate(perIsolate);
  const syncsPerCall = syncs / CALLS;
  const worker = 1e6 * (PRICE.request + CPU_PER_CALL * PRICE.cpuMillisecond);
  const hubCalls = 1e6 * (syncsPerCall + missShare * 2) * PRICE.hubRequest;
  const awake = 1 - Math.exp(-((perSecond * syncsPerCall) / regions) * HUB_LINGERS);
  // The time of the hub, and every five seconds a row in its own storage for the counts of the next minute.
  const hubTime = seconds * regions * awake * (HUB_GIGABYTES * PRICE.gigabyteSecond + PRICE.rowWritten / 5);
  const kvCost = 1e6 * missShare * (PRICE.kvRead + PRICE.kvWrite / 2);
  const rows = Math.min(1e6, (seconds / 60) * activeTokens) * rowsOfMinute(callers);
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
    callers: 1,
    missShare: 0.0005,
  },
  {
    title: '100 calls a second, 50 tokens, three regions',
    perSecond: 100,
    isolates: 10,
    regions: 3,
    activeTokens: 50,
    callers: 2,
    missShare: 0.001,
  },
  {
    title: '10,000 calls a second, 5,000 tokens, nine regions',
    perSecond: 10_000,
    isolates: 200,
    regions: 9,
    activeTokens: 5000,
    callers: 2,
    missShare: 0.001,
  },
];

export function costTable(): string {
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

export function changeTable(): string {
  const told = REGIONS.length * PRICE.hubRequest + PRICE.kvDelete;
  const reads = 60 * PRICE.rowRead;
  const request = PRICE.request + 3 * PRICE.cpuMillisecond + reads;
  const rows: [string, number][] = [
    ['a token is switched', request + told + (1 + EVENT_ROWS + CHANGE_ROWS) * PRICE.rowWritten],
    ['a token is created', request + (CREATE_ROWS + EVENT_ROWS + CHANGE_ROWS) * PRICE.rowWritten],
    [
      'an organisation with ten tokens changes its plan',
      request +
        REGIONS.length * PRICE.hubRequest +
        10 * PRICE.kvDelete +
        (3 + EVENT_ROWS + 10 * CHANGE_ROWS) * PRICE.rowWritten,
    ],
    ['a repeat that changes nothing', request],
    ['the same, 40 in a call', request / 40],
  ];
  const lines = rows.map(([what, cost]) => `| ${what} | ${dollars(cost * 1e6)} |`);
  return `| US$ per million changes | |\n|---|---|\n${lines.join('\n')}`;
}

const dollars = (value: number) => (value < 0.1 ? value.toFixed(3) : value.toFixed(2));
