// npm test, after the build: runs vitest and scans the output of the suite and its Workers, shown or not
// (watched.ts). Fails when the output holds a secret, a session cookie or a sign-in code; the report gives the place, never the
// secret. The last line is a count from vitest's own report.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { findLeak } from './leaks.ts';
import { LEAKS } from './watched.ts';

const root = resolve(import.meta.dirname, '..');
const VITEST = join(root, 'node_modules/vitest/vitest.mjs');
const report = join(root, '.tmp/test-report.json');

mkdirSync(join(root, '.tmp'), { recursive: true });
rmSync(report, { force: true });
rmSync(LEAKS, { force: true });
const child = spawn(
  process.execPath,
  [
    VITEST,
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...process.argv.slice(2),
  ],
  { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] },
);
let output = '';
for (const [from, to] of [
  [child.stdout, process.stdout],
  [child.stderr, process.stderr],
] as const) {
  from.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
    to.write(chunk);
  });
}
// A code, or the signal that ended it.
const code = await new Promise<number | string>((done) => {
  child.once('close', (exit, signal) => done(exit ?? signal ?? 'unknown'));
});

const leak = findLeak(output);
const leaks = [
  ...(leak === null ? [] : [`${leak.kind} (line ${leak.line} of its output)`]),
  ...(existsSync(LEAKS) ? readFileSync(LEAKS, 'utf8').trim().split('\n') : []),
];
if (leaks.length > 0) {
  console.error(
    `The suite printed what it must not, ${leaks.length} times:\n${leaks.slice(0, 10).join('\n')}`,
  );
  process.exitCode = 1;
}
// The shape is vitest's own (the same as Jest's). A vitest that ended early has written no report.
type Report = { numPassedTests: number; numFailedTests: number; numPendingTests: number };
const { numPassedTests, numFailedTests, numPendingTests }: Report = existsSync(report)
  ? (JSON.parse(readFileSync(report, 'utf8')) as Report)
  : { numPassedTests: 0, numFailedTests: 1, numPendingTests: 0 };
if (numPendingTests > 0) console.log(`${numPendingTests} skipped`);
if (code !== 0 || !existsSync(report)) {
  console.error(`vitest ended with ${code}${existsSync(report) ? '' : ' and wrote no report'}`);
  process.exitCode = 1;
}
// A file that could not be read at all fails without a failed test of its own.
const failed = process.exitCode === 1 ? Math.max(numFailedTests, 1) : numFailedTests;
console.log(`${numPassedTests} passed, ${failed} failed`);
