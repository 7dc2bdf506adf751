// Makes the bundles that are measured beside the product: the peers and parts of the product, with the bundler of the product.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build, transformSync } from 'esbuild';
import type { Plugin } from 'esbuild';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

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

/** A module of peers/ without its types. It imports './product.js', which is the product's Worker. */
export function wrapperModule(name: string): string {
  const source = readFileSync(`${ROOT}bench/peers/${name}.ts`, 'utf8');
  return transformSync(source, { loader: 'ts' }).code;
}

/** Leaves out code that is loaded by `import()`: the rest is evaluated by a call. */
const EAGER: Plugin = {
  name: 'eager',
  setup: ({ onResolve }) =>
    onResolve({ filter: /./ }, ({ kind, path }) =>
      kind === 'dynamic-import' ? { path, external: true } : undefined,
    ),
};
