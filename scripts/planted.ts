// npm run test:planted: plants one fault after the other in code that the mutation run does not cover (SQL predicates, guards,
// limits, headers, triggers), in a copy of the tree, and runs the tests that must notice. Prints the faults that no test noticed,
// and ends with 1 when a fault without an explanation survives. `-- TEXT …` plants only the faults whose name holds a text, in
// the order of the texts, `-- --every 5` every fifth one, `-- --list` prints their names. `-- --nearest` runs only the nearest
// tests.
//
// One vitest serves all faults, because its start takes longer than the tests of a fault. All faults meet the nearest
// tests first, so that the remaining faults are known soon.
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { createVitest, type TestSpecification, type Vitest } from 'vitest/node';
import { faultsIn, type Fault } from './faults.ts';
import { isSource, readImports, testsNear } from './near.ts';

const root = resolve(import.meta.dirname, '..');
/** Two runs at the same time have separate copies. */
const copy = join(root, `.tmp/planted-${process.pid}`);
/** A fault may make a test hang. That counts as noticed. */
const TIMEOUT_MS = 300_000;

/** Files of the mutation run get no planted faults. The files under `migrations/` do. */
const { mutate: MUTATED } = JSON.parse(readFileSync(join(root, 'stryker.config.json'), 'utf8')) as {
  mutate: string[];
};
/** The tests that must notice faults of the schema. */
const OF_THE_SCHEMA = /(?:tables|query-plans|token\/store|admin\/activity|prune|register)\.test\.ts$/;

/** Faults that no test can notice, by their names without the folder and the line, and why. */
const EXPLAINED: Record<string, string> = {
  "provider.ts without if (claims === undefined) return { ok: false, reason: 'si...":
    'the library has refused an answer without an ID token before; the type requires the guard',
  "routes.ts without if (first === undefined) throw new Problem('invalid-body'...":
    'the schema has refused an empty list before; the type requires the guard',
  "client.ts without if (result === undefined) throw new LibsqlError('no resul...":
    'a batch has a result for each statement; the type requires the guard',
};

const ARGUMENTS = process.argv.slice(2);
const every = ARGUMENTS.includes('--every') ? Number(ARGUMENTS[ARGUMENTS.indexOf('--every') + 1]) : 1;
const wanted = ARGUMENTS.filter(
  (argument, index) => !argument.startsWith('--') && ARGUMENTS[index - 1] !== '--every',
);
const imports = readImports(root);
const sources = [
  ...[...imports.keys()].filter((file) => isSource(file) && !MUTATED.includes(file)),
  ...globSync('migrations/*.sql', { cwd: root }),
].toSorted();
const all = sources.flatMap((file) => faultsIn(file, readFileSync(join(root, file), 'utf8')));
const named = wanted.flatMap((text) => all.filter(({ name }) => name.includes(text)));
const chosen = [...new Set(wanted.length === 0 ? all : named)].filter((_, index) => index % every === 0);

if (ARGUMENTS.includes('--list')) console.log(chosen.map(({ name }) => name).join('\n'));
else await plantAll();
// A Worker that hangs because of a fault would keep this process alive.
process.exit();

async function plantAll(): Promise<void> {
  makeCopy();
  process.chdir(copy);
  process.env['PWD'] = copy;
  let vitest = await start();
  const unnoticed = [];
  for (const fault of chosen) {
    const { nearest, others } = testsFor(fault.file);
    if (await isNoticed(fault, nearest)) continue;
    unnoticed.push({ fault, tests: ARGUMENTS.includes('--nearest') ? [] : others });
  }
  let survivors = 0;
  for (const { fault, tests } of unnoticed) {
    if (await isNoticed(fault, tests)) continue;
    const explained = EXPLAINED[fault.name.replace(/^.*\/|:\d+/g, '')];
    console.log(`${explained === undefined ? 'SURVIVED' : 'explained'} ${fault.name}`);
    if (explained === undefined) survivors++;
  }
  await close(vitest);
  rmSync(copy, { recursive: true, force: true });
  console.log(`${chosen.length - survivors} passed, ${survivors} failed`);
  if (survivors > 0) process.exitCode = 1;

  async function isNoticed(fault: Fault, tests: string[]): Promise<boolean> {
    // vitest takes an empty list for every test.
    if (tests.length === 0) return false;
    // The migrations are read when vitest starts.
    if (fault.file.endsWith('.sql')) vitest = await restart(vitest, fault);
    const { noticed, isStuck } = await plant(vitest, fault, tests);
    console.log(noticed === null ? `not yet  ${fault.name}` : `noticed  ${fault.name} (${noticed})`);
    if (isStuck) vitest = await restart(vitest);
    return noticed !== null;
  }
}

function testsFor(file: string): { nearest: string[]; others: string[] } {
  if (!file.endsWith('.sql')) return testsNear(file, imports);
  return { nearest: [...imports.keys()].filter((path) => OF_THE_SCHEMA.test(path)), others: [] };
}

/** A copy of the tree with uncommitted changes, and with the packages of this tree. */
function makeCopy(): void {
  rmSync(copy, { recursive: true, force: true });
  const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  });
  for (const file of files.split('\n').filter((each) => each !== '' && existsSync(join(root, each)))) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(join(root, file), join(copy, file));
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  cpSync(join(root, 'dist'), join(copy, 'dist'), { recursive: true });
}

function start(): Promise<Vitest> {
  return createVitest('test', {
    root: copy,
    watch: false,
    project: ['worker', 'worker-long', 'node', 'source'],
    bail: 1,
    maxWorkers: 1,
    // The verdicts are the output.
    reporters: [{}],
  });
}

/** A vitest whose Worker hangs never closes. */
async function close(vitest: Vitest): Promise<void> {
  await Promise.race([vitest.close(), delay(10_000)]);
}

/** Another vitest, which starts with the fault in the tree. */
async function restart(vitest: Vitest, fault?: Fault): Promise<Vitest> {
  await close(vitest);
  return fault === undefined ? start() : withFault(fault, start);
}

async function withFault<T>({ file, planted }: Fault, work: () => Promise<T>): Promise<T> {
  const path = join(copy, file);
  const original = readFileSync(path, 'utf8');
  // A text that cannot be parsed fails every test, which proves nothing about the tests.
  if (file.endsWith('.ts')) stripTypeScriptTypes(planted, { mode: 'transform' });
  writeFileSync(path, planted);
  try {
    return await work();
  } finally {
    writeFileSync(path, original);
  }
}

/** The name of the test file that noticed the fault, or null. After `isStuck` this vitest cannot be used again. */
async function plant(
  vitest: Vitest,
  fault: Fault,
  tests: string[],
): Promise<{ noticed: string | null; isStuck: boolean }> {
  const path = join(copy, fault.file);
  try {
    return await withFault(fault, async () => {
      vitest.invalidateFile(path);
      for (const specification of await vitest.globTestSpecifications(tests)) {
        const result = await run(vitest, specification);
        if (result !== 'passed') {
          return { noticed: basename(specification.moduleId), isStuck: result === 'stuck' };
        }
      }
      return { noticed: null, isStuck: false };
    });
  } finally {
    // vitest caches files.
    vitest.invalidateFile(path);
  }
}

async function run(vitest: Vitest, specification: TestSpecification): Promise<'passed' | 'failed' | 'stuck'> {
  const done = vitest.runTestSpecifications([specification]).then(({ testModules, unhandledErrors }) => {
    const hasPassed = testModules.every((each) => each.ok()) && unhandledErrors.length === 0;
    return hasPassed ? ('passed' as const) : ('failed' as const);
  });
  return Promise.race([done, delay(TIMEOUT_MS).then(() => 'stuck' as const)]);
}

function delay(ms: number): Promise<void> {
  return new Promise((done) => {
    setTimeout(done, ms).unref();
  });
}
