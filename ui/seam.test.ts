// The types of the Worker reach the dashboard and the OpenAPI document: what is renamed there alone does not compile.
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '..');

/** What is renamed in the Worker, and what an error in the dashboard or in the document then names. */
const RENAMED: [file: string, from: string, to: string, error: string, folder?: 'docs'][] = [
  ['worker/organisation/organisation.ts', "'pro'", "'professional'", '"professional"'],
  // The compiler shortens the list of the slugs that there are.
  ['worker/http/problem.ts', "'token-limit-reached'", "'limit-reached'", '"token-limit-reached"'],
  ['worker/http/problem.ts', "'sign-in-link-invalid'", "'link-invalid'", '"sign-in-link-invalid"'],
  ['worker/sign-in/methods/link.ts', 'link?: string', 'address?: string', "'link'"],
  ['worker/sign-in/redirect.ts', "'unknown-member'", "'no-member'", "'unknown-member'"],
  ['worker/activity/events.ts', "'token.renamed'", "'token.named'", "'token.renamed'"],
  ['worker/activity/events.ts', "', new browser'", "', other browser'", '", other browser"'],
  // No route of this path and method: their type is none.
  ['worker/admin/tokens.ts', "'/usage'", "'/calls'", "'never'"],
  ['worker/admin/tokens.ts', 'tokens: listed.tokens', 'rows: listed.tokens', "'tokens'"],
  ['worker/admin/tokens.ts', 'active: optional(', 'enabled: optional(', "'active'"],
  ['worker/admin/tokens.ts', 'origins: optional(', 'websites: optional(', "'origins'"],
  ['worker/admin/activity.ts', '  token: exact', '  subject: exact', '"token"'],
  ['worker/admin/activity.ts', "'/activity.csv'", "'/activity.tsv'", 'activity.csv'],
  ['worker/pages/pages.ts', 'name: TOKEN_NAME_LENGTH', 'nameLength: TOKEN_NAME_LENGTH', "'name'"],
  ['worker/pages/pages.ts', 'contactUrl: settings', 'contact: settings', "'contactUrl'"],
  ['worker/operator/routes.ts', 'members: listed.members', 'people: listed.members', 'people', 'docs'],
  ['worker/operator/routes.ts', 'effectiveAt }, 200)', 'effectiveAt }, 202)', "'202'", 'docs'],
  ['worker/operator/schemas.ts', 'name: nameOf(100)', 'title: nameOf(100)', "'name'", 'docs'],
  ['worker/api/reads.ts', 'active: tokens.active', 'live: tokens.active', 'live', 'docs'],
  ['worker/api/introspection.ts', 'iat: number', 'issuedAt: number', 'issuedAt', 'docs'],
];

// The compiler reads three projects anew, beside whatever else the machine does.
it('does not compile when a name changes in the Worker alone', { timeout: 180_000 }, async () => {
  // Below the project, so that it finds the packages.
  mkdirSync(join(root, '.tmp'), { recursive: true });
  const copy = mkdtempSync(join(root, '.tmp/seam-'));
  // With package.json: without it `#libsql` leads out of the copy, and the compiler writes types beside the sources.
  for (const part of ['worker', 'ui', 'docs', '.tsconfig.base.json', 'package.json'])
    cpSync(join(root, part), join(copy, part), { recursive: true });
  for (const [file, from, to] of RENAMED) {
    const text = readFileSync(join(copy, file), 'utf8');
    expect(text).toContain(from);
    writeFileSync(join(copy, file), text.replaceAll(from, to));
  }
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const output = await new Promise<string>((done) => {
    execFile(
      process.execPath,
      [tsc, '--build', 'ui', 'docs', '--pretty', 'false'],
      { cwd: copy },
      (_, stdout) => done(stdout),
    );
  });
  rmSync(copy, { recursive: true, force: true });
  // The lines of one error are indented below its first.
  const errors = output.split(/\n(?=\S)/);
  for (const [, , , named, folder = 'ui'] of RENAMED) {
    const found = errors.filter((error) => error.startsWith(`${folder}/`) && error.includes(named));
    expect([named, found.length > 0]).toEqual([named, true]);
  }
});
