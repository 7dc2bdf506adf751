// The tests near a source file, found by the imports, so that no list must be kept when files move.
import { globSync, readFileSync } from 'node:fs';
import { basename, dirname, join, posix } from 'node:path';

/** Imports of our own files, also lazy ones and those of types. */
const IMPORTED = /\b(?:from|import)\s*\(?\s*'([.#][^']+)'/g;
/** A test that is more import steps away tests too little of the file for its time. */
const STEPS = 3;

export type Imports = Map<string, string[]>;

/** The names of package.json ("imports"), and the file that each stands for under its conditions. */
type Names = Record<string, Record<string, string>>;

/** For each source file under `worker/`, including tests, the files that it imports: paths from `root`, with slashes. */
export function readImports(root: string): Imports {
  const { imports: names } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    imports: Names;
  };
  const files = globSync('worker/**/*.ts', { cwd: root }).map((file) => file.replaceAll('\\', '/'));
  return new Map(
    files.map((file) => [file, importedBy(file, readFileSync(join(root, file), 'utf8'), names)]),
  );
}

/** What a file with that text imports. A name with several conditions stands for each of their files. */
export function importedBy(file: string, text: string, names: Names): string[] {
  return [...text.matchAll(IMPORTED)].flatMap(([, path = '']) =>
    path.startsWith('#')
      ? Object.values(names[path] ?? {}).map((target) => posix.normalize(target))
      : [posix.join(dirname(file), path)],
  );
}

/**
 * The test files near a source file, each once, without tests in Node that do not load it. `nearest` have its name or import it,
 * also through a suite that several tests share. `others` are in its folder, or in the folder of a file that imports it; those
 * with fewer steps come first. When no test imports the file, the tests of its folder are the nearest.
 */
export function testsNear(file: string, imports: Imports): { nearest: string[]; others: string[] } {
  const importersOf = (path: string): string[] =>
    [...imports].filter(([, imported]) => imported.includes(path)).map(([importer]) => importer);
  const testsIn = (folder: string): string[] =>
    [...imports.keys()].filter((path) => isTest(path) && dirname(path) === folder);

  const name = basename(file, '.ts');
  const own = [...testsIn(dirname(file)), ...testsIn('worker/test')].filter(
    (path) => basename(path).split('.')[0] === name,
  );
  const importers = importersOf(file);
  // Several tests run the same suite, so one of them is enough.
  const bySuite = importers
    .filter((path) => path.endsWith('.suite.ts'))
    .flatMap((suite) => importersOf(suite).filter((user) => dirname(user) === dirname(suite)));
  const nearest = [...own, ...bySuite, ...importers.filter(isTest)];

  const others: string[] = [];
  const seen = new Set([file]);
  let reached = [file];
  for (let step = 0; step <= STEPS; step++) {
    others.push(...new Set(reached.map((path) => dirname(path)).flatMap(testsIn)));
    reached = reached.flatMap(importersOf).filter((path) => isSource(path) && !seen.has(path));
    for (const path of reached) seen.add(path);
  }
  if (nearest.length === 0) nearest.push(...testsIn(dirname(file)));
  const canNotice = (path: string): boolean => !path.endsWith('.node.test.ts') || loads(path, file, imports);
  return {
    nearest: [...new Set(nearest)].filter(canNotice),
    others: [...new Set(others)].filter((path) => !nearest.includes(path) && canNotice(path)),
  };
}

/** Whether one file imports the other, directly or indirectly. */
function loads(from: string, file: string, imports: Imports): boolean {
  const seen = new Set([from]);
  for (const path of seen) for (const imported of imports.get(path) ?? []) seen.add(imported);
  return seen.has(file);
}

function isTest(path: string): boolean {
  return path.endsWith('.test.ts');
}

/** Whether the file is code that the Worker runs. */
export function isSource(path: string): boolean {
  return path.endsWith('.ts') && !/\.(?:test|suite|d)\.ts$|\/(?:test|simulation)\//.test(path);
}
