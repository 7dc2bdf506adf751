import { expect, it } from 'vitest';
import { entriesOf, refusalOf } from './draft.ts';

it('reads entries that are separated by lines, spaces or commas, each once', () => {
  expect(entriesOf('  203.0.113.0/24,\n2001:db8::/32 203.0.113.0/24\r\n\n')).toEqual([
    '203.0.113.0/24',
    '2001:db8::/32',
  ]);
  expect(entriesOf(' \n')).toEqual([]);
});

const refused = (detail: string | null, slug: 'invalid-body' | 'token-not-found' = 'invalid-body') =>
  refusalOf({ slug, status: 422, detail, requestId: null, retryAfter: null });

it.each([
  [
    'Field "networks": 203.0.113.7/24 has bits beyond its length: write 203.0.113.0/24',
    { field: 'networks', text: '203.0.113.7/24 has bits beyond its length: write 203.0.113.0/24.' },
  ],
  // The member typed small letters, so the first one stays small.
  [
    'Field "networks": fe80::1/64 has bits beyond its length: write fe80::/64',
    { field: 'networks', text: 'fe80::1/64 has bits beyond its length: write fe80::/64.' },
  ],
  [
    'Field "expiresAt": in the past (now it is 2026-11-29T03:40:00.000Z)',
    { field: 'expiresAt', text: 'In the past.' },
  ],
  ['Field "paths": can only be narrowed', { field: 'paths', text: 'Can only be narrowed.' }],
])('finds the field that a refusal names, and says the rest as a sentence: %s', (detail, refusal) => {
  expect(refused(detail)).toEqual(refusal);
});

it('finds no field in other failures', () => {
  expect(refused('The body is not JSON')).toBe(null);
  expect(refused(null)).toBe(null);
  expect(refused('Field "networks": unknown', 'token-not-found')).toBe(null);
});
