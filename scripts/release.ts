// The Worker of another version: the release that is stored beside the tests, or any commit.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { unstable_readConfig as readConfig } from 'wrangler';
import { bundleWorker } from './bundle.ts';

const root = resolve(import.meta.dirname, '..');
/** The folder in which `npm run keep-release` stores a release. */
export const KEPT = join(root, 'e2e/previous-release');

/** The settings of a release, in the shape of the stored file. */
export type ReleaseSettings = {
  commit: string;
  compatibility_date: string | undefined;
  compatibility_flags: string[];
  vars: Record<string, unknown>;
};
/** `code`: the module that `wrangler deploy` would send. */
export type Release = ReleaseSettings & { code: string };

export function keptRelease(): Release {
  // Written by scripts/previous-release.ts.
  const settings = JSON.parse(readFileSync(join(KEPT, 'settings.json'), 'utf8')) as ReleaseSettings;
  return { ...settings, code: gunzipSync(readFileSync(join(KEPT, 'index.js.gz'))).toString() };
}

/** Bundles a commit in a temporary worktree; `environment` is added to wrangler's. */
export function releaseAt(name: string, environment: Record<string, string> = {}): Release {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
  const commit = git('rev-parse', '--verify', `${name}^{commit}`);
  const folder = mkdtempSync(join(tmpdir(), 'previous-release-'));
  const tree = join(folder, 'tree');
  git('worktree', 'add', '--detach', '--quiet', tree, commit);
  try {
    // It uses the packages of this tree: wrangler and the imports of the Worker, at the present versions.
    symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'));
    const { code } = bundleWorker({ checkout: tree, environment });
    const { vars, compatibility_date, compatibility_flags } = readConfig({
      config: join(tree, 'wrangler.toml'),
    });
    return { commit, compatibility_date, compatibility_flags, vars, code };
  } finally {
    git('worktree', 'remove', '--force', tree);
    rmSync(folder, { recursive: true, force: true });
  }
}
