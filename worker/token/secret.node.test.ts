import { createHmac } from 'node:crypto';
import { crc32 } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  TOKEN_ID,
  hasSecretShape,
  hashOfSecret,
  isGenuineSecret,
  isSameSecret,
  mintSecret,
  previewOfSecret,
  readTagKeyRing,
  sealOf,
  tagKeyOf,
} from './secret.ts';
import vectors from './secret.vectors.json' with { type: 'json' };

const KEY = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8';

function ring(keys: Record<string, string> = { 1: KEY }, current = '1') {
  const result = readTagKeyRing(JSON.stringify(keys), current);
  if (!result.ok) throw new Error(result.reason);
  return result.ring;
}

describe('the id of a token', () => {
  it('is a UUID in small letters, and nothing around it', () => {
    const id = '0123abcd-4567-89ab-cdef-0123456789af';
    expect(TOKEN_ID.test(id)).toBe(true);
    for (let at = 0; at < id.length; at++) {
      expect(TOKEN_ID.test(id.slice(0, at) + id.slice(at + 1))).toBe(false);
      expect(TOKEN_ID.test(`${id.slice(0, at)}g${id.slice(at + 1)}`)).toBe(false);
    }
    for (const text of [`x${id}`, `${id}x`, id.toUpperCase(), '__proto__', '', `${id}\n${id}`]) {
      expect([text, TOKEN_ID.test(text)]).toEqual([text, false]);
    }
  });
});

describe('the seal of a record', () => {
  it('is HMAC-SHA-256 over its label, the hash and the text, as another implementation has it', () => {
    const key = Buffer.alloc(32, 'k');
    const hash = hashOfSecret('a');
    const mac = createHmac('sha256', key).update(`dz-cached-record-v1:${hash}["a"]`).digest();
    const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
    let value = mac.readBigUInt64BE(0);
    let text = '';
    for (let digit = 0; digit < 11; digit++, value /= 62n) text = digits.charAt(Number(value % 62n)) + text;
    expect(sealOf(tagKeyOf(key), hash, '["a"]')).toBe(text);
  });
});

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

  it('still works after the current key has changed, and new secrets have the new key', () => {
    const old = mintSecret(ring());
    const turned = ring({ 1: KEY, 2: 'ISEhISEhISEhISEhISEhISEhISEhISEhISEhISEhISE' }, '2');
    expect(isGenuineSecret(turned, old)).toBe(true);
    expect(mintSecret(turned)[8]).toBe('2');
  });

  it('equals only itself: not a part of it, a longer text, or one with another character', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        expect(isSameSecret(a, b)).toBe(a === b);
        expect(isSameSecret(a, a)).toBe(true);
        expect(isSameSecret(a, `${a}x`)).toBe(false);
      }),
    );
  });

  it.each([255, 248])('draws a byte again that would make a digit more likely: %i', (byte) => {
    let call = 0;
    const secret = mintSecret(ring(), (bytes) => bytes.fill(call++ === 0 ? byte : 247));
    expect(secret.slice(2, 5)).toBe('zzz');
  });

  it('has no additional digit after one of several was drawn again', () => {
    const secret = mintSecret(ring(), (bytes) => {
      bytes.fill(247)[0] = 255;
      return bytes;
    });
    expect(secret.slice(0, 10)).toBe('9pzzz_dz1_');
    expect(secret).toHaveLength(57);
  });

  it('is refused in another shape, even where tag and checksum are right', () => {
    const forge = (body: string): string => {
      const tag = createHmac('sha256', Buffer.from(KEY, 'base64url'))
        .update(`dz-token-tag-v1:${body}`)
        .digest();
      const tagged = body + base62(tag.readBigUInt64BE(), 11);
      return tagged + base62(BigInt(crc32(tagged)), 6);
    };
    const random = 'a'.repeat(30);
    expect(isGenuineSecret(ring(), forge(`9pabc_dz1_${random}`))).toBe(true);
    for (const start of [
      '8pabc_dz1_',
      '9qabc_dz1_',
      '9pab-_dz1_',
      '9pabc-dz1_',
      '9pabc_dy1_',
      '9pabc_dz1-',
    ]) {
      expect(isGenuineSecret(ring(), forge(start + random))).toBe(false);
    }
  });

  it('is refused if the ring has no key with its id', () => {
    const other = ring({ 2: KEY }, '2');
    expect(isGenuineSecret(ring(), mintSecret(other))).toBe(false);
  });

  it('has 57 characters, each in its place', () => {
    const secret = mintSecret(ring());
    expect(hasSecretShape(secret)).toBe(true);
    for (const text of ['', 'x'.repeat(57), `x${secret}`, `${secret}x`, secret.slice(1), `${secret}\n`]) {
      expect(hasSecretShape(text)).toBe(false);
    }
  });

  it('is not minted by a ring without its own current key', () => {
    expect(() => mintSecret({ current: '9', keys: new Map() })).toThrow(
      'TAG_KEY_CURRENT: names no key of TAG_KEYS',
    );
  });
});

function base62(number: bigint, width: number): string {
  const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
  let text = '';
  for (let rest = number; text.length < width; rest /= 62n) text = digits.charAt(Number(rest % 62n)) + text;
  return text;
}

describe('tag key ring', () => {
  const OBJECT = 'TAG_KEYS: not a JSON object';
  const ID = 'TAG_KEYS: a key id is one base62 digit';
  const BYTES = 'TAG_KEYS: each key is at least 32 bytes in base64url';
  const CURRENT = 'TAG_KEY_CURRENT: names no key of TAG_KEYS';

  it.each([
    ['missing', undefined, '1', OBJECT],
    ['not JSON', '{', '1', OBJECT],
    ['a list', '[]', '1', OBJECT],
    ['null', 'null', '1', OBJECT],
    ['a number', '3', '1', OBJECT],
    ['a text', '"text"', '1', OBJECT],
    ['empty', '{}', '1', CURRENT],
    ['short', JSON.stringify({ 1: KEY.slice(0, 40) }), '1', BYTES],
    ['a number for a key', JSON.stringify({ 1: 3 }), '1', BYTES],
    ['not base64url', JSON.stringify({ 1: `${KEY}*` }), '1', BYTES],
    ['base64 of the other kind at its end', JSON.stringify({ 1: `${KEY}+` }), '1', BYTES],
    ['base64 of the other kind at its start', JSON.stringify({ 1: `/${KEY}` }), '1', BYTES],
    ['padded', JSON.stringify({ 1: `${KEY}=` }), '1', BYTES],
    ['of a length that no bytes have', JSON.stringify({ 1: `${KEY}AA` }), '1', BYTES],
    ['under a long id', JSON.stringify({ 10: KEY }), '10', ID],
    ['under an id that is no digit', JSON.stringify({ '-': KEY }), '-', ID],
    ['without the current key', JSON.stringify({ 1: KEY }), '2', CURRENT],
    ['without a current key', JSON.stringify({ 1: KEY }), undefined, CURRENT],
    ['with a prototype name for the current key', JSON.stringify({ 1: KEY }), 'constructor', CURRENT],
  ])('refuses a ring that is %s', (_, json, current, reason) => {
    expect(readTagKeyRing(json, current)).toEqual({ ok: false, reason });
  });

  it('follows from both settings', () => {
    const one = JSON.stringify({ 1: KEY });
    const two = JSON.stringify({ 1: KEY, 2: KEY });
    expect(readTagKeyRing(one, '1')).toMatchObject({ ok: true, ring: { current: '1' } });
    expect(readTagKeyRing(one, '2')).toMatchObject({ ok: false });
    expect(readTagKeyRing(two, '2')).toMatchObject({ ok: true, ring: { current: '2' } });
    expect(readTagKeyRing(two, '1')).toMatchObject({ ok: true, ring: { current: '1' } });
  });

  it('reads keys that hold every byte', () => {
    const key = Buffer.from(Uint8Array.from({ length: 256 }, (_, byte) => byte)).toString('base64url');
    expect([...(ring({ z: key }, 'z').keys.get('z')?.bytes ?? [])]).toEqual([
      ...Buffer.from(key, 'base64url'),
    ]);
  });
});
