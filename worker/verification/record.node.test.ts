import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PLANS } from '../organisation/organisation.ts';
import { hashOfSecret, sealOf, tagKeyOf } from '../token/secret.ts';
import { ACCESS } from '../token/limits.ts';
import { parseNetwork } from '../token/network.ts';
import type { TagKeyRing } from '../token/secret.ts';
import { readCachedRecord, writeCachedRecord } from './record.ts';

const KEYS = ['1', '2', 'z'].map((id, index) => [id, tagKeyOf(new Uint8Array(32).fill(index))] as const);
const ringOf = (current: string, ids: string[]): TagKeyRing => ({
  current,
  keys: new Map(KEYS.filter(([id]) => ids.includes(id))),
});
const RING = ringOf('1', ['1', '2']);
const HASH = hashOfSecret('one');
const OTHER = hashOfSecret('another');
const RECORD = {
  asOf: { seq: 7, nonce: '0123456789abcdef' },
  holder: { tokenId: crypto.randomUUID(), organisationId: 'acme', plan: 'enterprise', active: true },
} as const;

const record = fc.record({
  asOf: fc.record({
    seq: fc.maxSafeNat(),
    nonce: fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 16, maxLength: 16 }),
  }),
  holder: fc.record({
    tokenId: fc.uuid(),
    organisationId: fc.stringMatching(/^[A-Za-z0-9][\w.~-]{0,127}$/),
    plan: fc.constantFrom(...PLANS),
    active: fc.boolean(),
  }),
});
const recordWithEnd = fc
  .tuple(record, fc.maxSafeNat())
  .map(([{ asOf, holder }, expiresAt]) => ({ asOf, holder: { ...holder, expiresAt } }));

const recordWithLimits = fc
  .tuple(
    fc.oneof(record, recordWithEnd),
    fc.record({
      access: fc.constantFrom(...ACCESS),
      paths: fc.array(fc.constantFrom('/v1/a', '/v1/b~c', "/v1/d'e"), { maxLength: 5 }),
      networks: fc.array(
        fc
          .tuple(fc.oneof(fc.ipV4(), fc.ipV6()), fc.nat(128))
          .map(([address, length]) => parseNetwork(`${address}/${length}`)),
        { maxLength: 10 },
      ),
      origins: fc.array(
        fc.webUrl().map((url) => new URL(url).origin),
        { maxLength: 5 },
      ),
    }),
  )
  .map(([{ asOf, holder }, limits]) => ({
    asOf,
    holder: {
      ...holder,
      limits: { ...limits, networks: limits.networks.filter((network) => network !== null) },
    },
  }));

const recordOfPaused = fc
  .oneof(record, recordWithEnd, recordWithLimits)
  .map(({ asOf, holder }) => ({ asOf, holder: { ...holder, isPaused: true as const } }));

/** A record with any body, written by a person who has the key. */
function sealed(body: string, hash = HASH, version = 2): string {
  const key = RING.keys.get('1');
  if (key === undefined) throw new Error('no such key');
  return `${version}1${sealOf(key, hash, body)}${body}`;
}

describe('a record in KV', () => {
  it('comes back as it went in', () => {
    fc.assert(
      fc.property(fc.oneof(record, recordWithEnd, recordWithLimits, recordOfPaused), (value) => {
        expect(readCachedRecord(RING, HASH, writeCachedRecord(RING, HASH, value))).toEqual(value);
      }),
    );
  });

  it('is bound to its hash, and is ignored under the key of another token', () => {
    fc.assert(
      fc.property(record, (value) => {
        expect(readCachedRecord(RING, OTHER, writeCachedRecord(RING, HASH, value))).toBeNull();
      }),
    );
  });

  it('is ignored when any one of its characters is changed', () => {
    const text = writeCachedRecord(RING, HASH, RECORD) ?? '';
    for (let at = 0; at < text.length; at++) {
      for (const other of ['0', 'a', '"', ' ', 'Ā']) {
        if (text[at] === other) continue;
        expect(readCachedRecord(RING, HASH, text.slice(0, at) + other + text.slice(at + 1))).toBeNull();
      }
    }
  });

  it('is used while its key is in the ring, even if another key is current, and ignored after that', () => {
    const text = writeCachedRecord(ringOf('1', ['1']), HASH, RECORD);
    expect(readCachedRecord(ringOf('2', ['1', '2']), HASH, text)).toEqual(RECORD);
    expect(readCachedRecord(ringOf('2', ['2', 'z']), HASH, text)).toBeNull();
    // The same id with other bytes is another key.
    const renewed = { current: '1', keys: new Map([['1', tagKeyOf(new Uint8Array(32).fill(9))]]) };
    expect(readCachedRecord(renewed, HASH, text)).toBeNull();
  });

  it('is ignored if it is of the release before, of a later one, or has no seal', () => {
    const text = writeCachedRecord(RING, HASH, RECORD) ?? '';
    const { tokenId, organisationId, plan, active } = RECORD.holder;
    const before = JSON.stringify([7, RECORD.asOf.nonce, tokenId, organisationId, plan, active]);
    for (const other of [
      before,
      text.slice(0, 2) + before,
      `3${text.slice(1)}`,
      text.slice(1),
      `${text}\n`,
    ]) {
      expect(readCachedRecord(RING, HASH, other)).toBeNull();
    }
    // And the release before cannot read ours as one of its own: it parses JSON.
    expect(() => JSON.parse(text) as unknown).toThrow(SyntaxError);
  });

  it('is ignored if a field has another type or shape, or there is one more field, even with a right seal', () => {
    const { tokenId, organisationId, plan, active } = RECORD.holder;
    const good: unknown[] = [7, RECORD.asOf.nonce, tokenId, organisationId, plan, active];
    expect(readCachedRecord(RING, HASH, sealed(JSON.stringify(good)))).toEqual(RECORD);
    const wrong: [field: number, value: unknown][] = [
      ...good.flatMap((value, field) =>
        [null, 1.5, '', [], {}, typeof value === 'string' ? 7 : 'text'].map((other): [number, unknown] => [
          field,
          other,
        ]),
      ),
      [0, 2 ** 60],
      [1, '0123456789ABCDEF'],
      [2, '__proto__'],
      [2, tokenId.toUpperCase().padEnd(36, 'A')],
      [3, '__proto__'],
      [3, 'a b'],
      [3, 'a'.repeat(129)],
      [4, 'free'],
      [5, 1],
    ];
    for (const [field, value] of wrong) {
      if (value === good[field]) continue;
      expect(readCachedRecord(RING, HASH, sealed(JSON.stringify(good.with(field, value))))).toBeNull();
    }
    expect(readCachedRecord(RING, HASH, sealed(JSON.stringify([...good, 'suspended'])))).toBeNull();
    expect(readCachedRecord(RING, HASH, sealed(JSON.stringify(good.slice(1))))).toBeNull();
  });

  it('is written as the release before reads it without an end, and in a version that it ignores with an end', () => {
    fc.assert(
      fc.property(record, recordWithEnd, (without, withEnd) => {
        expect(writeCachedRecord(RING, HASH, without)).toMatch(/^2/);
        expect(writeCachedRecord(RING, HASH, withEnd)).toMatch(/^3/);
      }),
    );
    const { tokenId, organisationId, plan, active } = RECORD.holder;
    const fields = [7, RECORD.asOf.nonce, tokenId, organisationId, plan, active];
    const read = (version: number, ...end: unknown[]) =>
      readCachedRecord(RING, HASH, sealed(JSON.stringify([...fields, ...end]), HASH, version));
    expect(read(3, 5)).toEqual({ ...RECORD, holder: { ...RECORD.holder, expiresAt: 5 } });
    // An end in the version that knows none, none in the version that has one, and what is no instant.
    for (const other of [read(2, 5), read(3), read(3, null), read(3, 1.5), read(3, '5'), read(3, 5, 6)])
      expect(other).toBeNull();
  });

  it('with limits is written in a version that is nothing to the releases before, and limits that cannot be read are never none', () => {
    fc.assert(
      fc.property(recordWithLimits, (value) => {
        expect(writeCachedRecord(RING, HASH, value)).toMatch(/^4/);
      }),
    );
    const { tokenId, organisationId, plan, active } = RECORD.holder;
    const fields = [7, RECORD.asOf.nonce, tokenId, organisationId, plan, active];
    const read = (version: number, ...more: unknown[]) =>
      readCachedRecord(RING, HASH, sealed(JSON.stringify([...fields, ...more]), HASH, version));
    const written = ['read', ['/v1/a'], ['203.0.113.0/24'], ['https://shop.example']];
    const limits = {
      access: 'read',
      paths: ['/v1/a'],
      networks: [parseNetwork('203.0.113.0/24')],
      origins: ['https://shop.example'],
    };
    expect(read(4, null, written)).toEqual({ ...RECORD, holder: { ...RECORD.holder, limits } });
    expect(read(4, 5, written)).toEqual({ ...RECORD, holder: { ...RECORD.holder, expiresAt: 5, limits } });
    const wrong = [
      ['write', ...written.slice(1)],
      ['read', ['/v1/a', 7], [], []],
      ['read', '/v1/a', [], []],
      ['read', [], ['the office'], []],
      ['read', [], [null], []],
      ['read', [], [], {}],
      ['read', [], []],
      ['read', [], [], [], []],
      [],
      null,
      'full',
    ];
    for (const other of wrong) expect(read(4, null, other)).toBeNull();
    for (const version of [2, 3]) expect(read(version, null, written)).toBeNull();
    expect(read(4, '5', written)).toBeNull();
    expect(read(4, 5)).toBeNull();
    expect(read(4)).toBeNull();
  });

  it('of a paused organisation is written in a version that is nothing to the releases before, and is never read without the pause', () => {
    fc.assert(
      fc.property(recordOfPaused, (value) => {
        expect(writeCachedRecord(RING, HASH, value)).toMatch(/^5/);
      }),
    );
    const { tokenId, organisationId, plan, active } = RECORD.holder;
    const fields = [7, RECORD.asOf.nonce, tokenId, organisationId, plan, active];
    const read = (version: number, ...more: unknown[]) =>
      readCachedRecord(RING, HASH, sealed(JSON.stringify([...fields, ...more]), HASH, version));
    const isPaused = true;
    expect(read(5, null, null, 'paused')).toEqual({ ...RECORD, holder: { ...RECORD.holder, isPaused } });
    expect(read(5, 5, null, 'paused')).toEqual({
      ...RECORD,
      holder: { ...RECORD.holder, expiresAt: 5, isPaused },
    });
    for (const version of [2, 3, 4]) expect(read(version, null, null, 'paused')).toBeNull();
    for (const more of [
      [],
      [5],
      [null, null],
      [null, null, null],
      [null, null, true],
      [null, 'full', 'paused'],
      ['5', null, 'paused'],
      [null, null, 'paused', 'paused'],
    ])
      expect(read(5, ...more)).toBeNull();
  });

  it('is ignored for any other text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(readCachedRecord(RING, HASH, text)).toBeNull();
        expect(readCachedRecord(RING, HASH, sealed(`[${text}`))).toBeNull();
      }),
      { examples: [[''], ['null'], ['[]'], ['{}'], ['0'], ['[7,"n"'], ['{"0":7,"length":6}']] },
    );
    expect(readCachedRecord(RING, HASH, null)).toBeNull();
  });

  it('is not written if it could not be read again', () => {
    const odd = { ...RECORD, holder: { ...RECORD.holder, organisationId: 'größe' } };
    expect(writeCachedRecord(RING, HASH, odd)).toBeNull();
  });
});
