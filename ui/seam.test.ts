// The types of the Worker reach the dashboard: what is renamed there and not here does not compile.
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '..');

/** What is renamed in the Worker, and what an error in the dashboard then names. */
const RENAMED: [file: string, from: string, to: string, error: string][] = [
  ['worker/organisation/organisation.ts', "'pro'", "'professional'", '"professional"'],
  ['worker/http/problem.ts', "'token-limit-reached'", "'limit-reached'", '"limit-reached"'],
  // No route of this path and method: their type is none.
  ['worker/admin/tokens.ts', "'/usage'", "'/calls'", "'never'"],
  ['worker/admin/tokens.ts', 'tokens: listed.tokens', 'rows: listed.tokens', "'tokens'"],
  ['worker/admin/tokens.ts', 'active: optional(', 'enabled: optional(', "'active'"],
  ['worker/pages/pages.ts', 'contactUrl: settings', 'contact: settings', "'contactUrl'"],
];

it('does not compile when a name changes in the Worker alone', async () => {
  // Below the project, so that it finds the packages.
  mkdirSync(join(root, '.tmp'), { recursive: true });
  const copy = mkdtempSync(join(root, '.tmp/seam-'));
  for (const part of ['worker', 'ui', '.tsconfig.base.json'])
    cpSync(join(root, part), join(copy, part), { recursive: true });
  for (const [file, from, to] of RENAMED) {
    const text = readFileSync(join(copy, file), 'utf8');
    expect(text).toContain(from);
    writeFileSync(join(copy, file), text.replaceAll(from, to));
  }
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const output = await new Promise<string>((done) => {
    execFile(process.execPath, [tsc, '--build', 'ui', '--pretty', 'false'], { cwd: copy }, (_, stdout) =>
      done(stdout),
    );
  });
  rmSync(copy, { recursive: true, force: true });
  const errors = output.split('\n').filter((line) => line.startsWith('ui/'));
  for (const [, , , named] of RENAMED) expect(errors.filter((line) => line.includes(named))).not.toEqual([]);
});
