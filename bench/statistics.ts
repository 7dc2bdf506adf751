// The median of a sample, and how far it can be trusted.

export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** A median, and the ends of its 95 % confidence interval. */
export type Interval = { median: number; low: number; high: number };

const OUTSIDE = 0.05;

/**
 * The interval is between two of the sorted values. It needs no distribution: a value is below the true median with
 * probability 1/2, so how many of them are is binomial (Conover, Practical Nonparametric Statistics, section 3.2). Fewer than
 * six values allow no 95 %: then it is the least and the greatest.
 */
export function interval(values: number[]): Interval {
  const sorted = values.toSorted((a, b) => a - b);
  const rank = lowRank(sorted.length);
  return {
    median: median(values),
    low: sorted[rank - 1] ?? Number.NaN,
    high: sorted[sorted.length - rank] ?? Number.NaN,
  };
}

/** The greatest rank, counted from 1, that lies above the true median with a probability of at most 2.5 %; at least 1. */
function lowRank(count: number): number {
  // The probability that exactly `below` of `count` values are below the median. In logarithms: 2 ** -count can underflow.
  let logOfTerm = -count * Math.LN2;
  let sum = 0;
  let rank = 0;
  for (let below = 0; below < count; below++) {
    sum += Math.exp(logOfTerm);
    if (sum > OUTSIDE / 2) break;
    rank = below + 1;
    logOfTerm += Math.log((count - below) / (below + 1));
  }
  return Math.max(rank, 1);
}
