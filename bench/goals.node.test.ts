// Tests of goals: when a goal is met, and that ratios are taken within a slice.
import { expect, it } from 'vitest';
import type { Measured } from './client.ts';
import { goals, verdict } from './goals.ts';
import { ratio, type Slice } from './slices.ts';

const slice = (connections: number, cpus: Record<string, number>): Slice => ({
  connections,
  measured: new Map(
    Object.entries(cpus).map(([key, cpu]) => {
      const measured: Measured = { requests: 1, failures: 0, seconds: 1, p50: cpu, p99: cpu, cpu, next: 0 };
      return [key, measured];
    }),
  ),
});

it.each([
  ['yes', 1.05, 1.08],
  ['yes', 1.05, 1.09],
  ['undecided', 1.08, 1.1],
  ['no', 1.1, 1.2],
] as const)('a goal of at most 1.09 is "%s" where the interval is %d to %d', (expected, low, high) => {
  expect(verdict({ what: '', atMost: 1.09, measured: { median: (low + high) / 2, low, high } })).toBe(
    expected,
  );
});

it('a goal without figures is neither met nor missed', () => {
  expect(verdict({ what: '', atMost: 1, measured: null })).toBe('not measured');
});

it('a ratio is taken within a slice, so a machine that slows down between two slices does not change it', () => {
  const slices = [10, 20, 80, 30, 10, 40, 15].map((busy) =>
    slice(32, { ours: busy * 1.1, 'hono-open': busy }),
  );
  const found = ratio(slices, 'ours', 'hono-open', 32, ({ cpu }) => cpu);
  expect(found?.low).toBeCloseTo(1.1, 9);
  expect(found?.high).toBeCloseTo(1.1, 9);
});

it('a slice without one of the two, or at another number of connections, is not counted', () => {
  const slices = [
    slice(1, { ours: 9, 'hono-open': 1 }),
    slice(32, { ours: 9 }),
    slice(32, { ours: 2, 'hono-open': 1 }),
  ];
  expect(ratio(slices, 'ours', 'hono-open', 32, ({ cpu }) => cpu)).toEqual({ median: 2, low: 2, high: 2 });
  expect(ratio(slices, 'ours', 'better-auth', 32, ({ cpu }) => cpu)).toBeNull();
});

it('no goal is measured without figures', () => {
  expect(new Set(goals([], null, null).map(verdict))).toEqual(new Set(['not measured']));
});
