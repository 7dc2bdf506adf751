// What the free plan includes, and which limit is reached first: tables of docs/scale.md (scale.ts).
import { REGIONS } from '../worker/verification/region.ts';
import { HUB_GIGABYTES, rowsOfMinute } from './bill.ts';
import { CALLS, HUB_LEASE, LEASE, isolate } from './latency-model.ts';

/**
 * With all indexes, as `node bench/row-bytes.ts` measures them in SQLite: 533, 306, 693, 96 and 460 after a VACUUM; a fifth is added for
 * pages that are not full.
 */
const BYTES_PER_TOKEN = 640;
const BYTES_PER_ORGANISATION = 365;
const BYTES_PER_EVENT = 830;
const BYTES_PER_HOUR = 115;
const BYTES_PER_CALLER = 550;
/** How long counts and callers are kept. */
const HOURS_KEPT = 31 * 24;
const CALLER_DAYS = 30;
const USUAL_CALLERS = 3;
/** Of a token that is called in every hour, by USUAL_CALLERS on every day. Refused calls add a row for each hour and reason. */
const BYTES_PER_BUSY_TOKEN =
  BYTES_PER_TOKEN + HOURS_KEPT * BYTES_PER_HOUR + CALLER_DAYS * USUAL_CALLERS * BYTES_PER_CALLER;
const D1_LIMIT = 10e9;
const D1_STATEMENTS = 1000;
const HUB_REQUESTS = 1000;
/** A change is one batch: its events, the change itself, and the reads for the reason of a refusal. */
const CHANGE_STATEMENTS = 5;
/** `node bench/counts.ts` measures it: this number of tokens' counts, of two callers each, is written in this number of seconds, the first time of a day. */
const COUNTED_TOKENS = 60_000;
const COUNTS_SECONDS = 6.1;

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
/** One statement of the hourly clean-up (worker/upkeep/prune.ts), and how many it has where there is nothing to remove. */
const PRUNED_ROWS = 2000;
const PRUNE_STATEMENTS = 18;

export function freeTable(): string {
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
      `the hourly clean-up removes ${((FREE.statements - PRUNE_STATEMENTS) * PRUNED_ROWS).toLocaleString('en')} rows; an export holds 200,000 events; a run that mails about ending tokens sends about a dozen mails`,
    ],
    [
      'size of D1',
      `${FREE.megabytes} MB`,
      `${(Math.round((FREE.megabytes * 1e6) / BYTES_PER_EVENT / 1000) * 1000).toLocaleString('en')} events and nothing else, or ${Math.round((FREE.megabytes * 1e6) / (BYTES_PER_ORGANISATION + 3 * BYTES_PER_TOKEN) / 1000) * 1000} organisations with three tokens each, or ${busyTokensIn(FREE.megabytes * 1e6)} tokens that are called in every hour`,
    ],
    [
      'D1 rows written',
      FREE.rowsWritten.toLocaleString('en'),
      `${Math.floor(FREE.rowsWritten / (rowsOfMinute(1) * 1440))} tokens that are called in every minute of the day, by one caller each`,
    ],
  ];
  return `| free plan, a day | included | lasts for |\n|---|---|---|\n${rows.map((row) => `| ${row.join(' | ')} |`).join('\n')}`;
}

export function breakTable(): string {
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
      'D1’s size, by counts and callers',
      `${busyTokensIn(D1_LIMIT)} tokens that are called in every hour of a month, by ${USUAL_CALLERS} callers a day: ${Math.round(BYTES_PER_BUSY_TOKEN / 1000)} KB each`,
      'libSQL, or organisations over several databases',
    ],
    [
      'D1’s one writer, by changes',
      `${Math.floor(D1_STATEMENTS / CHANGE_STATEMENTS)} changes a second: a batch of ${CHANGE_STATEMENTS} statements each. Hubs share their reads: 50 changes a second were measured to cost three hubs 60 reads a second, not 150`,
      'organisations over several databases',
    ],
    [
      'D1’s one writer, by usage counts',
      `${(Math.floor(60 / COUNTS_SECONDS / REGIONS.length) * COUNTED_TOKENS).toLocaleString('en')} tokens that call in the same minute in all nine regions: the counts of ${COUNTED_TOKENS.toLocaleString('en')}, of two callers each, were measured to take ${COUNTS_SECONDS} s`,
      'a longer flush interval (counts are approximate by contract), then a second database for counts alone',
    ],
    ['an isolate’s memory', 'never: bounded at 10,000 records', '–'],
  ];
  return `| | breaks first: at | what then |\n|---|---|---|\n${rows.map(([what, at, then], index) => `| ${index + 1}. ${what} | ${at} | ${then} |`).join('\n')}`;
}

/** How many tokens that are called in every hour fit into so many bytes, in round numbers. */
function busyTokensIn(bytes: number): string {
  const tokens = bytes / BYTES_PER_BUSY_TOKEN;
  const unit = 10 ** Math.floor(Math.log10(tokens) - 1);
  return (Math.floor(tokens / unit) * unit).toLocaleString('en');
}
