// The Worker as `wrangler deploy` would send it.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const WRANGLER = join(root, 'node_modules/wrangler/bin/wrangler.js');

export type Bundle = {
  /** The module that would be sent. */
  code: string;
  /** Every module that was bundled, and how many bytes of it are left: 0 where nothing uses it. */
  modules: { path: string; bytes: number }[];
};

/** esbuild's metafile. */
type Meta = { outputs: Record<string, { inputs: Record<string, { bytesInOutput: number }> }> };

/**
 * Bundles the Worker of a checkout. `config`: another wrangler.toml than that of the checkout. `flags` and `environment` are
 * added to those of wrangler. Throws with wrangler's output when it cannot be bundled.
 */
export function bundleWorker({
  checkout = root,
  config = join(checkout, 'wrangler.toml'),
  flags = [],
  environment = {},
}: {
  checkout?: string;
  config?: string;
  flags?: string[];
  environment?: Record<string, string>;
} = {}): Bundle {
  // Wrangler needs the folder of the static files, which may not be built yet.
  mkdirSync(join(checkout, 'dist/ui'), { recursive: true });
  const folder = mkdtempSync(join(tmpdir(), 'developer-zone-'));
  const meta = join(folder, 'meta.json');
  try {
    execFileSync(
      process.execPath,
      [WRANGLER, 'deploy', '--dry-run', '--outdir', folder, '--metafile', meta, '--config', config, ...flags],
      {
        cwd: checkout,
        stdio: 'pipe',
        env: { ...process.env, WRANGLER_SEND_METRICS: 'false', CI: 'true', ...environment },
      },
    );
    const { outputs } = JSON.parse(readFileSync(meta, 'utf8')) as Meta;
    const modules = Object.values(outputs).flatMap(({ inputs }) =>
      Object.entries(inputs).map(([path, { bytesInOutput: bytes }]) => ({ path, bytes })),
    );
    return { code: readFileSync(join(folder, 'index.js'), 'utf8'), modules };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
