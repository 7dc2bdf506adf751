// The goals of the product, and whether they are met.
import type { Bytes } from './bytes.ts';
import { cpu, p50, ratio, type Slice } from './slices.ts';
import type { StartUp } from './start-up.ts';
import type { Interval } from './statistics.ts';

export type Goal = { what: string; atMost: number; measured: Interval | null; unit?: string };
export type Verdict = 'yes' | 'no' | 'undecided' | 'not measured';

export const FLOOR = 'hono-open';
export const SAME_ANSWER = 'hono-same-answer';

export function goals(slices: Slice[], startUp: StartUp | null, bytes: Bytes | null): Goal[] {
  const gzip = bytes === null ? null : bytes.workerGzip / 1000;
  return [
    {
      what: 'warm, p50 at 1 connection / Hono with no check',
      atMost: 1.09,
      measured: ratio(slices, 'ours', FLOOR, 1, p50),
    },
    {
      what: 'warm, CPU at 32 / Hono with no check',
      atMost: 1.11,
      measured: ratio(slices, 'ours', FLOOR, 32, cpu),
    },
    {
      what: 'warm, CPU at 32 / Hono with no check and our answer’s headers',
      atMost: 1.03,
      measured: ratio(slices, 'ours', SAME_ANSWER, 32, cpu),
    },
    {
      what: 'warm, CPU at 32 / Hono’s `bearerAuth`',
      atMost: 0.7,
      measured: ratio(slices, 'ours', 'hono-bearer', 32, cpu),
    },
    {
      what: 'forged, CPU at 32 / Hono with no check',
      atMost: 1.15,
      measured: ratio(slices, 'ours-forged', FLOOR, 32, cpu),
    },
    {
      what: 'warm, CPU at 32 / the version before',
      atMost: 1.02,
      measured: ratio(slices, 'ours', 'before', 32, cpu),
    },
    {
      what: 'warm, p50 at 1 connection, another caller on each call / the version before',
      atMost: 1.02,
      measured: ratio(slices, 'ours-callers', 'before-callers', 1, p50),
    },
    {
      what: 'warm, CPU at 32, another caller on each call / the version before',
      atMost: 1.02,
      measured: ratio(slices, 'ours-callers', 'before-callers', 32, cpu),
    },
    {
      what: 'ten networks and five paths, CPU at 32 / no limits',
      atMost: 1.1,
      measured: ratio(slices, 'ours-limited', 'ours', 32, cpu),
    },
    {
      what: 'Worker, gzip',
      atMost: 60,
      measured: gzip === null ? null : { median: gzip, low: gzip, high: gzip },
      unit: 'KB',
    },
    {
      what: 'start-up CPU over an empty Hono Worker / that of the version before',
      atMost: 0.5,
      measured: startUp?.ratio ?? null,
    },
  ];
}

/** A goal is met if the whole interval is within it, and missed if no part of the interval is. */
export function verdict({ atMost, measured }: Goal): Verdict {
  if (measured === null) return 'not measured';
  if (measured.high <= atMost) return 'yes';
  return measured.low > atMost ? 'no' : 'undecided';
}
