// Each promise of the README, and each abuse case of docs/security.md, names a test; a title that no test has would be a
// promise that nobody keeps.
import { describe, expect, it } from 'vitest';
import { isTitle, rowsOf } from '../../scripts/titles.ts';

describe.each([
  { file: 'docs/ux-checklist.md', heading: '## The forty points', least: 40 },
  { file: 'README.md', heading: '## What it promises', least: 12 },
  { file: 'docs/security.md', heading: '## Abuse cases', least: 60 },
])('the table of $file', ({ file, heading, least }) => {
  const rows = rowsOf(file, heading);

  it('has all of its rows', () => {
    expect(rows.length).toBeGreaterThanOrEqual(least);
  });

  it.each(rows)('names tests that exist: $text', ({ titles }) => {
    expect(titles).not.toEqual([]);
    expect(titles.filter((title) => !isTitle(title))).toEqual([]);
  });
});

it('knows a title from a text that merely contains it', () => {
  expect(isTitle('knows a title from a text that merely contains it')).toBe(true);
  expect(isTitle(['knows a', 'title'].join(' '))).toBe(false);
});
