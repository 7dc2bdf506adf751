import { expect, it } from 'vitest';
import type { StillCalling } from './api.ts';
import { words } from './still-calling-texts.ts';

const NOW = Date.parse('2026-11-29T14:00:00Z');
const caller = {
  network: { number: 24940, name: 'Hetzner Online' },
  country: 'DE',
  agent: 'python-requests',
  accepted: 0,
  refused: 214,
  lastAt: '2026-11-29T13:00:00.000Z',
};
const row: StillCalling = {
  kind: 'deleted',
  tokenId: 'id',
  preview: '9pAbc',
  name: 'Website',
  endedAt: '2026-11-26T13:00:00.000Z',
  endedBy: 'priya@example.com',
  today: 0,
  yesterday: 214,
  lastAt: '2026-11-28T13:00:00.000Z',
  callers: [caller],
};
/** Without the marks of names and addresses. */
const plain = (text: string): string => text.replaceAll(/[\u2068\u2069]/g, '');

it.each([
  [{}, 'Deleted 3 days ago by priya@example.com'],
  [{ endedBy: null }, 'Deleted 3 days ago'],
  [{ kind: 'retired', endedBy: 'priya@example.com' }, 'Replaced value, ended 3 days ago'],
] as const)('says what ended: %o', (change, text) => {
  expect(plain(words.ended({ ...row, ...change }, NOW))).toBe(text);
});

it.each([
  [0, 214, '214 calls yesterday'],
  [0, 1, '1 call yesterday'],
  [1234, 0, '1,234 calls today'],
  [12, 2140, '12 calls today, 2,140 yesterday'],
  [0, 0, 'Last call yesterday'],
])('says how often it is still called: %i today, %i yesterday', (today, yesterday, text) => {
  expect(words.calls({ ...row, today, yesterday }, NOW)).toBe(text);
});

it.each([
  [{}, 'Hetzner Online (DE), python-requests'],
  [{ country: null }, 'Hetzner Online, python-requests'],
  [{ network: null, agent: 'unknown' }, 'unknown network (DE), unknown'],
])('says who calls: %o', (change, text) => {
  expect(plain(words.caller({ ...caller, ...change }))).toBe(text);
});
