// The Worker of another version: the release that is kept beside the tests, and any commit.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { unstable_readConfig as readConfig } from 'wrangler';

const root = resolve(import.meta.dirname, '..');
const WRANGLER = join(root, 'node_modules/wrangler/bin/wrangler.js');
/** Where `npm run keep-release` keeps one. */
export const KEPT = join(root, 'e2e/previous-release');

/** The settings of a release as the kept file has them. */
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

/** Bundles a commit in a worktree that is gone afterwards; `environment` is added to wrangler's. */
export function releaseAt(name: string, environment: NodeJS.ProcessEnv = {}): Release {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
  const commit = git('rev-parse', '--verify', `${name}^{commit}`);
  const folder = mkdtempSync(join(tmpdir(), 'previous-release-'));
  const tree = join(folder, 'tree');
  git('worktree', 'add', '--detach', '--quiet', tree, commit);
  try {
    // Its packages are ours: wrangler and what the Worker imports, at the versions of today.
    symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'));
    mkdirSync(join(tree, 'dist/ui'), { recursive: true });
    const out = join(folder, 'out');
    execFileSync(process.execPath, [WRANGLER, 'deploy', '--dry-run', '--outdir', out], {
      cwd: tree,
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, WRANGLER_SEND_METRICS: 'false', CI: 'true', ...environment },
    });
    const { vars, compatibility_date, compatibility_flags } = readConfig({
      config: join(tree, 'wrangler.toml'),
    });
    const code = readFileSync(join(out, 'index.js'), 'utf8');
    return { commit, compatibility_date, compatibility_flags, vars, code };
  } finally {
    git('worktree', 'remove', '--force', tree);
    rmSync(folder, { recursive: true, force: true });
  }
}
