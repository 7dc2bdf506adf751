import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TokenHash } from '../../token/secret.ts';
import { Memory } from './memory.ts';
import type { Holder } from '../record.ts';

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
  it('is never older than a learned change, in any order of answers', () => {
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

  it('is kept for tokens, even after many secrets without a row, which have their own bound', () => {
    const memory = new Memory();
    for (let token = 0; token < 4000; token++) memory.put(hashOf(token), 7, holderOf(7));
    for (let secret = 0; secret < 12_000; secret++) memory.put(hashOf(`deleted ${secret}`), 7, null);
    for (let token = 0; token < 4000; token++) expect(memory.get(hashOf(token))?.holder).toEqual(holderOf(7));
    expect(memory.get(hashOf(0))).toBeDefined();
    expect(memory.size).toBeLessThanOrEqual(6000);
    // A row that appears takes the place of its absence, and the other way round.
    memory.put(hashOf('deleted 11999'), 8, holderOf(8));
    memory.put(hashOf(1), 8, null);
    expect(memory.get(hashOf('deleted 11999'))?.holder).not.toBeNull();
    expect(memory.get(hashOf(1))).toEqual({ holder: null });
  });

  it('includes that a genuine secret has no row', () => {
    const memory = new Memory();
    memory.put(hashOf('deleted'), 7, null);
    expect(memory.get(hashOf('deleted'))).toEqual({ holder: null });
  });

  it('forgets that a secret has no row when it changes, and with everything else', () => {
    const memory = new Memory();
    const hashes = [hashOf('a'), hashOf('b'), hashOf('c')] as const;
    for (const hash of hashes) memory.put(hash, 7, null);
    memory.put(hashOf('d'), 7, holderOf(7));
    expect(memory.size).toBe(4);
    memory.learn(head(8), [[hashes[0], 8]]);
    expect(hashes.map((hash) => memory.get(hash))).toEqual([undefined, { holder: null }, { holder: null }]);
    expect(memory.size).toBe(3);
    memory.forget();
    expect([...hashes.map((hash) => memory.get(hash)), memory.size]).toEqual([
      undefined,
      undefined,
      undefined,
      0,
    ]);
  });

  it('survives an older head that arrives late', () => {
    const memory = new Memory();
    memory.learn(head(9), []);
    memory.learn(head(5), []);
    expect(memory.head).toEqual(head(9));
  });
});

describe('what was learned', () => {
  const names = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
  /** Whether a record that was read at `asOf` is taken. */
  const takes = (memory: Memory, name: number | string, asOf: number): boolean => {
    memory.put(hashOf(name), asOf, holderOf(asOf));
    return memory.get(hashOf(name))?.holder?.tokenId === String(asOf);
  };

  it('refuses a record from before a change, and takes one from then on', () => {
    const memory = new Memory();
    memory.learn(head(9), [[hashOf('a'), 9]]);
    expect(takes(memory, 'a', 8)).toBe(false);
    expect(takes(memory, 'a', 9)).toBe(true);
  });

  it('is not forgotten for an older change that arrives late', () => {
    const memory = new Memory();
    memory.learn(head(9), [[hashOf('a'), 9]]);
    memory.learn(head(5), [[hashOf('a'), 5]]);
    expect(takes(memory, 'a', 7)).toBe(false);
  });

  it('moves the head on, and leaves the same one as it is', () => {
    const memory = new Memory();
    memory.learn(head(5), []);
    const known = head(9);
    memory.learn(known, []);
    memory.learn(head(9), []);
    expect(memory.head).toBe(known);
  });

  it('drops a record, also one that was not asked for in a long time', () => {
    const memory = new Memory();
    memory.put(hashOf('aged'), 1, holderOf(1));
    for (const name of names(5000)) memory.put(hashOf(name), 1, holderOf(1));
    memory.learn(head(2), [[hashOf('aged'), 2]]);
    expect(memory.get(hashOf('aged'))).toBeUndefined();
  });

  it('is kept of 2,000 changes, and records from before them are refused', () => {
    const memory = new Memory();
    const changes = (count: number) => names(count).map((seq) => [hashOf(seq), seq] as const);
    memory.learn(head(2000), changes(2000));
    expect(takes(memory, 'other', 0)).toBe(true);
    memory.learn(head(2002), changes(2002).slice(2000));
    expect(takes(memory, 'another', 1)).toBe(false);
    expect(takes(memory, 'another', 2)).toBe(true);
  });

  it('goes the oldest first, where the newest change of a token counts', () => {
    const memory = new Memory();
    memory.learn(
      head(2000),
      names(2000).map((seq) => [hashOf(seq), seq] as const),
    );
    memory.learn(head(2001), [[hashOf(1), 2001]]);
    // The same once more, by a slower answer.
    memory.learn(head(2001), [[hashOf(2), 2]]);
    memory.learn(head(2002), [[hashOf('x'), 2002]]);
    expect(takes(memory, 'y', 1)).toBe(false);
    expect(takes(memory, 'y', 2)).toBe(true);
    expect(takes(memory, 1, 2000)).toBe(false);
  });

  it('is forgotten at a restart, and later records are kept', () => {
    const memory = new Memory();
    memory.learn(head(9), [[hashOf('a'), 9]]);
    memory.restart(head(3));
    expect(memory.generation).toBe(1);
    expect(takes(memory, 'a', 2)).toBe(false);
    expect(takes(memory, 'a', 3)).toBe(true);
    memory.restart(head(4));
    expect(memory.generation).toBe(2);
  });

  it('is kept when the records are forgotten, including old records', () => {
    const memory = new Memory();
    memory.put(hashOf('aged'), 1, holderOf(1));
    for (const name of names(5000)) memory.put(hashOf(name), 1, holderOf(1));
    memory.forget();
    expect(memory.size).toBe(0);
    expect(memory.get(hashOf('aged'))).toBeUndefined();
    // Changes from beyond the head were told by an answer whose head came late: the floor stays above them.
    memory.learn(
      head(1),
      names(2001).map((name) => [hashOf(name), 10] as const),
    );
    memory.forget();
    expect(takes(memory, 'other', 9)).toBe(false);
    expect(takes(memory, 'other', 10)).toBe(true);
  });
});

describe('the bounds of memory', () => {
  it('count no record twice, and none that is not there', () => {
    const memory = new Memory();
    memory.get(hashOf('nobody'));
    expect(memory.size).toBe(0);
    const fill = (from: number, to: number): void => {
      for (let name = from; name < to; name++) memory.put(hashOf(name), 1, holderOf(1));
    };
    fill(0, 5000);
    memory.get(hashOf(0));
    expect(memory.size).toBe(5000);
    fill(5000, 9998);
    expect(memory.size).toBe(9998);
    fill(9998, 9999);
    expect(memory.size).toBe(5000);
  });

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

  it('hold as many records beside 2,000 changes, of however many were learned', () => {
    const memory = new Memory();
    for (let name = 0; name < 9999; name++) memory.put(hashOf(name), 1, holderOf(1));
    const learned = Array.from({ length: 4000 }, (_, index) => [hashOf(`c${index}`), index + 1] as const);
    memory.learn(head(4000), learned);
    expect(memory.size).toBe(9999);
    // Of the changes before the last 2,000 nothing is kept, so a record of their time is not taken.
    memory.put(hashOf('other'), 1999, null);
    expect(memory.get(hashOf('other'))).toBeUndefined();
    memory.put(hashOf('other'), 2000, null);
    expect(memory.get(hashOf('other'))).toEqual({ holder: null });
  });
});
