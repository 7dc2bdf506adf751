import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OTHERS } from '../../token/callers.ts';
import type { Traits } from '../../token/callers.ts';
import type { Caller } from '../caller.ts';
import { Usage } from '../hub/usage.ts';
import { randomFrom } from '../simulation/random.ts';
import { SERVER, hashOf } from '../simulation/table.ts';
import type { Counts } from '../sync.ts';
import { Counting } from './counting.ts';

const A = hashOf('a');
const traitsOf = (agent: string): Traits => ({
  network: 64_496,
  networkName: 'Example',
  country: 'DE',
  agent,
});
const callerOf = (agent: string, more: Partial<Caller> = {}): Caller => ({
  ...SERVER,
  traits: traitsOf(agent),
  ...more,
});

/** A caller that counts how often it is asked who it is. */
function watched(agentOf: (asked: number) => string): { asked: number; caller: Caller } {
  const seen: { asked: number; caller: Caller } = {
    asked: 0,
    caller: {
      ...SERVER,
      get traits() {
        return traitsOf(agentOf(++seen.asked));
      },
    },
  };
  return seen;
}

/** In which order the callers of a token call; answers the agent of the next call. `shares` add up to one. */
const ORDERS: Record<string, (shares: number[], random: () => number) => () => string> = {
  'at random': (shares, random) => () => {
    let rest = random();
    const index = shares.findIndex((share) => (rest -= share) < 0);
    return `agent-${index < 0 ? 0 : index}`;
  },
  // As a load balancer sends the calls of services that call alike.
  'in turns': (shares) => {
    const due = shares.map(() => 0);
    return () => {
      for (const [index, share] of shares.entries()) due[index] = (due[index] ?? 0) + share;
      const next = due.indexOf(Math.max(...due));
      due[next] = (due[next] ?? 0) - 1;
      return `agent-${next}`;
    };
  },
  'in runs of a hundred': (shares, random) => {
    const pick = ORDERS['at random']?.(shares, random) ?? (() => '');
    let calls = 0;
    let agent = '';
    return () => {
      if (calls++ % 100 === 0) agent = pick();
      return agent;
    };
  },
};

describe('who calls', () => {
  it.each(Object.keys(ORDERS))(
    'is known within a tenth of all calls, and no call is lost or counted twice, by two isolates and a hub that restarts: callers %s',
    (order) => {
      fc.assert(
        fc.property(
          fc.array(fc.integer({ min: 1, max: 10 }), { minLength: 1, maxLength: 5 }),
          fc.integer({ min: 1, max: 2 ** 31 }),
          (weights, seed) => {
            const random = randomFrom(seed);
            const all = weights.reduce((sum, weight) => sum + weight, 0);
            const next = ORDERS[order]?.(
              weights.map((weight) => weight / all),
              random,
            );
            if (next === undefined) throw new Error('no such order');
            const isolates = [new Counting(random), new Counting(random)];
            let usage = new Usage();
            const called = new Map<string, number>();
            const total = { accepted: 0, refused: 0 };
            for (let sync = 0; sync < 400; sync++) {
              const counting = isolates[sync % 2] ?? new Counting(random);
              const calls = 1 + Math.floor(random() * 400);
              for (let call = 0; call < calls; call++) {
                const agent = next();
                const isRefused = random() < 0.1;
                counting.count(A, 'token', isRefused ? 'inactive' : null, callerOf(agent));
                called.set(agent, (called.get(agent) ?? 0) + 1);
                total[isRefused ? 'refused' : 'accepted']++;
              }
              const counts = counting.take();
              if (random() < 0.1) {
                counting.giveBack(counts);
                // It has saved what it was told.
                const restarted = new Usage();
                for (const row of usage.take()) restarted.addRow(row);
                usage = restarted;
              } else usage.add(counts, 0);
            }
            for (const counting of isolates) usage.add(counting.take(), 0);
            const [row, ...more] = usage.take();
            expect(more).toEqual([]);
            expect(row).toMatchObject(total);
            expect(row?.reasons).toEqual({ inactive: total.refused });
            const told = row?.callers ?? [];
            for (const field of ['accepted', 'refused'] as const)
              expect(told.reduce((sum, caller) => sum + caller[field], 0)).toBe(total[field]);
            const sum = total.accepted + total.refused;
            const errors = [...called].map(([agent, calls]) => {
              const known = told.find((caller) => caller.agent === agent);
              return Math.abs((known?.accepted ?? 0) + (known?.refused ?? 0) - calls) / sum;
            });
            expect(Math.max(...errors)).toBeLessThan(0.1);
          },
        ),
        { numRuns: 6 },
      );
    },
    60_000,
  );

  it('is asked for a few calls alone, also if each call has another caller', () => {
    const counting = new Counting(randomFrom(1));
    const seen = watched((asked) => `agent-${asked}`);
    for (let call = 0; call < 100_000; call++) counting.count(A, 'a', null, seen.caller);
    expect(seen.asked).toBeLessThan(60);
    const counted = counting.take().get(A);
    expect(counted).toMatchObject({ tokenId: 'a', accepted: 100_000, refused: 0 });
    expect(counted?.callers.length).toBeLessThanOrEqual(41);
    expect(counted?.callers.reduce((sum, { accepted }) => sum + accepted, 0)).toBe(100_000);
    expect(counting.isEmpty).toBe(true);
  });

  it('is asked for the first call after each answer of the hub: one that calls now and then is known exactly', () => {
    const counting = new Counting(() => 0.99);
    const told: Counts[] = [];
    for (const agent of ['one', 'two', 'one', 'three']) {
      counting.count(A, 'a', null, callerOf(agent));
      told.push(counting.take());
    }
    expect(told.map((counts) => counts.get(A)?.callers.map(({ agent }) => agent))).toEqual([
      ['one'],
      ['two'],
      ['one'],
      ['three'],
    ]);
  });

  it('takes no more memory while the hub is away, and then counts the rest together', () => {
    const counting = new Counting(randomFrom(2));
    for (let round = 0; round < 500; round++) {
      for (let call = 0; call < 10; call++) counting.count(A, 'a', null, callerOf(`agent-${round}-${call}`));
      counting.giveBack(counting.take());
    }
    const counted = counting.take().get(A);
    expect(counted?.accepted).toBe(5000);
    expect(counted?.callers).toHaveLength(41);
    expect(counted?.callers.find(({ network }) => network === OTHERS)?.accepted).toBeGreaterThan(4000);
    expect(counted?.callers.reduce((sum, { accepted }) => sum + accepted, 0)).toBe(5000);
  });

  it('of a refused call is asked for apart from accepted calls', () => {
    const counting = new Counting(() => 0.99);
    for (let call = 0; call < 100; call++) counting.count(A, 'a', null, callerOf('server'));
    counting.count(A, 'a', 'network', callerOf('stranger', { address: '203.0.113.7' }));
    expect(counting.take().get(A)).toEqual({
      tokenId: 'a',
      accepted: 100,
      refused: 1,
      reasons: { network: 1 },
      addresses: ['203.0.113.7/32'],
      callers: [
        { ...traitsOf('server'), accepted: 100, refused: 0 },
        { ...traitsOf('stranger'), accepted: 0, refused: 1 },
      ],
    });
  });
});
