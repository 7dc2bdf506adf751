import { createHash, createHmac } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mac64, macKey, sha256 } from './sha-256.ts';

describe('SHA-256', () => {
  // FIPS 180-4's own examples, and the empty text.
  it.each([
    ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
    [
      'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
      '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
    ],
  ])('knows the published answer for "%s"', (text, hash) => {
    expect(sha256(text)).toBe(hash);
  });

  it('pads a text of every length up to 200 bytes as node:crypto does', () => {
    for (let length = 0; length <= 200; length++) {
      const text = 'x'.repeat(length);
      expect(sha256(text)).toBe(createHash('sha256').update(text).digest('hex'));
    }
  });

  it('agrees with node:crypto on any text, beyond ASCII too', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (text) => {
        expect(sha256(text)).toBe(createHash('sha256').update(text).digest('hex'));
      }),
      { numRuns: 1000 },
    );
  });
});

describe('HMAC-SHA-256', () => {
  it('agrees with node:crypto on any key, longer than a block too, and any ASCII text', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 130 }),
        fc.string({ unit: 'binary-ascii', maxLength: 200 }),
        (key, text) => {
          const expected = createHmac('sha256', key).update(text).digest();
          const view = new DataView(expected.buffer, expected.byteOffset, 8);
          expect(mac64(macKey(key), text)).toEqual({ high: view.getUint32(0), low: view.getUint32(4) });
        },
      ),
      { numRuns: 1000 },
    );
  });
});
