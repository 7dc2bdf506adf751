import { expect, it } from 'vitest';
import { CHOICES, words } from './rotation-texts.ts';

const plain = (text: string): string => text.replaceAll(/[\u2068\u2069]/g, '');

it('offers five ends of the old value, the one after silence first', () => {
  expect(Object.keys(CHOICES)).toEqual(['when-silent', 'now', '1h', '24h', '7d']);
});

it('says when the old value ends, with the zone named', () => {
  const retiring = { preview: '9pXb4', retiresAt: '2026-12-05T14:00:00.000Z', lastUsedAt: null };
  const moment = /5 Dec, 14:00 UTC/;
  expect(words.ends({ ...retiring, until: 'time' })).toMatch(
    new RegExp(`^Refused from ${moment.source}\\.$`),
  );
  const silent = words.ends({ ...retiring, until: 'silent' });
  expect(silent).toMatch(moment);
  expect(silent).toContain('not been used for an hour and the new value has been used');
  expect(silent).toContain('at the latest');
});

it('says after a lost answer what has not ended', () => {
  expect(plain(words.lostOldWorks('9pXb4***'))).toBe(
    '9pXb4*** has not ended yet. Rotating again gives you a value, and ends 9pXb4*** at once.',
  );
  expect(words.lostOldEnded).toContain('The old value is refused.');
});
