import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const styles = readFileSync(new URL('styles.css', import.meta.url), 'utf8');
const all = (pattern: RegExp): string[] =>
  [...new Set([...styles.matchAll(pattern)].map(([, name]) => name ?? ''))].toSorted();

// A variable that is not defined makes its whole declaration void, and the browser says nothing.
it('define every variable that they use, and use every one that they define', () => {
  expect(all(/var\(--([\w-]+)\)/g)).toEqual(all(/^\s+--([\w-]+):/gm));
});
