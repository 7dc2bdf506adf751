// Each promise of the README names a test; a title that no test has would be a promise that nobody keeps.
import { globSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const tests = globSync('{worker,e2e,ui}/**/*.test.{ts,tsx}', { cwd: root })
  .map((file) => readFileSync(resolve(root, file), 'utf8'))
  .join('\n');
const readme = readFileSync(resolve(root, 'README.md'), 'utf8');
const table = readme.split('## What it promises')[1]?.split('\n## ')[0] ?? '';
const titles = [...table.matchAll(/\| `([^`]+)` \|$/gm)].map(([, title]) => title ?? '');

describe('the promise table', () => {
  it('has a row for each promise', () => {
    expect(titles.length).toBeGreaterThanOrEqual(12);
  });

  it.each(titles)('names a test that exists: %s', (title) => {
    expect(tests).toContain(title);
  });
});
