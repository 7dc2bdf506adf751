// Reads tables of the documents whose last column names test titles, and the titles of the tests. It runs nothing.
import { globSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');

export type Row = { text: string; titles: string[] };

/** The rows of the first table below a heading of a document. `titles`: the texts in backticks in the last column. */
export function rowsOf(file: string, heading: string): Row[] {
  const section = readFileSync(resolve(root, file), 'utf8').split(`\n${heading}`)[1]?.split('\n## ')[0] ?? '';
  return section
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .slice(2)
    .map((line) => {
      const cells = line.split(/(?<!\\)\|/).slice(1, -1);
      const named = [...(cells.at(-1) ?? '').matchAll(/`([^`]+)`/g)];
      return { text: cells[0]?.trim() ?? '', titles: named.map(([, title]) => title ?? '') };
    });
}

const tests = globSync('{worker,e2e,ui,scripts}/**/*.{test,suite}.{ts,tsx}', { cwd: root })
  .map((file) => readFileSync(resolve(root, file), 'utf8'))
  .join('\n');

/** The first text of a call, as in `it('…', …)`, or the name of a case. */
const TITLE = /(?:\(\s*|\b(?:rule|name): )(['"`])((?:(?!\1)[^\\]|\\.)*)\1,/g;
const titles = new Set([...tests.matchAll(TITLE)].map(([, , title]) => title));

/** Whether a test, or a case of one, is called exactly that. */
export function isTitle(title: string): boolean {
  return titles.has(title);
}

const IDLE =
  /\b(?:it|test|describe)(?:\.\w+)*\.(?:skip|only|todo|fails)\b.*|\b(?:skip|only|todo|fails): true\b.*|\.skip\(\)/g;

/** Tests that are switched off. A test that is skipped because the machine lacks a tool does not count. */
export function idleTests(text = tests): string[] {
  return [...text.matchAll(IDLE)].map(([line]) => line);
}
