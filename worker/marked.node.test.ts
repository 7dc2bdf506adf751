import { createHmac } from 'node:crypto';
import { expect, it } from 'vitest';
import { isMarked, markedValue } from './marked.ts';
import { ringOf } from './test/ring.ts';
import type { TagKeyRing } from './token/secret.ts';

const ring = ringOf('1', '1');

it('knows its own values, each for its use alone', () => {
  const values = Array.from({ length: 200 }, () => markedValue(ring, 'session'));
  expect(new Set(values).size).toBe(200);
  for (const value of values) {
    expect(value).toMatch(/^[\w-]{43}$/);
    expect([isMarked(ring, 'session', value), isMarked(ring, 'link', value)]).toEqual([true, false]);
  }
});

it('marks with HMAC-SHA-256, as another implementation has it', () => {
  const value = markedValue(ring, 'link');
  const mac = createHmac('sha256', Buffer.alloc(32, 'key 1')).update(`dz-link-mark-v1:${value.slice(0, 32)}`);
  expect(value.slice(32)).toBe(
    Buffer.from(mac.digest() as Uint8Array)
      .subarray(0, 8)
      .toString('base64url'),
  );
});

it('knows no value that was altered in any one character, cut, lengthened or made up', () => {
  const value = markedValue(ring, 'session');
  for (let at = 0; at < value.length; at++) {
    const altered = value.slice(0, at) + (value[at] === 'A' ? 'B' : 'A') + value.slice(at + 1);
    expect(isMarked(ring, 'session', altered)).toBe(false);
  }
  for (const text of [
    '',
    'x',
    value.slice(1),
    `${value}A`,
    'a'.repeat(43),
    `${value.slice(0, 42)}=`,
    '../..',
  ])
    expect(isMarked(ring, 'session', text)).toBe(false);
});

it('knows by its length and alphabet what it did not make, before it counts a MAC', () => {
  const untouched: TagKeyRing = { current: '1', keys: new Map() };
  // A ring that fails when it is asked shows that it was not.
  Object.defineProperty(untouched.keys, 'values', {
    value: () => {
      throw new Error('asked');
    },
  });
  const value = markedValue(ring, 'session');
  for (const text of ['', value.slice(1), `${value}A`, `=${value.slice(1)}`, `${value.slice(1)}=`])
    expect([text, isMarked(untouched, 'session', text)]).toEqual([text, false]);
  expect(() => isMarked(untouched, 'session', value)).toThrow('asked');
});

it('knows a value that is bound to a text by this text alone', () => {
  const value = markedValue(ring, 'known-browser', 'a@b.example');
  expect(isMarked(ring, 'known-browser', value, 'a@b.example')).toBe(true);
  for (const bound of ['', 'b@b.example', 'a@b.exampl', 'a@b.example ']) {
    expect([bound, isMarked(ring, 'known-browser', value, bound)]).toEqual([bound, false]);
  }
  expect(isMarked(ring, 'session', value, 'a@b.example')).toBe(false);
});

it('goes on knowing them after the ring has turned, until the key is taken out', () => {
  const value = markedValue(ring, 'session');
  expect(isMarked(ringOf('2', '12'), 'session', value)).toBe(true);
  expect(isMarked(ringOf('2', '2'), 'session', value)).toBe(false);
});
