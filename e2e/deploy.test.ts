// `npm run deploy` from its first step to its last, against a stand-in for Cloudflare's API whose databases are real SQLite.
import { execFile } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { migrateLibsql } from '../scripts/migrate-libsql.ts';
import { stagingOf } from '../scripts/staging.ts';
import { startCloudflareApi, type CloudflareApi } from './cloudflare-api.ts';
import { startLibsqlServer } from './libsql-server.ts';

const root = resolve(import.meta.dirname, '..');
const PARTS = [
  '.tsconfig.base.json',
  'tsconfig.json',
  'worker',
  'ui',
  'migrations',
  'scripts',
  'docs',
  'wrangler.toml',
  'package.json',
];
/** A text of @libsql/client that a minified bundle keeps. */
const LIBSQL_CLIENT = 'URL_SCHEME_NOT_SUPPORTED';
const MIGRATIONS = /^\d{4}_\w+\.sql$/;

let checkout: string;
let api: CloudflareApi;
let refused: (call: string) => boolean;
beforeEach(async () => {
  checkout = mkdtempSync(join(tmpdir(), 'developer-zone-'));
  for (const part of PARTS) cpSync(join(root, part), join(checkout, part), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(checkout, 'node_modules'));
  refused = () => false;
  api = await startCloudflareApi((call) => refused(call));
});
afterEach(async () => {
  await api.stop();
  rmSync(checkout, { recursive: true, force: true });
});

/** Deploys the checkout; `output` is the text on the terminal. */
function deploy(
  flags: string[] = [],
  variables: Record<string, string> = {},
): Promise<{ code: number; output: string }> {
  const env = { ...process.env, ...api.environment, HOME: checkout, ...variables };
  return new Promise((done) => {
    execFile(
      process.execPath,
      ['scripts/deploy.ts', ...flags],
      { cwd: checkout, env },
      (error, stdout, stderr) =>
        done({
          code: error === null ? 0 : Number(error.code),
          output: stripVTControlCharacters(stdout + stderr),
        }),
    );
  });
}

/** The settings of the deployment, with some of them changed. */
function configure(change: (toml: string) => string): void {
  const file = join(checkout, 'wrangler.toml');
  writeFileSync(file, change(readFileSync(file, 'utf8')));
}

function appliedTo(name: string): string[] {
  const database = api.databases.find((each) => each.name === name);
  const rows = database?.sqlite.prepare('SELECT name FROM d1_migrations ORDER BY id').all() ?? [];
  return rows.map((row) => String(row['name']));
}

function bindingOf(worker: string, name: string) {
  return api.workers.get(worker)?.metadata.bindings.find((binding) => binding.name === name);
}

describe('npm run deploy', { timeout: 300_000 }, () => {
  it('creates missing resources, applies the schema before the Worker, and does neither twice', async () => {
    const first = await deploy();
    expect(first).toMatchObject({ code: 0 });
    expect(api.databases.map(({ name }) => name)).toEqual(['developer-zone']);
    expect(appliedTo('developer-zone').length).toBeGreaterThan(1);
    expect(appliedTo('developer-zone').every((name) => MIGRATIONS.test(name))).toBe(true);
    const lastQuery = api.calls.findLastIndex((call) => call.endsWith('/query'));
    const upload = api.calls.findIndex((call) => /^PUT .*\/scripts\/developer-zone$/.test(call));
    expect(lastQuery).toBeLessThan(upload);
    expect(bindingOf('developer-zone', 'DB')?.id).toBe(api.databases[0]?.uuid);
    const cache = bindingOf('developer-zone', 'TOKEN_CACHE')?.namespace_id;
    expect(cache).toBe(api.namespaces[0]?.id);
    // The triggers arrived complete.
    const rows = api.databases[0]?.sqlite
      .prepare("SELECT count(*) AS n FROM sqlite_schema WHERE type = 'trigger'")
      .get();
    expect(Number(rows?.['n'])).toBeGreaterThan(8);

    const second = await deploy();
    expect(second).toMatchObject({ code: 0 });
    expect(second.output).not.toContain('Making the database');
    expect(api.databases).toHaveLength(1);
    expect(api.namespaces).toHaveLength(1);
    expect(bindingOf('developer-zone', 'TOKEN_CACHE')?.namespace_id).toBe(cache);
    expect(existsSync(join(checkout, 'wrangler.deploy.toml'))).toBe(false);
    expect(api.workers.get('developer-zone')?.code).not.toContain(LIBSQL_CLIENT);

    // A migration that was applied and then edited.
    const [name] = appliedTo('developer-zone');
    appendFileSync(join(checkout, 'migrations', name ?? ''), '-- edited\n');
    api.calls.length = 0;
    const edited = await deploy();
    expect(edited.code).toBe(1);
    expect(edited.output).toContain(`migrations/${name} is not the file that was applied to developer-zone`);
    expect(api.calls.filter((call) => call.startsWith('PUT '))).toEqual([]);
  });

  it('stops at a migration that fails, such as a trigger of several lines, and names the step that failed', async () => {
    const trigger = 'CREATE TRIGGER t AFTER INSERT ON tokens\nBEGIN\n  SELECT 1;\nEND;\n';
    writeFileSync(join(checkout, 'migrations/9999_broken.sql'), trigger);
    const { code, output } = await deploy();
    expect(code).toBe(1);
    expect(output).toContain('incomplete input');
    expect(output).toContain('Applying the migrations failed; the steps after it were not begun');
    expect(api.workers.size).toBe(0);
    expect(appliedTo('developer-zone')).not.toContain('9999_broken.sql');
  });

  it('uses the named environment in every step, and finds the namespace of a Worker that was deleted', async () => {
    const production = { uuid: 'p', name: 'developer-zone', place: {}, sqlite: new DatabaseSync(':memory:') };
    api.databases.push(production);
    const left = { id: 'f'.repeat(32), title: 'developer-zone-staging-token-cache' };
    api.namespaces.push(left);
    configure((toml) => toml + stagingOf(toml));
    expect(await deploy(['--env', 'staging'])).toMatchObject({ code: 0 });
    expect(production.sqlite.prepare('SELECT name FROM sqlite_schema').all()).toEqual([]);
    expect(appliedTo('developer-zone-staging').length).toBeGreaterThan(1);
    expect([...api.workers.keys()]).toEqual(['developer-zone-staging']);
    expect(bindingOf('developer-zone-staging', 'DB')?.id).toBe(api.databases[1]?.uuid);
    expect(api.namespaces).toEqual([left]);
    expect(bindingOf('developer-zone-staging', 'TOKEN_CACHE')?.namespace_id).toBe(left.id);
  });

  it('makes the database where JURISDICTION says, and refuses one that is elsewhere', async () => {
    configure((toml) => toml.replace('JURISDICTION = ""', 'JURISDICTION = "eu"'));
    refused = (call) => call.endsWith('/query');
    expect((await deploy()).code).toBe(1);
    expect(api.databases[0]?.place).toEqual({ jurisdiction: 'eu' });
    refused = () => false;
    const elsewhere = await deploy(['--var', 'JURISDICTION:']);
    expect(elsewhere.code).toBe(1);
    expect(elsewhere.output).toContain('is in the jurisdiction eu, and JURISDICTION says in no jurisdiction');
    for (const database of api.databases) database.place = {};
    const outside = await deploy();
    expect(outside.code).toBe(1);
    expect(outside.output).toContain('is in no jurisdiction, and JURISDICTION says in the jurisdiction eu');
    expect(api.workers.size).toBe(0);
  });

  it('migrates libSQL first, reports a fault of it in one line, and bundles its client', async () => {
    const server = await startLibsqlServer();
    const variables = { LIBSQL_URL: server.url, LIBSQL_AUTH_TOKEN: server.authToken };
    const wrong = await deploy([], { ...variables, LIBSQL_AUTH_TOKEN: 'wrong' });
    expect(wrong.code).toBe(1);
    expect(wrong.output).toContain('the server refuses LIBSQL_AUTH_TOKEN');
    expect(wrong.output).not.toMatch(/wrong$|^ {4}at /m);
    expect(api.calls.filter((call) => call.startsWith('PUT '))).toEqual([]);
    expect(await deploy([], variables)).toMatchObject({ code: 0 });
    expect(api.workers.get('developer-zone')?.code).toContain(LIBSQL_CLIENT);
    expect(await migrateLibsql(server.url, server.authToken)).toEqual({ ok: true, applied: [] });
    await server.close();
  });
});

it('a libSQL server that does not answer is abandoned and named', async () => {
  const silent = createServer(() => {});
  await new Promise<void>((done) => {
    silent.listen(0, '127.0.0.1', done);
  });
  // A server that listens on a port has an address of that form.
  const { port } = silent.address() as AddressInfo;
  expect(await migrateLibsql(`http://127.0.0.1:${port}`, undefined, 200)).toEqual({
    ok: false,
    reason: `libSQL at 127.0.0.1:${port}: no answer within 0.2 seconds`,
  });
  silent.closeAllConnections();
  silent.close();
});
