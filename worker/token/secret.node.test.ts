import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  hashOfSecret,
  isGenuineSecret,
  isSameSecret,
  mintSecret,
  previewOfSecret,
  readTagKeyRing,
} from './secret.ts';
import vectors from './secret.vectors.json' with { type: 'json' };

const KEY = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8';

function ring(keys: Record<string, string> = { 1: KEY }, current = '1') {
  const result = readTagKeyRing(JSON.stringify(keys), current);
  if (!result.ok) throw new Error(result.reason);
  return result.ring;
}

describe('secret', () => {
  it.each(vectors)('agrees with an independent implementation: $id', ({ key, id, secret, hash }) => {
    expect(isGenuineSecret(ring({ [id]: key }, id), secret)).toBe(true);
    expect(hashOfSecret(secret)).toBe(hash);
  });

  it('is minted in the shape that scanners look for, and recognised', () => {
    const secret = mintSecret(ring());
    expect(secret).toMatch(/^9p[0-9A-Za-z]{3}_dz1_[0-9A-Za-z]{47}$/);
    expect(isGenuineSecret(ring(), secret)).toBe(true);
    expect(previewOfSecret(secret)).toBe(secret.slice(0, 5));
  });

  it('is refused when any one character is another', () => {
    const secret = mintSecret(ring());
    fc.assert(
      fc.property(fc.nat(56), fc.constantFrom(...'0129AZaz_-'), (index, digit) => {
        fc.pre(secret[index] !== digit);
        return !isGenuineSecret(ring(), secret.slice(0, index) + digit + secret.slice(index + 1));
      }),
    );
  });

  it('is refused when another key made it, whatever its checksum says', () => {
    const other = ring({ 1: 'ISEhISEhISEhISEhISEhISEhISEhISEhISEhISEhISE' });
    expect(isGenuineSecret(ring(), mintSecret(other))).toBe(false);
  });

  it('goes on working after the ring has turned, and new ones carry the new key', () => {
    const old = mintSecret(ring());
    const turned = ring({ 1: KEY, 2: 'ISEhISEhISEhISEhISEhISEhISEhISEhISEhISEhISE' }, '2');
    expect(isGenuineSecret(turned, old)).toBe(true);
    expect(mintSecret(turned)[8]).toBe('2');
  });

  it('is the same as itself alone: not as a part, a longer text, or one with another character', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        expect(isSameSecret(a, b)).toBe(a === b);
        expect(isSameSecret(a, a)).toBe(true);
        expect(isSameSecret(a, `${a}x`)).toBe(false);
      }),
    );
  });

  it('draws again what would favour a digit', () => {
    let call = 0;
    const secret = mintSecret(ring(), (bytes) => bytes.fill(call++ === 0 ? 255 : 61));
    expect(secret.slice(2, 5)).toBe('zzz');
  });
});

describe('tag key ring', () => {
  it.each([
    ['missing', undefined, '1'],
    ['not JSON', '{', '1'],
    ['a list', '[]', '1'],
    ['empty', '{}', '1'],
    ['short', JSON.stringify({ 1: KEY.slice(0, 40) }), '1'],
    ['not base64url', JSON.stringify({ 1: `${KEY}*` }), '1'],
    ['under a long id', JSON.stringify({ 10: KEY }), '10'],
    ['without the current key', JSON.stringify({ 1: KEY }), '2'],
    ['with a prototype name for the current key', JSON.stringify({ 1: KEY }), 'constructor'],
  ])('refuses a ring that is %s', (_, json, current) => {
    expect(readTagKeyRing(json, current)).toMatchObject({ ok: false });
  });
});
