// One address has one form: whatever the normalisation lets through is plain, and two spellings never meet by folding.
import { assert, constantFrom, integer, nat, property, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normaliseEmail } from './email.ts';

const ADDRESS = 'owner@example.com';

function isAsciiFold(address: string, text: string): boolean {
  return address === text.replace(/[A-Z]/g, (letter) => String.fromCharCode(letter.charCodeAt(0) + 32));
}

describe('an e-mail address', () => {
  it('is what was given, with A to Z in small letters and nothing else changed', () => {
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

  it('refuses every character outside ASCII at any place', () => {
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

  it.each([
    ['dots in the part before the @', 'anna.maria.lee@example.com'],
    ['64 characters before the @', `${'a'.repeat(64)}@example.com`],
    ['a label of 63 characters', `a@${'b'.repeat(63)}.co`],
    ['a last label of one character', 'a@example.x'],
    ['hyphens inside of labels', 'a@b--c.d-e'],
    ['254 characters', `${'a'.repeat(64)}@${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(61)}`],
  ])('accepts %s', (_, text) => {
    expect(normaliseEmail(text)).toBe(text);
  });

  it.each([
    ['65 characters before the @', `${'a'.repeat(65)}@example.com`],
    ['255 characters', `${'a'.repeat(64)}@${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(62)}`],
    ['a label of 64 characters', `a@${'b'.repeat(64)}.co`],
    ['a last label of 64 characters', `a@b.${'c'.repeat(64)}`],
    ['a host without a dot', 'a@localhost'],
    ['a hyphen at the start of a label', 'a@-b.co'],
    ['a hyphen at the end of a label', 'a@b-.co'],
    ['a hyphen at the end', 'a@b.c-'],
    ['a dot at the start', '.a@b.co'],
    ['two dots', 'a..b@b.co'],
    ['a dot before the @', 'a.@b.co'],
    ['two @', 'a@b@c.co'],
    ['nothing before the @', '@b.co'],
    ['a line break at the end', 'a@b.co\n'],
    ['a space at the start', ' a@b.co'],
    ['quotes', '"a"@b.co'],
    ['an address literal', 'a@[127.0.0.1]'],
  ])('refuses %s', (_, text) => {
    expect(normaliseEmail(text)).toBeNull();
  });
});
