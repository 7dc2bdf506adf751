import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TokenHash } from '../token/secret.ts';
import { Memory } from './memory.ts';
import type { Holder } from './record.ts';

// The brand says "a SHA-256 in hex"; for the memory any string will do.
const hashOf = (name: number | string) => String(name) as TokenHash;
const holderOf = (asOf: number): Holder => ({
  tokenId: String(asOf),
  organisationId: 'o',
  plan: 'enterprise',
  active: true,
});
const head = (seq: number) => ({ seq, nonce: `n${seq}` });

describe('what is remembered', () => {
  it('is never older than a change that was learned, whatever comes in which order', () => {
    const hash = fc.integer({ min: 0, max: 4 });
    const seq = fc.integer({ min: 1, max: 60 });
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('put' as const), hash, seq }) },
      fc.record({ kind: fc.constant('learn' as const), hash, seq }),
      // More changes than an isolate keeps: the first ones fall under the floor.
      fc.record({ kind: fc.constant('flood' as const), hash, seq }),
      fc.record({ kind: fc.constant('restart' as const), hash, seq }),
      fc.record({ kind: fc.constant('forget' as const), hash, seq }),
    );
    let kept = 0;
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const memory = new Memory();
        const changed = new Map<number, number>();
        let floor = 0;
        for (const { kind, hash: which, seq: at } of steps) {
          if (kind === 'put') memory.put(hashOf(which), at, holderOf(at));
          if (kind === 'learn' || kind === 'flood') {
            memory.learn(head(at), [[hashOf(which), at]]);
            changed.set(which, Math.max(at, changed.get(which) ?? 0));
          }
          if (kind === 'flood') {
            memory.learn(
              head(at),
              Array.from({ length: 2100 }, (_, index) => [hashOf(`other ${index}`), at]),
            );
          }
          if (kind === 'restart') {
            memory.restart(head(at));
            floor = at;
            changed.clear();
          }
          if (kind === 'forget') {
            memory.forget();
            floor = Math.max(floor, memory.head?.seq ?? 0);
          }
          for (let each = 0; each < 5; each++) {
            const remembered = memory.get(hashOf(each));
            if (remembered === undefined) continue;
            kept++;
            const asOf = Number(remembered.holder?.tokenId);
            expect(asOf).toBeGreaterThanOrEqual(changed.get(each) ?? 0);
            expect(asOf).toBeGreaterThanOrEqual(floor);
          }
        }
      }),
      { numRuns: 300 },
    );
    // A memory that forgets everything would pass as well.
    expect(kept).toBeGreaterThan(200);
  });

  it('includes that a genuine secret has no row', () => {
    const memory = new Memory();
    memory.put(hashOf('deleted'), 7, null);
    expect(memory.get(hashOf('deleted'))).toEqual({ holder: null });
  });

  it('survives an older head that arrives late', () => {
    const memory = new Memory();
    memory.learn(head(9), []);
    memory.learn(head(5), []);
    expect(memory.head).toEqual(head(9));
  });
});

describe('the bounds of memory', () => {
  it('hold 10,000 records at most, and keep the one that is asked for', () => {
    const memory = new Memory();
    memory.put(hashOf('dear'), 1, holderOf(1));
    let largest = 0;
    for (let index = 0; index < 50_000; index++) {
      memory.put(hashOf(index), 1, holderOf(1));
      if (index % 100 === 0) memory.get(hashOf('dear'));
      largest = Math.max(largest, memory.size);
    }
    expect(largest).toBeLessThanOrEqual(10_000);
    expect(memory.get(hashOf('dear'))).toBeDefined();
    expect(memory.get(hashOf(0))).toBeUndefined();
    expect(memory.get(hashOf(49_999))).toBeDefined();
  });

  it('take at most 8 MB, full of records and of changes', () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    // Strings of their own, as JSON and a hash make them: a slice or a concatenation would be counted wrongly.
    const fresh = (length: number, index: number) =>
      Buffer.from(index.toString(36).padStart(length, '-')).toString('latin1');
    collect();
    const before = process.memoryUsage().heapUsed;
    const memory = new Memory();
    for (let index = 0; index < 9999; index++) {
      memory.put(fresh(64, index) as TokenHash, 1, {
        tokenId: fresh(36, index),
        organisationId: fresh(36, index),
        plan: 'enterprise',
        active: true,
      });
    }
    memory.learn(
      head(4000),
      Array.from({ length: 4000 }, (_, index) => [fresh(64, index + 100_000) as TokenHash, index + 1]),
    );
    collect();
    const used = (process.memoryUsage().heapUsed - before) / 1024 / 1024;
    expect(memory.size).toBe(9999);
    expect(used).toBeLessThan(8);
    expect(used).toBeGreaterThan(1);
  });
});
