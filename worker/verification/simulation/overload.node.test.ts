// A region comes back after a disturbance, and does not without any one of the brakes. A tenth of the size on each push;
// all of it, with more seeds, by `npm run test:overload`.
import { describe, expect, it } from 'vitest';
import { Overload } from './overload.ts';
import type { Disturbance, Overridden, Second } from './overload.ts';

const SCALE = Number(process.env['OVERLOAD_SCALE'] ?? 0.1);
const SEEDS = Array.from({ length: Number(process.env['OVERLOAD_SEEDS'] ?? 1) }, (_, index) => index + 1);

/** The disturbance begins in this second. */
const FROM = 2;

/**
 * Seconds, and shares of all calls. Of the calls that begin within `unavailableFor` after `from` at most `unavailable` are 503,
 * and none later; from `warmAfter` on 99 % are answered from memory. At no time is the database asked more than `statements` a second.
 */
type Goal = {
  from: number;
  unavailable: number;
  unavailableFor: number;
  warmAfter: number;
  statements: number;
};
type Schedule = { name: string; disturbance: Disturbance; goal: Goal };

const AWAY_S = 15;
const OUTAGE = { from: FROM * 1000, until: (FROM + AWAY_S) * 1000 };
const BACK: Goal = {
  from: FROM + AWAY_S,
  unavailable: 1,
  unavailableFor: 5,
  warmAfter: 15,
  // One and a half times what the database can answer: more questions would gain nothing.
  statements: 1500,
};

const FAILS: Schedule = {
  name: 'a database that fails for 15 s',
  disturbance: { kind: 'database-fails', ...OUTAGE },
  goal: BACK,
};
const HANGS: Schedule = {
  name: 'a database that hangs for 15 s',
  disturbance: { kind: 'database-hangs', ...OUTAGE },
  goal: BACK,
};
const CHANGES: Schedule = {
  name: 'one statement that changes all 10,000 tokens in use',
  disturbance: { kind: 'change-all', from: FROM * 1000 },
  goal: { from: FROM, unavailable: 0.02, unavailableFor: 30, warmAfter: 30, statements: 1000 },
};
const COLD: Schedule = {
  name: 'all isolates cold at once',
  disturbance: { kind: 'cold-isolates', from: FROM * 1000 },
  goal: { from: FROM, unavailable: 0.02, unavailableFor: 60, warmAfter: 60, statements: 1000 },
};
const SLOW: Schedule = {
  name: 'hubs that answer later than a lease lasts for 15 s',
  disturbance: { kind: 'hubs-slow', ...OUTAGE },
  goal: { from: FROM, unavailable: 0.02, unavailableFor: AWAY_S, warmAfter: AWAY_S + 5, statements: 1000 },
};

/** Seconds that are watched once it must be warm, and those after which every call was answered. */
const WATCHED = 5;
const WARM = 0.99;
const ANSWERED = 12;

type Seen = {
  unavailable: number;
  unavailableLater: number;
  warm: number;
  waitedMs: number;
  statements: number;
  warmBefore: number;
};

async function play({ disturbance, goal }: Schedule, seed: number, overridden?: Overridden): Promise<Seen> {
  const overload = new Overload(disturbance, seed, SCALE, overridden);
  await overload.run(goal.from + goal.warmAfter + WATCHED + ANSWERED);
  const { seconds } = overload;
  const end = goal.from + goal.warmAfter + WATCHED;
  const later = goal.from + goal.unavailableFor;
  const disturbed = seconds.slice(FROM, end);
  return {
    unavailable: sumOf(seconds.slice(goal.from, later)).unavailable,
    unavailableLater: sumOf(seconds.slice(later, end)).unavailable,
    warm: sumOf(seconds.slice(end - WATCHED, end)).warm,
    waitedMs: Math.max(...disturbed.map(({ waitedMs }) => waitedMs)),
    statements: Math.max(...disturbed.map(({ statements }) => statements)) / SCALE,
    warmBefore: sumOf(seconds.slice(1, FROM)).warm,
  };
}

/** The parts of the goal that were missed. */
function missedOf(goal: Goal, seen: Seen): string[] {
  const missed = {
    unavailable: seen.unavailable > goal.unavailable,
    'unavailable later': seen.unavailableLater > 0,
    warm: seen.warm < WARM,
    statements: seen.statements > goal.statements,
  };
  return Object.entries(missed).flatMap(([name, isMissed]) => (isMissed ? [name] : []));
}

/** As shares of all calls. */
function sumOf(seconds: Second[]) {
  const sum = (of: (second: Second) => number) => seconds.reduce((total, second) => total + of(second), 0);
  const calls = sum((second) => second.calls);
  return {
    warm: sum((second) => second.warm) / calls,
    unavailable: sum((second) => second.unavailable) / calls,
  };
}

describe('a deployment at 6,000 calls a second comes back after', () => {
  it.each([FAILS, HANGS, CHANGES, COLD, SLOW])('$name', { timeout: 900_000 }, async (schedule) => {
    for (const seed of SEEDS) {
      const seen = await play(schedule, seed);
      if (process.env['OVERLOAD_SCALE'] !== undefined) process.stdout.write(`${lineOf(schedule, seen)}\n`);
      // Otherwise the region was never warm, and could not become warm again.
      expect(seen.warmBefore).toBeGreaterThan(WARM);
      expect(missedOf(schedule.goal, seen)).toEqual([]);
    }
  });
});

function lineOf({ name }: Schedule, seen: Seen): string {
  const percent = (share: number) => `${(share * 100).toFixed(2)} %`;
  return [
    `${name}: 503 ${percent(seen.unavailable)}, later ${percent(seen.unavailableLater)}`,
    `warm ${percent(seen.warm)}, longest wait ${seen.waitedMs} ms`,
    `at most ${Math.round(seen.statements)} statements a second`,
  ].join(', ');
}

type Twin = { brake: string; schedule: Schedule; overridden: Overridden };

const TWINS: Twin[] = [
  {
    brake: 'a late answer counts for the calls that began before',
    schedule: SLOW,
    overridden: { isolate: { isAnswered: (_, leaseUntil, now) => now < leaseUntil } },
  },
  { brake: 'one renewal at a time', schedule: COLD, overridden: { isolate: { mayRenew: () => true } } },
  {
    brake: 'one direct read at a time',
    schedule: HANGS,
    overridden: { isolate: { mayReadDirectly: () => true } },
  },
  { brake: 'a rest after a failure', schedule: FAILS, overridden: { isolate: { restMs: () => 0 } } },
  {
    brake: 'one read for many tokens',
    schedule: CHANGES,
    overridden: { hub: { mayRead: () => true, tokensPerRead: () => 1 } },
  },
];

describe('a twin that lacks one brake does not come back, or asks too much', () => {
  it.each(TWINS)('$brake', { timeout: 900_000 }, async ({ schedule, overridden }) => {
    const seen = await play(schedule, 1, overridden);
    if (process.env['OVERLOAD_SCALE'] !== undefined)
      process.stdout.write(`without, ${lineOf(schedule, seen)}\n`);
    expect(missedOf(schedule.goal, seen)).not.toEqual([]);
  });
});
