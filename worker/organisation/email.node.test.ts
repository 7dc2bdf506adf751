// One address has one form: whatever the normalisation lets through is plain, and two spellings never meet by folding.
import { assert, constantFrom, integer, nat, property, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normaliseEmail } from './email.ts';

const ADDRESS = 'owner@example.com';

function isAsciiFold(address: string, text: string): boolean {
  return address === text.replace(/[A-Z]/g, (letter) => String.fromCharCode(letter.charCodeAt(0) + 32));
}

describe('an e-mail address', () => {
  it('is what was given with A to Z made small, and nothing else was folded', () => {
    // The Kelvin sign, full-width and dotted letters and the long s are other letters that become k, a, i and s.
    const letters = [...'aAzZ0.-+@@K\u212a\uff41\u0430\u200b\u0130\u017f '];
    assert(
      property(string({ unit: constantFrom(...letters), maxLength: 12 }), (text) => {
        const address = normaliseEmail(`${text}.co`);
        const isPlain =
          address === null || (isAsciiFold(address, `${text}.co`) && normaliseEmail(address) === address);
        expect(isPlain).toBe(true);
      }),
      { numRuns: 5000 },
    );
  });

  it('refuses every character outside ASCII, wherever it stands', () => {
    const outside = integer({ min: 0x80, max: 0x10ffff })
      .filter((point) => point < 0xd800 || point > 0xdfff)
      .map((point) => String.fromCodePoint(point));
    assert(
      property(outside, nat(ADDRESS.length), (letter, at) => {
        expect(normaliseEmail(ADDRESS.slice(0, at) + letter + ADDRESS.slice(at))).toBeNull();
      }),
      { numRuns: 5000 },
    );
  });

  it.each([ADDRESS, 'OWNER@Example.COM', 'a@b.co', "o'brien+tag@mail.example.com"])('accepts %s', (text) => {
    expect(normaliseEmail(text)).toBe(text.toLowerCase());
  });
});
