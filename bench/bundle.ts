// Makes the bundles that are measured: the product as it is deployed, and the peers with the same bundler.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Plugin } from 'esbuild';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** The product's Worker exactly as `wrangler deploy` would send it; `readable` keeps its names, for a profile. */
export function bundleProduct(readable = false): string {
  // Wrangler needs the folder of static files; the files are not measured.
  mkdirSync(`${ROOT}dist/ui`, { recursive: true });
  execFileSync(
    process.execPath,
    [
      'node_modules/wrangler/bin/wrangler.js',
      'deploy',
      '--dry-run',
      '--outdir',
      '.tmp/bench',
      ...(readable ? ['--no-minify'] : []),
    ],
    {
      cwd: ROOT,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, WRANGLER_SEND_METRICS: 'false' },
    },
  );
  return readFileSync(`${ROOT}.tmp/bench/index.js`, 'utf8');
}

/** One file of this project as a Worker module, without the modules of the runtime. */
export async function bundle(entry: string, { minify = false, eager = false } = {}): Promise<string> {
  const result = await build({
    entryPoints: [`${ROOT}${entry}`],
    bundle: true,
    write: false,
    minify,
    format: 'esm',
    target: 'es2024',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['cloudflare:*', 'node:*', './product.js'],
    plugins: eager ? [EAGER] : [],
    logLevel: 'error',
  });
  const text = result.outputFiles[0]?.text;
  if (text === undefined) throw new Error(`esbuild made nothing of ${entry}`);
  return text;
}

/** Leaves out code that is loaded by `import()`: the rest is evaluated by a call. */
const EAGER: Plugin = {
  name: 'eager',
  setup: ({ onResolve }) =>
    onResolve({ filter: /./ }, ({ kind, path }) =>
      kind === 'dynamic-import' ? { path, external: true } : undefined,
    ),
};
