// Turns figures into the written table: what was measured, and each goal met or not and by how much. Pure.
import type { Bytes } from './bytes.ts';
import type { Cold } from './cold.ts';
import type { Measured } from './client.ts';
import { cell, type Plan, type Rounds } from './rounds.ts';
import type { Soak } from './soak.ts';
import type { StartUp } from './start-up.ts';
import { median, spread, type Spread } from './statistics.ts';
import type { Variant } from './variants.ts';

export type Figures = {
  machine: string;
  date: string;
  plan: Plan;
  variants: Pick<Variant, 'key' | 'title'>[];
  rounds: Rounds;
  cold: Cold;
  startUp: StartUp;
  bytes: Bytes;
  /** The last soak's, which is a run of its own; null before the first. */
  soak: Soak | null;
};

export type Goal = {
  what: string;
  goal: number;
  measured: Spread | null;
  over?: string;
  atLeast?: boolean;
  unit?: string;
};

const FLOOR = 'hono-open';

const p50 = (measured: Measured) => measured.p50;
const cpu = (measured: Measured) => measured.cpu;
const rate = (measured: Measured) => measured.requests / measured.seconds;
const exact = (value: number): Spread => ({ median: value, least: value, most: value });

export function goals({ rounds, cold, startUp, bytes, soak }: Figures): Goal[] {
  const ratio = (
    of: string,
    to: string,
    connections: number,
    figure: (measured: Measured) => number | null,
  ) => ratios(rounds, of, to, connections, figure);
  return [
    {
      what: 'warm, p50 at 1 connection / Hono with no check',
      goal: 1.1,
      measured: ratio('ours', FLOOR, 1, p50),
    },
    {
      what: 'warm, CPU per request at 32 / Hono with no check',
      goal: 1.25,
      measured: ratio('ours', FLOOR, 32, cpu),
    },
    {
      what: 'warm, CPU per request at 32 / `bearerAuth`',
      goal: 0.8,
      measured: ratio('ours', 'hono-bearer', 32, cpu),
    },
    {
      what: 'forged, CPU per request at 32 / Hono with no check',
      goal: 1.15,
      measured: ratio('ours-forged', FLOOR, 32, cpu),
    },
    {
      what: 'warm, req/s at 1 / better-auth',
      goal: 25,
      measured: ratio('ours', 'better-auth', 1, rate),
      atLeast: true,
    },
    {
      what: 'warm, req/s at 32 / better-auth',
      goal: 40,
      measured: ratio('ours', 'better-auth', 32, rate),
      atLeast: true,
    },
    {
      what: `cold look-up of a known token, ${cold.tokens.toLocaleString('en')} tokens / ${cold.few}`,
      goal: 1.2,
      measured: cold.known.ratio,
    },
    {
      what: `cold look-up of an unknown token, ${cold.tokens.toLocaleString('en')} tokens / ${cold.few}`,
      goal: 1.2,
      measured: cold.unknown.ratio,
    },
    {
      what: 'verification closure, minified',
      goal: 6,
      measured: exact(bytes.verification / 1024),
      unit: 'KB',
    },
    { what: 'Worker, gzip', goal: 60, measured: exact(bytes.workerGzip / 1024), unit: 'KB' },
    { what: 'start-up over an empty Hono Worker', goal: 3, measured: startUp.over, unit: 'ms' },
    {
      what: 'isolate heap, end of the soak / beginning',
      goal: 1.1,
      measured: soak === null ? null : exact(soak.heap.late / soak.heap.early),
    },
  ];
}

/** What a peer did not answer: its rates are of the calls that it did. */
function failures({ variants, rounds }: Figures): string {
  return variants
    .map(({ key, title }) => {
      const all = [...rounds].filter(([name]) => name.startsWith(`${key} `)).flatMap(([, cells]) => cells);
      const count = all.reduce((sum, measured) => sum + measured.failures, 0);
      return count === 0 ? '' : `${title}: ${count} calls were answered 500 and are not in the figures.\n\n`;
    })
    .join('');
}

/** One ratio per round; null where a figure is missing (no /proc). */
function ratios(
  rounds: Rounds,
  of: string,
  to: string,
  connections: number,
  figure: (measured: Measured) => number | null,
): Spread | null {
  const above = rounds.get(cell(of, connections)) ?? [];
  const below = rounds.get(cell(to, connections)) ?? [];
  const values: number[] = [];
  for (const [round, measured] of above.entries()) {
    const other = below[round];
    const a = figure(measured);
    const b = other === undefined ? null : figure(other);
    if (a === null || b === null) return null;
    values.push(a / b);
  }
  return values.length === 0 ? null : spread(values);
}

export function isMet({ goal, measured, atLeast }: Goal): boolean | null {
  if (measured === null) return null;
  return atLeast === true ? measured.median >= goal : measured.median <= goal;
}

export function render(figures: Figures): string {
  const { machine, date, plan, variants, rounds, cold, startUp, bytes, soak } = figures;
  return `# Results of \`npm run bench\`

${date}, ${machine}. One workerd process holds every variant; ${plan.rounds} rounds, each variant in each round in a changing order,
${plan.duration} ms a cell after ${plan.warmUp} ms of warm-up, one raw keep-alive client in a thread of its own. Figures are medians over the rounds, in
brackets the least and the most. CPU is workerd's own, from \`/proc\`${hasCpu(rounds) ? '' : ' (absent here)'}. KV, D1 and Durable Objects are local simulators:
they show what the code path costs, never the latency of production. Absolute figures move with the machine; the ratios are taken within a round.

## Goals
| what | goal | measured | met |
|---|---|---|---|
${goals(figures).map(goalRow).join('\n')}

${plan.connections.map((connections) => table(variants, rounds, connections)).join('\n\n')}

${failures(figures)}## Cold look-ups
Nothing in memory, nothing in KV: fresh isolates, one connection, microseconds.

| | ${cold.few} tokens in D1 | ${cold.tokens.toLocaleString('en')} tokens | ratio per round |
|---|---|---|---|
| known token | ${whole(cold.known.few)} | ${whole(cold.known.many)} | ${shown(cold.known.ratio)} |
| unknown token | ${whole(cold.unknown.few)} | ${whole(cold.unknown.many)} | ${shown(cold.unknown.ratio)} |

## Start-up and bytes
A fresh isolate to its first answer, ${startUp.starts} of each in turns: empty Hono Worker ${shown(startUp.empty)} ms, ours ${shown(startUp.ours)} ms, difference
${shown(startUp.over)} ms${startUp.cpu === null ? '' : `, of CPU ${shown(startUp.cpu)} ms, which other work on the machine lengthens less`}. Worker ${kilobytes(bytes.worker)} KB, ${kilobytes(bytes.workerGzip)} KB gzip; verification closure ${kilobytes(bytes.verification)} KB minified.

## Memory
${soak === null ? 'No soak has been run: `npm run bench -- --soak 10m`.' : soakText(soak)}
`;
}

function goalRow(goal: Goal): string {
  const unit = goal.unit === undefined ? '' : ` ${goal.unit}`;
  const met = isMet(goal);
  const missed = () => {
    const { median: measured } = goal.measured ?? { median: Number.NaN };
    return unit === ''
      ? `no, by ${Math.abs(100 * (measured / goal.goal - 1)).toFixed(0)} %`
      : `no, by ${Math.abs(measured - goal.goal).toFixed(2)}${unit}`;
  };
  const measured = goal.measured === null ? 'not measured' : `${shown(goal.measured)}${unit}`;
  return `| ${goal.what} | ${goal.atLeast === true ? 'at least' : 'at most'} ${goal.goal}${unit} | ${measured} | ${met === null ? '–' : met ? 'yes' : missed()} |`;
}

function table(variants: Figures['variants'], rounds: Rounds, connections: number): string {
  const rows = variants.map(({ key, title }) => {
    const measured = rounds.get(cell(key, connections)) ?? [];
    const middle = (figure: (measured: Measured) => number) => median(measured.map(figure));
    const cpus = measured.map(cpu).filter((value) => value !== null);
    const latency = ratios(rounds, key, FLOOR, connections, p50);
    const work = ratios(rounds, key, FLOOR, connections, cpu);
    return `| ${title} | ${whole(middle(rate))} | ${whole(middle(p50))} | ${whole(middle((one) => one.p99))} | ${cpus.length === 0 ? '–' : whole(median(cpus))} | ${latency === null ? '–' : shown(latency)} | ${work === null ? '–' : shown(work)} |`;
  });
  return `## ${connections} ${connections === 1 ? 'connection' : 'connections'}
| variant | req/s | p50 µs | p99 µs | CPU µs per request | p50 / floor | CPU / floor |
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
const hasCpu = (rounds: Rounds) => [...rounds.values()].some((list) => list.some((one) => cpu(one) !== null));
const whole = (value: number) => Math.round(value).toLocaleString('en');
const kilobytes = (bytes: number) => (bytes / 1024).toFixed(1);
const places = (value: number) => value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
const shown = ({ median: middle, least, most }: Spread) =>
  least === most ? places(middle) : `${places(middle)} (${places(least)}–${places(most)})`;
