// npm run deploy: builds, makes the database when there is none, brings its schema up to date, then deploys. The schema
// always goes first, so that no call ever meets a Worker that is newer than its tables (docs/operating/upgrade.md).
// `--dry-run` bundles and checks, and asks Cloudflare nothing. Every other flag goes to `wrangler deploy` unchanged.
import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { unstable_readConfig as readConfig } from 'wrangler';

const root = resolve(import.meta.dirname, '..');
const WRANGLER = join(root, 'node_modules/wrangler/bin/wrangler.js');
const VITE = join(root, 'node_modules/vite/bin/vite.js');
// Its name is in wrangler.toml, and its id as well when somebody wrote it there ("Deploy to Cloudflare" does).
const {
  d1_databases: [database],
  vars,
} = readConfig({ config: join(root, 'wrangler.toml') });
const databaseName = database?.database_name ?? 'developer-zone';
const flags = process.argv.slice(2);

step('Building the dashboard', [VITE, 'build', 'ui', '--logLevel', 'warn']);
if (!flags.includes('--dry-run')) {
  if (database?.database_id === undefined && !databases().includes(databaseName)) {
    step('Making the database', [WRANGLER, 'd1', 'create', databaseName]);
  }
  step('Applying the migrations', [WRANGLER, 'd1', 'migrations', 'apply', 'DB', '--remote']);
}
// KV and the Durable Object are made by the deployment itself; it finds the database by its name.
step(flags.includes('--dry-run') ? 'Checking' : 'Deploying', [WRANGLER, 'deploy', ...flags]);
if (vars['ORIGINS'] === '' && !flags.some((flag) => flag.includes('ORIGINS:'))) {
  console.log(`
ORIGINS is empty in wrangler.toml, so nobody can sign in yet. Write the https address of this deployment there, which
wrangler has just printed, and run this again (docs/operating/first-deployment.md).`);
}

/** The names of the account's databases. */
function databases(): string[] {
  const { status, stdout, stderr } = spawnSync(process.execPath, [WRANGLER, 'd1', 'list', '--json'], {
    cwd: root,
    env: environment(),
    encoding: 'utf8',
  });
  if (status !== 0) {
    fail(`${stdout}${stderr}\nCloudflare does not answer for this account. Run: npx wrangler login`);
  }
  // The shape is wrangler's own: an array of { uuid, name, … }.
  const rows = JSON.parse(stdout) as { name: string }[];
  return rows.map(({ name }) => name);
}

function step(title: string, args: string[]): void {
  console.log(`${title}…`);
  const { status } = spawnSync(process.execPath, args, { cwd: root, env: environment(), stdio: 'inherit' });
  if (status !== 0) fail(`${title} failed; the steps after it were not begun. It is safe to run this again.`);
}

/** No questions: what is asked in a terminal would stand still in CI, and wrangler.toml stays as it is. */
function environment(): NodeJS.ProcessEnv {
  return { ...process.env, WRANGLER_SEND_METRICS: 'false', WRANGLER_HIDE_BANNER: 'true', CI: 'true' };
}

function fail(message: string): never {
  console.error(`\n${message}`);
  process.exit(1);
}
