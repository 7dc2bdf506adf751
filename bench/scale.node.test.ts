// The figures of docs/scale.md and docs/operating/budget.md must be those of the calculation.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '..');
const read = (path: string) => readFileSync(resolve(root, path), 'utf8').replaceAll(/\s+/g, ' ');

it('makes every table of docs/scale.md', { timeout: 60_000 }, () => {
  const check = () =>
    execFileSync(process.execPath, [resolve(root, 'bench/scale.ts'), '--check'], { stdio: 'pipe' });
  expect(check).not.toThrow('other figures');
});

it('agrees with docs/operating/budget.md', () => {
  const scale = readFileSync(resolve(root, 'docs/scale.md'), 'utf8');
  const budget = read('docs/operating/budget.md');
  const row = (start: string): string[] =>
    scale
      .split('\n')
      .find((line) => line.startsWith(`| ${start}`))
      ?.split('|')
      .map((cell) => cell.trim()) ?? [];
  const [trickle, middle, world] = [row('one service'), row('100 calls'), row('10,000 calls')];
  expect(budget).toContain(`a million calls are ${world[6]} US$ with traffic`);
  expect(budget).toContain(`${middle[6]} US$ at 100 calls a second`);
  expect(budget).toContain(`${trickle[6]} US$ for a trickle`);
  expect(budget).toContain(`The Worker is ${world[2]} US$ of it`);
  expect(budget).toContain(`so ${world[8]} instead of ${world[6]} US$`);
  expect(budget).toContain(`switching a token costs ${row('a token is switched')[2]} US$`);
  expect(budget).toContain(`costs ${row('the same, 40')[2]} US$ per million organisations`);
});

it('is about the deployment as shipped, where a call writes no line', () => {
  expect(read('wrangler.toml')).toContain('LOG = "errors"');
});
