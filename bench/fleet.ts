// One workerd process with several Workers, each with its own socket: miniflare's entry Worker would add a hop to each
// call.
import { fileURLToPath } from 'node:url';
import { Miniflare, type MiniflareOptions } from 'miniflare';
import { unstable_readConfig as readConfig } from 'wrangler';
import { childrenNamed } from './process.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** The key ring of the bench. */
const TAG_KEYS = { 1: 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8' };
export const SETTINGS = {
  // A line in the log is a write to a pipe here, a third of a call. Its cost on Cloudflare cannot be measured here.
  LOG: 'errors',
  TAG_KEYS: JSON.stringify(TAG_KEYS),
  TAG_KEY_CURRENT: '1',
  OPERATOR_SECRET: 'an-operator-secret-of-the-bench-alone',
  // Without it http is refused.
  LOCAL_MODE: '1',
};

export type WorkerOptions = MiniflareOptions['workers'][number];
type Bindings = NonNullable<WorkerOptions['config']['env']>;

export type Fleet = {
  miniflare: Miniflare;
  /** The workerd process; null where there is no /proc. */
  pid: number | null;
  port(worker: string): Promise<number>;
  dispose(): Promise<void>;
};

/** The deployment's own settings, from wrangler.toml. */
export const deployed = readConfig({ config: `${ROOT}wrangler.toml` });

export async function openFleet(workers: WorkerOptions[], inspectorPort?: number): Promise<Fleet> {
  const others = childrenNamed('workerd');
  const miniflare = new Miniflare({
    workers,
    logRequests: false,
    // Nobody reads the lines of requests (LOG "all") here.
    handleStructuredLogs: ({ level, message }) => {
      if (level === 'error' || level === 'warn') process.stderr.write(`${message}\n`);
    },
    ...(inspectorPort === undefined ? {} : { inspectorPort }),
  });
  await miniflare.ready;
  return {
    miniflare,
    pid: childrenNamed('workerd').find((pid) => !others.includes(pid)) ?? null,
    port: async (worker) => Number((await miniflare.unsafeGetDirectURL(worker)).port),
    dispose: () => miniflare.dispose(),
  };
}

/** A peer: one module, and the bindings that it needs. */
export function peer(name: string, code: string, env: Bindings = {}): WorkerOptions {
  return {
    config: {
      name,
      compatibilityDate: deployed.compatibility_date ?? '',
      compatibilityFlags: deployed.compatibility_flags,
      manifest: { mainModule: 'index.js', modules: { 'index.js': { type: 'esm', contents: code } } },
      env,
      exports: {},
    },
    dev: { unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }] },
  };
}

export type Ours = {
  name: string;
  /** The bundle as deployed. */
  code: string;
  database: string;
  /** A module around the bundle, when a binding must be replaced. */
  wrapper?: string;
  /** The settings of its wrangler.toml, for another version. */
  deployedVars?: Record<string, unknown>;
  vars?: Record<string, string>;
};

/** The product as deployed: its own bundle, bindings and settings; `vars` and `wrapper` are the changes. */
export function ours({
  name,
  code,
  database,
  wrapper,
  deployedVars = deployed.vars,
  vars = {},
}: Ours): WorkerOptions {
  const settings = { ...deployedVars, ...SETTINGS, ...vars };
  const env: Bindings = {
    DB: { type: 'd1', id: database },
    TOKEN_CACHE: { type: 'kv', id: `${name}-${database}` },
    CHANGE_HUB: { type: 'durable-object', worker: name, exportName: 'ChangeHub' },
    ASSETS: { type: 'worker', worker: 'bare' },
    VERSION: { type: 'version-metadata' },
  };
  for (const [key, value] of Object.entries(settings)) env[key] = { type: 'text', value: String(value) };
  for (const { name: key, namespace_id: namespace, simple } of deployed.ratelimits) {
    // Cloudflare's limiter knows periods of 10 and 60 seconds; wrangler has checked the number.
    const period = simple.period as 10 | 60;
    env[key] = { type: 'rate-limit', namespace, simple: { limit: simple.limit, period } };
  }
  const worker = peer(name, wrapper ?? code, env);
  return {
    ...worker,
    config: {
      ...worker.config,
      manifest: {
        mainModule: 'index.js',
        modules: {
          'index.js': { type: 'esm', contents: wrapper ?? code },
          ...(wrapper === undefined ? {} : { 'product.js': { type: 'esm', contents: code } }),
        },
      },
      exports: { ChangeHub: { type: 'durable-object', storage: 'sqlite' } },
    },
  };
}
