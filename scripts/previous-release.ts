// npm run keep-release <commit>: keeps the Worker of that commit as e2e/previous-release/, exactly as
// `wrangler deploy` would have sent it. e2e/releases.test.ts runs it beside the present one. Run it with the commit of
// each release once that release is out.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { unstable_readConfig as readConfig } from 'wrangler';

const root = resolve(import.meta.dirname, '..');
const wrangler = join(root, 'node_modules/wrangler/bin/wrangler.js');
const kept = join(root, 'e2e/previous-release');
const [name] = process.argv.slice(2);
if (name === undefined) {
  console.error('Name the commit of the release: npm run keep-release <commit>');
  process.exit(1);
}

const git = (...args: string[]): string => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
const commit = git('rev-parse', '--verify', `${name}^{commit}`);
const folder = mkdtempSync(join(tmpdir(), 'previous-release-'));
const tree = join(folder, 'tree');
git('worktree', 'add', '--detach', '--quiet', tree, commit);
try {
  // Its packages are ours: wrangler and what the Worker imports, at the versions of today.
  symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'));
  mkdirSync(join(tree, 'dist/ui'), { recursive: true });
  const out = join(folder, 'out');
  execFileSync(process.execPath, [wrangler, 'deploy', '--dry-run', '--outdir', out], {
    cwd: tree,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, WRANGLER_SEND_METRICS: 'false', CI: 'true' },
  });
  const { vars, compatibility_date, compatibility_flags } = readConfig({
    config: join(tree, 'wrangler.toml'),
  });
  mkdirSync(kept, { recursive: true });
  writeFileSync(join(kept, 'index.js.gz'), gzipSync(readFileSync(join(out, 'index.js')), { level: 9 }));
  const settings = { commit, compatibility_date, compatibility_flags, vars };
  writeFileSync(join(kept, 'settings.json'), `${JSON.stringify(settings, null, 2)}\n`);
} finally {
  git('worktree', 'remove', '--force', tree);
  rmSync(folder, { recursive: true, force: true });
}
console.log(`e2e/previous-release is ${commit}.`);
