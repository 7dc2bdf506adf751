import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PLANS } from '../organisation/organisation.ts';
import { readCachedRecord, writeCachedRecord } from './record.ts';

const holder = fc.record({
  tokenId: fc.string(),
  organisationId: fc.string(),
  plan: fc.constantFrom(...PLANS),
  active: fc.boolean(),
});
const asOf = fc.record({ seq: fc.maxSafeNat(), nonce: fc.string() });

describe('a record in KV', () => {
  it('comes back as it went in', () => {
    fc.assert(
      fc.property(asOf, holder, (head, value) => {
        expect(readCachedRecord(writeCachedRecord(head, value))).toEqual({ asOf: head, holder: value });
      }),
    );
  });

  it('is nothing at all where any field is of another kind', () => {
    const good: unknown[] = [7, 'nonce', 'token', 'organisation', 'enterprise', true];
    expect(readCachedRecord(JSON.stringify(good))).not.toBeNull();
    const wrong = fc.tuple(fc.nat(5), fc.oneof(fc.jsonValue(), fc.double()));
    fc.assert(
      fc.property(wrong, ([field, value]) => {
        const before = good[field];
        fc.pre(typeof value !== typeof before || (field === 4 && value !== 'enterprise'));
        expect(readCachedRecord(JSON.stringify(good.with(field, value)))).toBeNull();
      }),
    );
    for (const seq of [1.5, 2 ** 60, null, '7']) {
      expect(readCachedRecord(JSON.stringify(good.with(0, seq)))).toBeNull();
    }
  });

  it('is nothing at all for whatever else stands there', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(readCachedRecord(text)).toBeNull();
      }),
      { examples: [[''], ['null'], ['[]'], ['{}'], ['0'], ['[7,"n"'], ['{"0":7,"length":6}']] },
    );
    expect(readCachedRecord(null)).toBeNull();
  });
});
