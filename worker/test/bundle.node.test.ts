// The code that every isolate compiles, and the part that a call evaluates. Bundled as Wrangler does, but in one pass.
import { resolve } from 'node:path';
import { build } from 'esbuild';
import type { Plugin } from 'esbuild';
import { expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');

/** Leaves out code that is loaded by `import()`. */
const eager: Plugin = {
  name: 'eager',
  setup: ({ onResolve }) =>
    onResolve({ filter: /./ }, ({ kind, path }) =>
      kind === 'dynamic-import' ? { path, external: true } : undefined,
    ),
};

async function bundle(entry: string, plugins: Plugin[] = []): Promise<{ text: string; inputs: string[] }> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    bundle: true,
    write: false,
    minify: true,
    metafile: true,
    format: 'esm',
    target: 'es2024',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['cloudflare:*', 'node:*'],
    logLevel: 'error',
    plugins,
  });
  const [output] = Object.values(metafile.outputs);
  const inputs = Object.entries(output?.inputs ?? {}).filter(([, { bytesInOutput }]) => bytesInOutput > 0);
  return { text: outputFiles[0]?.text ?? '', inputs: inputs.map(([name]) => name) };
}

it('the Worker is ASCII: one character beyond Latin-1 doubles what V8 keeps and reads of it at each start', async () => {
  const { text, inputs } = await bundle('worker/index.ts');
  // esbuild does not escape tagged templates and regular expressions.
  // oxlint-disable-next-line no-control-regex -- all of ASCII
  expect(text.match(/[^\x00-\x7f].{0,40}/g)).toBeNull();
  // Hono's other routers build a table at the first call, and no route uses them.
  expect(inputs.filter((name) => /reg-exp-router|trie-router/.test(name))).toEqual([]);
});

it('the Worker for D1 does not carry the client of libSQL', async () => {
  const { inputs } = await bundle('worker/index.ts');
  expect(inputs.filter((name) => /libsql/.test(name))).toEqual(['worker/libsql/left-out.ts']);
});

it('a call evaluates no query builder, no schema library and no client of another database', async () => {
  const { text, inputs } = await bundle('worker/index.ts', [eager]);
  expect(
    inputs.filter((name) =>
      /drizzle|valibot|oauth4webapi|@libsql|worker\/(?:admin|operator|docs)/.test(name),
    ),
  ).toEqual([]);
  // This includes the checks of settings and addresses, which come before any answer.
  expect(text.length).toBeLessThan(70_000);
});

it('verification imports no package and no more than it needs', async () => {
  const { text, inputs } = await bundle('worker/verification/verify.ts', [eager]);
  expect(inputs.filter((name) => name.includes('node_modules'))).toEqual([]);
  // Code that only hubs or minting need is not included.
  expect(inputs.filter((name) => /hub|publish|usage/.test(name))).toEqual([]);
  expect(text.length).toBeLessThan(19_400);
});
