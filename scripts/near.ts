// Which tests are near a source file, found by who imports whom: a file that moves takes its tests with it.
import { globSync, readFileSync } from 'node:fs';
import { basename, dirname, join, posix } from 'node:path';

const IMPORTED = /(?:from|import) '(\.[^']+)'/g;
/** Beyond this many steps from importer to importer a test says too little about the file for the time that it takes. */
const STEPS = 3;

export type Imports = Map<string, string[]>;

/** For each source file under `worker/`, tests among them, the files that it imports: paths from `root`, with slashes. */
export function readImports(root: string): Imports {
  const files = globSync('worker/**/*.ts', { cwd: root }).map((file) => file.replaceAll('\\', '/'));
  return new Map(
    files.map((file) => [
      file,
      [...readFileSync(join(root, file), 'utf8').matchAll(IMPORTED)].map(([, path = '']) =>
        posix.join(dirname(file), path),
      ),
    ]),
  );
}

/**
 * The test files near a source file, without one twice, and without those in Node that do not load it. `nearest` have its name or import it, also by a suite that several tests
 * share. `others` stand in its folder, or in the folder of a file that imports it, those of fewer steps first. Where no test
 * imports the file, the tests of its folder are the nearest.
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
  // One test says of a suite what the others say.
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

/** Whether one file imports the other, directly or by way of others. */
function loads(from: string, file: string, imports: Imports): boolean {
  const seen = new Set([from]);
  for (const path of seen) for (const imported of imports.get(path) ?? []) seen.add(imported);
  return seen.has(file);
}

function isTest(path: string): boolean {
  return path.endsWith('.test.ts');
}

/** What the Worker itself runs. */
export function isSource(path: string): boolean {
  return path.endsWith('.ts') && !/\.(?:test|suite|d)\.ts$|\/(?:test|simulation)\//.test(path);
}
