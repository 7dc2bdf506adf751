// Several isolates of the product in one workerd, like the isolates of a deployment in many places. Each is a Worker of its own
// with the bundle that would be deployed. All of them use the same D1, KV and hubs.
import { join, resolve } from 'node:path';
import { Miniflare } from 'miniflare';
import type { MiniflareOptions } from 'miniflare';
import { inject } from 'vitest';
import { unstable_readConfig as readConfig } from 'wrangler';
import { readMigrations, statementsOf } from '../scripts/migrations.ts';
import type { Release } from '../scripts/release.ts';
import { watch } from '../scripts/watched.ts';
import { bundleLibsqlWorker } from './bundle.ts';
import { markedValue } from '../worker/marked.ts';
import { readTagKeyRing } from '../worker/token/secret.ts';

const root = resolve(import.meta.dirname, '..');
export type WorkerOptions = MiniflareOptions['workers'][number];
export type Bindings = NonNullable<WorkerOptions['config']['env']>;
/** Variables and secrets as text; other bindings as miniflare describes them. */
export type Settings = Record<string, string | Bindings[string]>;

export const SETTINGS = {
  TAG_KEYS: JSON.stringify({ 1: 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8' }),
  TAG_KEY_CURRENT: '1',
  OPERATOR_SECRET: 'an-operator-secret-of-these-tests-alone',
  // The tests call over http, which is refused outside local mode.
  LOCAL_MODE: '1',
};

/** The cookie of a session for these settings. The test must write its row. */
export function newSessionCookie(): string {
  const reading = readTagKeyRing(SETTINGS.TAG_KEYS, SETTINGS.TAG_KEY_CURRENT);
  if (!reading.ok) throw new Error(reading.reason);
  return markedValue(reading.ring, 'session');
}

const FILES = 'files';

/** The files of the dashboard are a separate Worker, because miniflare opens a tunnel for CONNECT when a Worker has files. */
function filesWorker(): WorkerOptions {
  const { assets, compatibility_date: compatibilityDate } = readConfig({
    config: join(root, 'wrangler.toml'),
  });
  const contents = 'export default { fetch: (request, env) => env.ASSETS.fetch(request) };';
  return {
    config: {
      name: FILES,
      compatibilityDate: compatibilityDate ?? '',
      manifest: { mainModule: 'index.js', modules: { 'index.js': { type: 'esm', contents } } },
      env: { ASSETS: { type: 'assets' } },
      assets: {
        directory: join(root, assets?.directory ?? ''),
        htmlHandling: assets?.html_handling,
        notFoundHandling: assets?.not_found_handling,
        runWorkerFirst: true,
        hasUserWorker: true,
      },
    },
  };
}

/** As `npm run deploy` bundles it: with the client of libSQL where the settings name a database there. */
function presentRelease(settings: Settings): Pick<Release, 'code' | 'vars'> {
  const code = 'LIBSQL_URL' in settings ? bundleLibsqlWorker() : inject('worker');
  return { code, vars: readConfig({ config: join(root, 'wrangler.toml') }).vars };
}

export type Isolate = {
  name: string;
  /** The D1 database; KV is that of `zone`. */
  database: string;
  zone: string;
  /** The isolate that hosts its hubs. */
  hubs: string;
  settings: Settings;
  release?: Release;
  limit?: number;
};

/** One isolate of the product. */
function isolate({ name, database, zone, hubs, settings, release, limit }: Isolate): WorkerOptions {
  const deployed = readConfig({ config: join(root, 'wrangler.toml') });
  const { code, vars } = release ?? presentRelease(settings);
  const env: Bindings = {
    DB: { type: 'd1', id: database },
    TOKEN_CACHE: { type: 'kv', id: `tokens-of-${zone}` },
    CHANGE_HUB: { type: 'durable-object', worker: hubs, exportName: 'ChangeHub' },
    VERSION: { type: 'version-metadata' },
    ASSETS: { type: 'worker', worker: FILES },
  };
  for (const [key, value] of Object.entries(vars)) env[key] = { type: 'text', value: String(value) };
  for (const [key, value] of Object.entries(settings)) {
    env[key] = typeof value === 'string' ? { type: 'text', value } : value;
  }
  for (const { name: key, namespace_id: namespace, simple } of deployed.ratelimits) {
    // Cloudflare's limiter knows periods of 10 and 60 seconds; wrangler has checked the number.
    const period = simple.period as 10 | 60;
    env[key] = { type: 'rate-limit', namespace, simple: { limit: limit ?? simple.limit, period } };
  }
  return {
    config: {
      name,
      compatibilityDate: deployed.compatibility_date ?? '',
      compatibilityFlags: deployed.compatibility_flags,
      manifest: { mainModule: 'index.js', modules: { 'index.js': { type: 'esm', contents: code } } },
      env,
      exports: { ChangeHub: { type: 'durable-object', storage: 'sqlite' } },
    },
    dev: { unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }] },
  };
}

/** A separate deployment: only these secrets, the deployed limits, and a database without tables. */
export function emptyDeployment(name: string, vars: Record<string, string>): WorkerOptions {
  return isolate({ name, database: name, zone: name, hubs: name, settings: vars });
}

/** Starts an isolate for each name; the first one hosts the hubs. `others`: Workers that are not the product. */
export async function startIsolates(
  names: [string, ...string[]],
  settings: Settings = {},
  others: WorkerOptions[] = [],
): Promise<Miniflare> {
  const [hubs] = names;
  return startReleases(
    names.map((name) => ({ name, hubs, settings })),
    others,
  );
}

/**
 * Starts isolates of one zone that may differ in release, database, hubs or settings; omitted fields have defaults. The
 * database of the first isolate gets the tables.
 */
export async function startReleases(
  isolates: (Partial<Isolate> & Pick<Isolate, 'name' | 'hubs'>)[],
  others: WorkerOptions[] = [],
): Promise<Miniflare> {
  const workers = isolates.map(({ settings, ...rest }) =>
    isolate({
      database: 'zone',
      zone: 'zone',
      limit: 10_000,
      ...rest,
      settings: { ...SETTINGS, ...settings },
    }),
  );
  const miniflare = new Miniflare({
    workers: [...workers, filesWorker(), ...others],
    logRequests: false,
    handleStructuredLogs: ({ message }) => watch(message),
  });
  await miniflare.ready;
  const db = await miniflare.getD1Database('DB', isolates[0]?.name);
  for (const text of readMigrations(root).values()) {
    for (const statement of statementsOf(text)) await db.prepare(statement).run();
  }
  return miniflare;
}
