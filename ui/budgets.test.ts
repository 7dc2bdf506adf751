// What the built dashboard may weigh, in Brotli bytes, as they travel. Builds into a folder of its own: the servers of other
// tests build anew into dist/ui, and would empty it in the middle of a look.
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { build } from 'vite';
import { afterAll, describe, expect, it } from 'vitest';

const dist = mkdtempSync(join(tmpdir(), 'developer-zone-ui-'));
afterAll(() => rmSync(dist, { recursive: true }));
await build({ root: import.meta.dirname, logLevel: 'warn', build: { outDir: dist, emptyOutDir: true } });
const assets = readdirSync(join(dist, 'assets'));
const read = (path: string): string => readFileSync(join(dist, path), 'utf8');
const weigh = (path: string): number => brotliCompressSync(readFileSync(join(dist, path))).length;
const total = (paths: string[]): number => paths.reduce((sum, path) => sum + weigh(path), 0);
const named = (ending: string): string[] =>
  assets.filter((name) => name.endsWith(ending)).map((name) => `assets/${name}`);
/** Every address that an HTML file names in an element that fetches. */
const fetched = (html: string): string[] =>
  [...html.matchAll(/<(?:script|link|img)[^>]*?\s(?:src|href)="([^"]*)"/g)].map(([, path]) => path ?? '');

describe('the built dashboard', () => {
  it('keeps the scripts that every visit needs within 24 KB, those of the screens opened later within 4.9 KB, and those about one token and of the dialogs within 17.3 KB', () => {
    const late = named('.js').filter((path) => /\/(?:later|token-part)-/.test(path));
    const first = named('.js').filter((path) => !late.includes(path));
    expect([first.length, late.length]).toEqual([1, 2]);
    expect(total(first)).toBeLessThanOrEqual(24_000);
    expect(total(late.filter((path) => path.includes('later')))).toBeLessThanOrEqual(4900);
    expect(total(late.filter((path) => path.includes('token-part')))).toBeLessThanOrEqual(17_300);
  });

  it('keeps the styles within 6.7 KB, and light-dark() in them', () => {
    expect(total(named('.css'))).toBeLessThanOrEqual(6700);
    expect(named('.css').map(read).join('')).toContain('light-dark(');
  });

  it.each([
    ['sign-in', 31.2],
    ['developer-zone', 31.2],
    ['activity', 36],
    ['sessions', 36],
  ])('loads /%s first in at most %s KB and 7 requests, all of them its own', (page, kilobytes) => {
    const paths = fetched(read(`${page}.html`));
    expect(paths.every((path) => /^\/[^/]/.test(path))).toBe(true);
    // Some screens fetch their own script when they open; the last request is for the data.
    const isLater = page === 'activity' || page === 'sessions';
    const scripts = isLater ? named('.js').filter((path) => path.includes('later')) : [];
    const all = [`${page}.html`, ...paths.map((path) => path.slice(1)), ...scripts];
    expect(total(all)).toBeLessThanOrEqual(kilobytes * 1000);
    expect(all.length + 1).toBeLessThanOrEqual(7);
  });

  it('needs no script to say that a page does not exist', () => {
    expect(read('404.html')).not.toContain('<script');
  });

  it('ships at most four packages', () => {
    const sources = readdirSync(import.meta.dirname)
      .filter((name) => /\.tsx?$/.test(name) && !name.includes('.test.'))
      .map((name) => readFileSync(join(import.meta.dirname, name), 'utf8'));
    const packages = sources.flatMap((source) =>
      [...source.matchAll(/^import (?!type)[^'"]*?['"]((?:@[^/'"]+\/)?[^./'"][^/'"]*)/gm)].map(
        ([, name]) => name,
      ),
    );
    expect([...new Set(packages)].filter((name) => name !== 'vite').length).toBeLessThanOrEqual(4);
  });
});
