// npm run test:mutation [-- FILE …]: the mutation run (docs/mutation-testing.md). It runs one file after the other, with the tests
// of that file only. A single run would try every mutant of a constant with all tests, which takes hours.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const STRYKER = join(root, 'node_modules/@stryker-mutator/core/bin/stryker.js');

// The shape is Stryker's own.
const { mutate } = JSON.parse(readFileSync(join(root, 'stryker.config.json'), 'utf8')) as {
  mutate: string[];
};
const asked = process.argv.slice(2);
const unknown = asked.find((file) => !mutate.includes(file));
if (unknown !== undefined) {
  console.error(`${unknown}: not in the list of stryker.config.json`);
  process.exit(1);
}
const failed = (asked.length > 0 ? asked : mutate).filter((file) => {
  console.log(`\n${file}`);
  const { status } = spawnSync(process.execPath, [STRYKER, 'run', '--mutate', file], {
    cwd: root,
    env: { ...process.env, MUTATED: file },
    stdio: 'inherit',
  });
  return status !== 0;
});
if (failed.length > 0) {
  console.error(`Too many mutants survive, or the run failed: ${failed.join(', ')}`);
  process.exit(1);
}
