// The documents are consistent: decisions are numbered without a gap, every page can be reached, every link has a target.
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
// The sources of /docs link to addresses of a deployment; e2e/docs.test.ts checks those.
const pages = globSync(['*.md', 'docs/**/*.md', 'bench/*.md'], { cwd: root, exclude: ['docs/site/**'] });
const read = (page: string): string => readFileSync(resolve(root, page), 'utf8');

/** The files that a page links to, as paths from the root of the project. */
function targetsOf(page: string): string[] {
  return [...read(page).matchAll(/\]\((?!https?:|mailto:)([^)#]+)(?:#[^)]*)?\)/g)].map(([, target = '']) =>
    relative(root, resolve(root, dirname(page), target)),
  );
}

describe('the table of clients and servers', () => {
  const rows = [...read('docs/interoperability.md').matchAll(/^\| `([^`]+)`[^|]*\| (\S+) +\| npm +\|/gm)].map(
    ([, name = '', version = '']) => [name, version] as const,
  );

  it.each(rows)('has the installed version of %s: %s', (name, version) => {
    const packages = ['package.json', 'e2e/peers/package.json'].map(
      (file) => JSON.parse(read(file)) as Record<'dependencies' | 'devDependencies', Record<string, string>>,
    );
    const versions = packages.map((file) => ({ ...file.dependencies, ...file.devDependencies })[name]);
    expect(versions).toContain(version);
  });

  it('has every client and server that is installed for it', () => {
    const { dependencies } = JSON.parse(read('e2e/peers/package.json')) as { dependencies: object };
    // Packages that the others need.
    const parts = new Set(['@bufbuild/protobuf', '@tus/file-store', 'zod']);
    const names = rows.map(([name]) => name);
    expect(names).toEqual(
      expect.arrayContaining(Object.keys(dependencies).filter((name) => !parts.has(name))),
    );
  });
});

describe('the documents', () => {
  it('number the decisions without a gap, in the file name and in the title', () => {
    const decisions = pages.filter((page) => page.startsWith('docs/decisions/')).toSorted();
    expect(decisions.map((page) => basename(page).slice(0, 5))).toEqual(
      decisions.map((_, index) => `${String(index + 1).padStart(4, '0')}-`),
    );
    for (const [index, page] of decisions.entries())
      expect(read(page)).toMatch(new RegExp(`^# ${index + 1}\\. `));
  });

  it('lead from README.md to every page', () => {
    const reached = new Set(['README.md']);
    // Iterating over a set includes elements that are added meanwhile.
    for (const page of reached) {
      for (const target of targetsOf(page)) if (pages.includes(target)) reached.add(target);
    }
    expect(pages.filter((page) => page !== 'CHANGELOG.md' && !reached.has(page))).toEqual([]);
  });

  it.each(pages)('have a target for every link of %s', (page) => {
    expect(targetsOf(page).filter((target) => !existsSync(resolve(root, target)))).toEqual([]);
  });
});
