// npm run deploy: builds, makes the database when there is none, applies the migrations, then deploys. The schema
// always goes first, so that no Worker is newer than its tables (docs/operating/upgrade.md).
// `--dry-run` bundles and checks, and sends Cloudflare no request. `--env NAME` uses [env.NAME] of wrangler.toml in every step.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { planDeployment } from './deploy-plan.ts';
import { migrateLibsql } from './migrate-libsql.ts';
import { migrationDigests } from './migrations.ts';
import { sql } from './restore-plan.ts';
import { WITH_LIBSQL } from './with-libsql.ts';

const root = resolve(import.meta.dirname, '..');
const WRANGLER = join(root, 'node_modules/wrangler/bin/wrangler.js');
const VITE = join(root, 'node_modules/vite/bin/vite.js');
/** A copy of wrangler.toml with the id of the KV namespace. Paths in it are relative to its folder. */
const CONFIG_COPY = join(root, 'wrangler.deploy.toml');

const planned = planDeployment(root, process.argv.slice(2));
if (!planned.ok) fail(planned.reason);
const { plan } = planned;
const secrets = readSecrets();
const libsqlUrl = process.env['LIBSQL_URL'] ?? secrets['LIBSQL_URL'] ?? plan.libsqlUrl;

step('Building the dashboard and the documentation', [VITE, 'build', 'ui', '--logLevel', 'warn']);
if (plan.isDryRun) {
  step('Checking', [WRANGLER, 'deploy', ...plan.environment, ...plan.flags]);
} else {
  await migrateLibsqlIfUsed();
  prepareDatabase();
  deploy();
}
if (!plan.hasOrigins) {
  console.log(`
ORIGINS is empty in wrangler.toml, so nobody can sign in yet. Write the https address of this deployment there, which
wrangler has just printed, and run this again (docs/operating/first-deployment.md).`);
}

function prepareDatabase(): void {
  const { name, id } = plan.database;
  const found = ask(['d1', 'list', '--json']).find((row) =>
    id === undefined ? row['name'] === name : row['uuid'] === id,
  );
  if (found !== undefined) requireJurisdiction(found['jurisdiction']);
  else if (id === undefined) step('Making the database', [WRANGLER, 'd1', 'create', name, ...plan.place]);
  const digests = migrationDigests(root);
  const known = query(
    'CREATE TABLE IF NOT EXISTS migration_digests (name TEXT PRIMARY KEY, digest TEXT NOT NULL) STRICT; SELECT name, digest FROM migration_digests',
  );
  const edited = known.find((row) => digests.get(String(row['name'])) !== row['digest']);
  if (edited !== undefined) {
    fail(
      `migrations/${String(edited['name'])} is not the file that was applied to ${name}. An applied migration is never edited or removed: restore the file, and write the change as a new migration.`,
    );
  }
  step('Applying the migrations', [
    WRANGLER,
    'd1',
    'migrations',
    'apply',
    'DB',
    '--remote',
    ...plan.environment,
  ]);
  const json = JSON.stringify(Object.fromEntries(digests));
  query(
    sql`INSERT INTO migration_digests (name, digest) SELECT key, value FROM json_each(${json}) WHERE true ON CONFLICT DO NOTHING`,
  );
}

/** A database cannot move. `standing`: its jurisdiction from Cloudflare's answer, or null for none. */
function requireJurisdiction(standing: unknown): void {
  // An answer without the field proves nothing.
  if (standing === undefined || (standing ?? '') === plan.jurisdiction) return;
  const where = (jurisdiction: unknown) =>
    jurisdiction ? `in the jurisdiction ${String(jurisdiction)}` : 'in no jurisdiction';
  fail(
    `The database ${plan.database.name} is ${where(standing)}, and JURISDICTION says ${where(plan.jurisdiction)}. A database does not move: docs/operating/upgrade.md, "A jurisdiction". Nothing was deployed.`,
  );
}

function deploy(): void {
  const args = ['deploy', ...plan.environment, ...plan.flags];
  const id = idOfNamespace();
  if (id === null) return step('Deploying', [WRANGLER, ...args]);
  // Without the id, wrangler would make a second namespace with the same title, which Cloudflare refuses.
  const text = readFileSync(join(root, 'wrangler.toml'), 'utf8');
  const bindings = text.replaceAll(/^binding = "TOKEN_CACHE"$/gm, `binding = "TOKEN_CACHE"\nid = "${id}"`);
  writeFileSync(CONFIG_COPY, bindings);
  process.once('exit', () => rmSync(CONFIG_COPY, { force: true }));
  step('Deploying', [WRANGLER, ...args, '--config', CONFIG_COPY]);
}

/** The id of the account's KV namespace with the title that wrangler uses for ours, or null. */
function idOfNamespace(): string | null {
  if (plan.namespaceTitle === null) return null;
  const rows = ask(['kv', 'namespace', 'list']);
  const found = rows.find((row) => row['title'] === plan.namespaceTitle)?.['id'];
  return typeof found === 'string' ? found : null;
}

/** When the Worker keeps its data in libSQL, its schema goes first as well. */
async function migrateLibsqlIfUsed(): Promise<void> {
  const token = process.env['LIBSQL_AUTH_TOKEN'] ?? secrets['LIBSQL_AUTH_TOKEN'];
  if (libsqlUrl) {
    console.log('Applying the migrations to libSQL…');
    const migrated = await migrateLibsql(libsqlUrl, token);
    if (!migrated.ok) fail(`${migrated.reason}\nNothing was deployed. It is safe to run this again.`);
    console.log(
      migrated.applied.length === 0 ? 'Nothing to apply' : `Applied ${migrated.applied.join(', ')}`,
    );
  } else if (isLibsqlWorker()) {
    fail(
      'The Worker has a secret LIBSQL_URL, so its database is libSQL. Set LIBSQL_URL and LIBSQL_AUTH_TOKEN in this shell as well: the schema goes first, and the Worker is bundled with the client of libSQL.',
    );
  }
}

/** The content of `--secrets-file`, if it is JSON; wrangler also reads other forms. */
function readSecrets(): Record<string, string> {
  if (plan.secretsFile === undefined || !existsSync(plan.secretsFile)) return {};
  try {
    // wrangler refuses a file that is not an object of texts.
    return JSON.parse(readFileSync(plan.secretsFile, 'utf8')) as Record<string, string>;
  } catch {
    return {};
  }
}

function isLibsqlWorker(): boolean {
  const { status, stdout } = wrangler(['secret', 'list', '--format', 'json', ...plan.environment]);
  // A Worker that was never deployed has no secrets.
  return status === 0 && stdout.includes('"LIBSQL_URL"');
}

/** The rows that a command of wrangler lists as JSON. */
function ask(args: string[]): Record<string, unknown>[] {
  const { status, stdout, stderr } = wrangler(args);
  if (status !== 0) {
    fail(`${stdout}${stderr}\nCloudflare does not answer for this account. Run: npx wrangler login`);
  }
  // The shape is wrangler's own: an array of objects, possibly after other lines.
  return JSON.parse(stdout.slice(stdout.indexOf('['))) as Record<string, unknown>[];
}

/** The rows of the last statement. */
function query(statements: string): Record<string, unknown>[] {
  const { status, stdout, stderr } = wrangler([
    'd1',
    'execute',
    'DB',
    '--remote',
    '--json',
    '--yes',
    '--command',
    statements,
    ...plan.environment,
  ]);
  if (status !== 0) fail(`${stdout}${stderr}\nThe database ${plan.database.name} cannot be read.`);
  const results = JSON.parse(stdout.slice(stdout.indexOf('['))) as { results: Record<string, unknown>[] }[];
  return results.at(-1)?.results ?? [];
}

function wrangler(args: string[]) {
  return spawnSync(process.execPath, [WRANGLER, ...args], {
    cwd: root,
    env: environment(),
    encoding: 'utf8',
  });
}

function step(title: string, args: string[]): void {
  console.log(`${title}…`);
  const { status } = spawnSync(process.execPath, args, { cwd: root, env: environment(), stdio: 'inherit' });
  if (status !== 0) fail(`${title} failed; the steps after it were not begun. It is safe to run this again.`);
}

/**
 * CI=true: wrangler asks no questions, on which CI would hang, and does not change wrangler.toml. A Worker for D1 does not
 * contain the client of libSQL.
 */
function environment(): NodeJS.ProcessEnv {
  const settings = { WRANGLER_SEND_METRICS: 'false', WRANGLER_HIDE_BANNER: 'true', CI: 'true' };
  return { ...process.env, ...settings, ...(libsqlUrl ? WITH_LIBSQL : {}) };
}

function fail(message: string): never {
  console.error(`\n${message}`);
  process.exit(1);
}
