import { expect, it } from 'vitest';
import { formatBrief, formatWhen } from './format.ts';

// Times without a zone are in the reader's zone, as the page shows them.
const NOW = new Date('2026-11-29T14:10:00').getTime();

it.each([
  ['2026-11-29T14:02:59', 'at 14:02'],
  ['2026-11-29T00:00:00', 'at 00:00'],
  ['2026-11-28T23:59:59', 'on 28 Nov'],
  ['2025-11-29T14:02:59', 'on 29 Nov 2025'],
])('says when %s was', (time, words) => {
  expect(formatWhen(new Date(time).toISOString(), NOW)).toBe(words);
});

it('writes the day before the month in the table too', () => {
  expect(formatBrief(new Date('2026-08-26T12:00:00').toISOString(), NOW)).toBe('26 Aug');
});
