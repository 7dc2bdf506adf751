// npm run test:planted: plants one fault after the other where the mutation run does not reach (SQL predicates, guards, limits,
// headers, triggers), in a copy of the tree, and runs the tests that must notice. Prints which faults no test noticed, and ends
// with 1 when more than the explained ones survive. `-- TEXT` plants only the faults whose name holds the text; `-- --list`
// prints their names.
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { faultsIn, type Fault } from './faults.ts';

const root = resolve(import.meta.dirname, '..');
const copy = join(root, '.tmp/planted');
/** A fault may make a test wait for ever. That is noticed as well. */
const TIMEOUT_MS = 300_000;

/** Where faults are planted, and the tests that must notice them. The tests of the same folder always run. */
const PLACES: { file: string; tests: string[] }[] = [
  { file: 'worker/token/store.ts', tests: ['worker/admin/tokens', 'worker/admin/input', 'worker/activity'] },
  { file: 'worker/token/usage.ts', tests: ['worker/admin/usage'] },
  { file: 'worker/token/exposure.ts', tests: ['worker/activity'] },
  { file: 'worker/organisation/register.ts', tests: ['worker/operator'] },
  { file: 'worker/organisation/members.ts', tests: ['worker/operator', 'worker/admin/session'] },
  { file: 'worker/organisation/store.ts', tests: ['worker/admin'] },
  { file: 'worker/activity/store.ts', tests: ['worker/admin/activity'] },
  { file: 'worker/admin/session.ts', tests: [] },
  { file: 'worker/admin/link.ts', tests: [] },
  { file: 'worker/admin/identity.ts', tests: [] },
  { file: 'worker/admin/access.ts', tests: ['worker/activity'] },
  { file: 'worker/admin/sign-in.ts', tests: [] },
  { file: 'worker/admin/tokens.ts', tests: [] },
  { file: 'worker/operator/access.ts', tests: [] },
  { file: 'worker/upkeep/prune.ts', tests: [] },
  { file: 'worker/api/forward-auth.ts', tests: [] },
  { file: 'worker/api/introspection.ts', tests: [] },
  { file: 'worker/api/headers.ts', tests: [] },
  { file: 'worker/api/bearer.ts', tests: [] },
  { file: 'worker/pages/pages.ts', tests: ['worker/test/log'] },
  { file: 'worker/security-headers.ts', tests: ['worker/admin', 'worker/api', 'worker/operator'] },
  { file: 'worker/limit.ts', tests: ['worker/admin/limits'] },
  { file: 'migrations/0001_tokens.sql', tests: ['worker/token', 'worker/tables', 'worker/test/query-plans'] },
  {
    file: 'migrations/0002_no_replacing.sql',
    tests: ['worker/token', 'worker/admin/activity', 'worker/activity'],
  },
];

/** Faults that no test can notice, and why. */
const EXPLAINED: Record<string, string> = {};

const wanted = process.argv.slice(2).filter((argument) => argument !== '--list');
const faults = PLACES.filter(({ file }) => existsSync(join(root, file)))
  .flatMap(({ file, tests }) =>
    faultsIn(file, readFileSync(join(root, file), 'utf8')).map((fault) => ({ fault, tests })),
  )
  .filter(({ fault: { name } }) => wanted.length === 0 || wanted.some((text) => name.includes(text)));

if (process.argv.includes('--list')) console.log(faults.map(({ fault }) => fault.name).join('\n'));
else await plantAll();

async function plantAll(): Promise<void> {
  makeCopy();
  const survivors: string[] = [];
  for (const { fault, tests } of faults) {
    const noticed = await isNoticed(fault, tests);
    const explained = EXPLAINED[fault.name];
    console.log(`${noticed ? 'noticed ' : explained === undefined ? 'SURVIVED' : 'explained'} ${fault.name}`);
    if (!noticed && explained === undefined) survivors.push(fault.name);
  }
  rmSync(copy, { recursive: true, force: true });
  console.log(`${faults.length - survivors.length} passed, ${survivors.length} failed`);
  if (survivors.length > 0) process.exitCode = 1;
}

/** The tree as it stands, uncommitted changes included, with the packages of this one. */
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

async function isNoticed(fault: Fault, tests: string[]): Promise<boolean> {
  const file = join(copy, fault.file);
  const original = readFileSync(file, 'utf8');
  writeFileSync(file, fault.planted);
  try {
    return (await run([dirname(fault.file), ...tests])) !== 0;
  } finally {
    writeFileSync(file, original);
  }
}

/** The exit code of vitest over the tests whose path holds one of the texts. */
function run(tests: string[]): Promise<number> {
  return new Promise((done) => {
    const child = spawn(
      process.execPath,
      [
        'node_modules/vitest/vitest.mjs',
        'run',
        '--project',
        'worker',
        '--project',
        'node',
        '--bail',
        '1',
        ...tests,
      ],
      { cwd: copy, stdio: 'ignore' },
    );
    const timer = setTimeout(() => child.kill('SIGKILL'), TIMEOUT_MS);
    child.once('close', (code) => {
      clearTimeout(timer);
      done(code ?? 1);
    });
  });
}
