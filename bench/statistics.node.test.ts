// The interval that decides whether a goal is met.
import { describe, expect, it } from 'vitest';
import { interval, median } from './statistics.ts';

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

describe('the interval of a median', () => {
  // Ranks from published tables of the binomial distribution with p = 1/2.
  it.each([
    [6, 1, 6],
    [8, 1, 8],
    [9, 2, 8],
    [20, 6, 15],
    [50, 18, 33],
    [100, 40, 61],
    [150, 63, 88],
    [2000, 956, 1045],
  ])('of %d values is from the %dth to the %dth', (count, low, high) => {
    expect(interval(upTo(count))).toEqual({ median: (count + 1) / 2, low, high });
  });

  it('covers all values if there are fewer than six', () => {
    expect(interval([3, 1, 2])).toEqual({ median: 2, low: 1, high: 3 });
    expect(interval([7])).toEqual({ median: 7, low: 7, high: 7 });
  });

  it('does not depend on the order, and one outlier does not move it', () => {
    const values = upTo(150);
    expect(interval(values.toReversed())).toEqual(interval(values));
    expect(interval([...values.slice(0, -1), 1_000_000])).toEqual(interval(values));
  });

  it('holds the true median in 95 of 100 samples of a skewed distribution', () => {
    // Numerical Recipes' generator, so that the test is the same at each run.
    let state = 1;
    const random = () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 0x1_0000_0000;
    const samples = Array.from({ length: 500 }, () =>
      interval(Array.from({ length: 150 }, () => -Math.log(1 - random()))),
    );
    const held = samples.filter(({ low, high }) => low <= Math.LN2 && Math.LN2 <= high).length;
    expect(held / samples.length).toBeGreaterThan(0.93);
    expect(held / samples.length).toBeLessThan(0.98);
  });
});

it('the median of an even number of values is between the two in the middle', () => {
  expect(median([4, 1, 3, 2])).toBe(2.5);
});
