// Each promise of the README, and each abuse case of docs/security.md, names a test; a title that no test has would be a
// promise that nobody keeps.
import { describe, expect, it } from 'vitest';
import { idleTests, isTitle, rowsOf } from '../../scripts/titles.ts';

describe.each([
  { file: 'docs/ux-checklist.md', heading: '## The forty points', count: 40 },
  { file: 'README.md', heading: '## What it promises', count: 22 },
  { file: 'docs/security.md', heading: '## Abuse cases', count: 60 },
])('the table of $file', ({ file, heading, count }) => {
  const rows = rowsOf(file, heading);

  it('has all of its rows', () => {
    expect(rows.length).toBe(count);
    expect(new Set(rows.map(({ text }) => text)).size).toBe(count);
  });

  it.each(rows)('names tests that exist: $text', ({ titles }) => {
    expect(titles).not.toEqual([]);
    expect(titles.filter((title) => !isTitle(title))).toEqual([]);
  });
});

it('runs every test that there is', () => {
  expect(idleTests()).toEqual([]);
});

it('knows a title from a text that merely contains it', () => {
  expect(isTitle('knows a title from a text that merely contains it')).toBe(true);
  expect(isTitle(['knows a', 'title'].join(' '))).toBe(false);
});
