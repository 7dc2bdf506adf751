import { expect, it } from 'vitest';
import { mintSecret } from '../token/secret.ts';
import { ringOf } from '../test/ring.ts';
import { seenAt } from './seen.ts';

const SECRET = mintSecret(ringOf('1', '1'));
const MASK = `${SECRET.slice(0, 5)}***`;
const encode = (text: string, times = 1): string =>
  times === 0
    ? text
    : encode(
        [...text].map((digit) => `%${digit.charCodeAt(0).toString(16).padStart(2, '0')}`).join(''),
        times - 1,
      );

it.each([
  ['https://paste.example', 'https://paste.example/'],
  ['http://paste.example:8080/a%20b?c=d', 'http://paste.example:8080/a%20b?c=d'],
  ['https://user:password@paste.example/#fragment', 'https://paste.example/'],
  ['HTTPS://Pâté.example/é', 'https://xn--pt-pia3a.example/%C3%A9'],
  [' https://paste.example/\n1 ', 'https://paste.example/1'],
])('keeps %j as %s', (text, kept) => {
  expect(seenAt(text)).toBe(kept);
});

it.each([
  '',
  'paste.example',
  'javascript:alert(1)',
  'data:text/html,x',
  'file:///etc/passwd',
  'ftp://a.example/',
  'https://',
  `https://a.example/${'x'.repeat(2031)}`,
  // Too long only once it is encoded.
  `https://a.example/${'é'.repeat(400)}`,
])('keeps nothing of %j', (text) => {
  expect(seenAt(text)).toBeNull();
});

it('keeps no secret of ours, wherever it stands and however it is written', () => {
  expect(seenAt(`https://a.example/${SECRET}/x?t=${SECRET}&u=1`)).toBe(
    `https://a.example/${MASK}/x?t=${MASK}&u=1`,
  );
  // One that begins within the one before it, at each place where it can.
  for (const cut of [52, 53, 54, 55, 56])
    expect(seenAt(`https://a.example/${SECRET.slice(0, cut)}${SECRET}`)).toBe(`https://a.example/${MASK}`);
  expect(seenAt(`https://${SECRET}@a.example/#${SECRET}`)).toBe('https://a.example/');
  expect(seenAt(`https://a.example/?t=${SECRET.replace('_', '%5F')}`)).toBe('https://a.example/');
  for (const times of [1, 2, 3]) {
    const part = encode(SECRET.slice(0, 20), times);
    expect(seenAt(`https://a.example/?t=${part}${SECRET.slice(20)}`)).toBe('https://a.example/');
  }
  expect(seenAt(`https://a.example/${encode('x', 6)}`)).toBe('https://a.example/');
});
