// Turns figures into the written tables. Pure.
import type { Bytes } from './bytes.ts';
import type { Cold } from './cold.ts';
import { FLOOR, goals, verdict, type Goal } from './goals.ts';
import { cpu, figuresOf, p50, rate, ratio, type Plan, type Slice } from './slices.ts';
import type { Soak } from './soak.ts';
import type { StartUp } from './start-up.ts';
import { median, type Interval } from './statistics.ts';
import type { Variant } from './variants.ts';

export type Figures = {
  machine: string;
  date: string;
  /** Name of the version before. */
  before: string;
  plan: Plan;
  variants: Pick<Variant, 'key' | 'title'>[];
  slices: Slice[];
  cold: Cold;
  startUp: StartUp;
  bytes: { ours: Bytes; beforeGzip: number };
  /** The figures of the last soak, which is a separate run. Null before the first. */
  soak: Soak | null;
};

export function render(figures: Figures): string {
  const { machine, date, plan, variants, slices, cold, startUp, bytes, soak } = figures;
  return `# Results of \`npm run bench\`

${date}, ${machine}. ${plan.slices} slices; in each of them every variant runs once, in a new order, for ${plan.duration} ms after ${plan.warmUp} ms of warm-up, at
${plan.connections.join(' and at ')} connections. Ratios are taken within a slice. Figures are medians over the slices; in brackets is the 95 % interval of the median. A goal
is met where the whole interval is inside, and undecided where a part of it is. One raw keep-alive client in a thread of its own; CPU is workerd's
own, from \`/proc\`${hasCpu(slices) ? '' : ' (absent here)'}. KV, D1 and Durable Objects are local simulators: they show what the code path costs, never the latency of
production. Absolute figures move with the machine.

## Goals
${goalTable(goals(slices, startUp, bytes.ours))}

${beforeTable(figures)}

${plan.connections.map((connections) => table(variants, slices, connections)).join('\n\n')}

${failures(figures)}## Cold look-ups
Nothing in memory, nothing in KV: fresh isolates, one connection, microseconds.

| | ${cold.few} tokens in D1 | ${cold.tokens.toLocaleString('en')} tokens | ratio |
|---|---|---|---|
| known token | ${whole(cold.known.few)} | ${whole(cold.known.many)} | ${shown(cold.known.ratio)} |
| unknown token | ${whole(cold.unknown.few)} | ${whole(cold.unknown.many)} | ${shown(cold.unknown.ratio)} |

## Start-up and bytes
A fresh isolate of each in every one of ${startUp.rounds} rounds, to its first answer. The empty Hono Worker takes ${shown(startUp.empty.took)} ms${startUp.empty.cpu === null ? '' : `, ${shown(startUp.empty.cpu)} ms of CPU`}.

| over the empty Hono Worker | time, ms | CPU, ms |
|---|---|---|
| ours | ${shown(startUp.ours.took)} | ${orNone(startUp.ours.cpu)} |
| the version before | ${shown(startUp.before.took)} | ${orNone(startUp.before.cpu)} |

Worker ${kilobytes(bytes.ours.worker)} KB, ${kilobytes(bytes.ours.workerGzip)} KB gzip (the version before: ${kilobytes(bytes.beforeGzip)} KB); verification closure ${kilobytes(bytes.ours.verification)} KB minified. 1 KB is 1,000 bytes.

## Memory
${soak === null ? 'No soak has been run: `npm run bench -- --soak 10m`.' : soakText(soak)}
`;
}

export function goalTable(list: Goal[]): string {
  const rows = list.map((goal) => {
    const unit = goal.unit === undefined ? '' : ` ${goal.unit}`;
    const measured = goal.measured === null ? '–' : `${shown(goal.measured)}${unit}`;
    return `| ${goal.what} | at most ${goal.atMost}${unit} | ${measured} | ${verdict(goal)} |`;
  });
  return `| what | goal | measured | met |\n|---|---|---|---|\n${rows.join('\n')}`;
}

/** The ratio of ours to the version before, in the same slices. */
export function beforeTable({
  before,
  slices,
  startUp,
  bytes,
}: Pick<Figures, 'before' | 'slices'> & Partial<Pick<Figures, 'startUp' | 'bytes'>>): string {
  const rows: [string, Interval | null][] = [
    ['warm, p50 at 1 connection', ratio(slices, 'ours', 'before', 1, p50)],
    ['warm, CPU at 1', ratio(slices, 'ours', 'before', 1, cpu)],
    ['warm, CPU at 32', ratio(slices, 'ours', 'before', 32, cpu)],
    [
      'warm, another caller on each call, p50 at 1 connection',
      ratio(slices, 'ours-callers', 'before-callers', 1, p50),
    ],
    [
      'warm, another caller on each call, CPU at 32',
      ratio(slices, 'ours-callers', 'before-callers', 32, cpu),
    ],
    ['forged, p50 at 1 connection', ratio(slices, 'ours-forged', 'before-forged', 1, p50)],
    ['forged, CPU at 32', ratio(slices, 'ours-forged', 'before-forged', 32, cpu)],
  ];
  if (startUp !== undefined) rows.push(['start-up CPU over an empty Hono Worker', startUp.ratio]);
  if (bytes !== undefined) {
    const value = bytes.ours.workerGzip / bytes.beforeGzip;
    rows.push(['Worker, gzip', { median: value, low: value, high: value }]);
  }
  return `## Ours over the version before (${before})
| what | ours / before |
|---|---|
${rows.map(([what, value]) => `| ${what} | ${orNone(value)} |`).join('\n')}`;
}

/** Says which calls a peer failed to answer. Its rates are those of the calls that it answered. */
function failures({ variants, slices, plan }: Figures): string {
  return variants
    .map(({ key, title }) => {
      const all = slices.flatMap(({ measured }) => measured.get(key) ?? []);
      const count = all.reduce((sum, measured) => sum + measured.failures, 0);
      const missing = plan.slices * plan.connections.length - all.length;
      return [
        count === 0 ? '' : `${title}: ${count} calls were answered 500 and are not in the figures.\n\n`,
        missing === 0 ? '' : `${title}: ended early, ${missing} of its measurements are missing.\n\n`,
      ].join('');
    })
    .join('');
}

function table(variants: Figures['variants'], slices: Slice[], connections: number): string {
  const rows = variants.map(({ key, title }) => {
    const middle = (figure: Parameters<typeof figuresOf>[3]) => {
      const values = figuresOf(slices, key, connections, figure);
      return values.length === 0 ? '–' : whole(median(values));
    };
    const compared = [p50, cpu].map((figure) =>
      key === FLOOR ? '1' : orNone(ratio(slices, key, FLOOR, connections, figure)),
    );
    return `| ${title} | ${middle(rate)} | ${middle(p50)} | ${middle((one) => one.p99)} | ${middle(cpu)} | ${compared.join(' | ')} |`;
  });
  return `## ${connections} ${connections === 1 ? 'connection' : 'connections'}
| variant | req/s | p50 µs | p99 µs | CPU µs per request | p50 / Hono with no check | CPU / Hono with no check |
|---|---|---|---|---|---|---|
${rows.join('\n')}`;
}

function soakText({ minutes, calls, switches, heap, resident }: Soak): string {
  const process =
    resident === null ? '' : ` Whole workerd process, simulators included: ${course(resident)} MB.`;
  return `${minutes} minutes of mixed load (warm, more tokens than an isolate remembers, genuine but unknown, forged; ${calls.toLocaleString('en')} calls, ${switches.toLocaleString('en')} switches of a
token meanwhile). Heap of the isolate after a collection, second fifth of the run → last fifth: ${course(heap)} MB.${process}`;
}

const course = ({ early, late, most }: Soak['heap']) =>
  `${early.toFixed(1)} → ${late.toFixed(1)} (most ${most.toFixed(1)})`;
const hasCpu = (slices: Slice[]) => slices.some(({ measured }) => [...measured.values()].some(cpu));
const whole = (value: number) => Math.round(value).toLocaleString('en');
const kilobytes = (bytes: number) => (bytes / 1000).toFixed(1);
const places = (value: number) => value.toFixed(Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 2 ? 2 : 3);
const shown = ({ median: middle, low, high }: Interval) =>
  low === high ? places(middle) : `${places(middle)} (${places(low)}–${places(high)})`;
const orNone = (value: Interval | null) => (value === null ? '–' : shown(value));
