// Bundles the Worker once for all suites, which take it from `inject('worker')`: bundling takes seconds of a core.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { TestProject } from 'vitest/node';
import { WITH_LIBSQL } from '../scripts/with-libsql.ts';

declare module 'vitest' {
  // oxlint-disable-next-line typescript/consistent-type-definitions -- only an interface can be extended
  export interface ProvidedContext {
    /** The module that `wrangler deploy` would send. */
    worker: string;
  }
}

const root = resolve(import.meta.dirname, '..');

/** Runs before the suites of a project. */
export default function provideWorker(project: TestProject): void {
  project.provide('worker', bundleWorker());
}

let libsqlWorker: string | undefined;

/** The Worker of a deployment whose database is libSQL. Few suites need it: it is bundled for the first of them. */
export function bundleLibsqlWorker(): string {
  libsqlWorker ??= bundleWorker('wrangler.toml', WITH_LIBSQL);
  return libsqlWorker;
}

/** The Worker of a wrangler.toml (by default ours), exactly as `wrangler deploy` would send it. */
export function bundleWorker(config = 'wrangler.toml', environment: NodeJS.ProcessEnv = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'developer-zone-'));
  execFileSync(
    process.execPath,
    ['node_modules/wrangler/bin/wrangler.js', 'deploy', '--dry-run', '--outdir', folder, '--config', config],
    {
      cwd: root,
      stdio: 'pipe',
      env: { ...process.env, WRANGLER_SEND_METRICS: 'false', ...environment },
    },
  );
  const code = readFileSync(join(folder, 'index.js'), 'utf8');
  rmSync(folder, { recursive: true });
  return code;
}
