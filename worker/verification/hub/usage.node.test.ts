import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countedOf, hashOf } from '../simulation/table.ts';
import type { Counts } from '../sync.ts';
import { CALLERS_WAITING, ROWS_KEPT, Usage } from './usage.ts';

const HOUR_MS = 3_600_000;
const one = (tokenId: string): Counts => new Map([[hashOf(tokenId), countedOf(tokenId)]]);
// Names that a plain object has before anybody writes to it.
const IDS = ['a', 'b', 'constructor', '__proto__'] as const;
const count = fc.nat(1000);
const told = fc.record({
  counts: fc
    .uniqueArray(fc.tuple(fc.constantFrom(...IDS), fc.tuple(count, count)), { selector: ([id]) => id })
    .map(
      (entries): Counts =>
        new Map(entries.map(([id, [accepted, refused]]) => [hashOf(id), countedOf(id, accepted, refused)])),
    ),
  now: fc.integer({ min: 0, max: 5 * HOUR_MS }),
});

describe('the sums of a hub', () => {
  it('count every call once, by secret and by hour, in any number of parts', () => {
    fc.assert(
      fc.property(fc.array(told), fc.nat(10), (all, part) => {
        const usage = new Usage();
        const taken = [];
        for (const [index, { counts, now }] of all.entries()) {
          usage.add(counts, now);
          if (index === part) taken.push(...usage.take());
        }
        taken.push(...usage.take());
        const sum = new Usage();
        for (const row of taken) sum.addRow(row);
        const rows = sum.take();
        for (const tokenId of IDS) {
          for (let hour = 0; hour <= 5; hour++) {
            const mine = all.filter(
              ({ counts, now }) => counts.has(hashOf(tokenId)) && Math.floor(now / HOUR_MS) === hour,
            );
            const row = rows.find((each) => each.tokenId === tokenId && each.hour === hour);
            const expected = (which: 'accepted' | 'refused') =>
              mine.reduce((total, { counts }) => total + (counts.get(hashOf(tokenId))?.[which] ?? 0), 0);
            expect(row?.accepted ?? 0).toBe(expected('accepted'));
            expect(row?.refused ?? 0).toBe(expected('refused'));
            const used = mine
              .filter(({ counts }) => (counts.get(hashOf(tokenId))?.accepted ?? 0) > 0)
              .map(({ now }) => new Date(now).toISOString());
            expect(row?.usedAt ?? null).toBe(used.toSorted().at(-1) ?? null);
          }
        }
        expect(usage.isEmpty).toBe(true);
      }),
    );
  });

  it('are bounded: the oldest rows are dropped, and their number is answered once', () => {
    const usage = new Usage();
    for (let token = 0; token < ROWS_KEPT + 5; token++) usage.add(one(`t${token}`), 0);
    usage.add(one('t5'), 0);
    expect(usage.takeDropped()).toBe(5);
    expect(usage.takeDropped()).toBe(0);
    const rows = usage.take();
    expect(rows).toHaveLength(ROWS_KEPT);
    expect(rows[0]).toMatchObject({ tokenId: 't5', accepted: 2 });
  });

  it('keep a bounded number of callers: those of the oldest rows are added up, and no call is lost', () => {
    const usage = new Usage();
    const rows = 4000;
    for (let token = 0; token < rows; token++) {
      const callers = Array.from({ length: 20 }, (_, index) => ({
        network: 64_496,
        networkName: 'Example',
        country: 'DE',
        agent: `agent-${index}`,
        accepted: 1,
        refused: 0,
      }));
      usage.add(new Map([[hashOf(`t${token}`), { ...countedOf(`t${token}`, 20), callers }]]), 0);
    }
    const kept = usage.take().map(({ callers = [] }) => callers);
    expect(kept).toHaveLength(rows);
    expect(kept[0]).toMatchObject([{ network: -1, accepted: 20, lastAt: '1970-01-01T00:00:00.000Z' }]);
    expect(kept.at(-1)).toHaveLength(20);
    expect(kept.flat().length - rows).toBeLessThanOrEqual(CALLERS_WAITING);
    expect(kept.flat().reduce((sum, { accepted }) => sum + accepted, 0)).toBe(rows * 20);
  });
});
