// Packages of other projects in the Worker, in the dashboard, and on the machine of a developer. The lists come from the
// bundlers, so that indirect dependencies count.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'vite';
import { describe, expect, it } from 'vitest';
import { bundleWorker } from '../../scripts/bundle.ts';
import { WITH_LIBSQL } from '../../scripts/with-libsql.ts';

const root = resolve(import.meta.dirname, '../..');
// Shapes of npm's own: package.json and package-lock.json (lockfileVersion 3).
type Manifest = Record<'dependencies' | 'devDependencies', Record<string, unknown>>;
type Lock = {
  lockfileVersion: number;
  packages: Record<
    string,
    { version?: string; resolved?: string; integrity?: string; link?: boolean; hasInstallScript?: boolean }
  >;
};
const json = <T>(path: string): T => JSON.parse(readFileSync(resolve(root, path), 'utf8')) as T;

/** The package names in the paths of modules; our own modules are not in node_modules. */
function packagesOf(modules: string[]): string[] {
  const names = modules.flatMap((path) => {
    const name = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1];
    return name === undefined ? [] : [name];
  });
  return [...new Set(names)].toSorted();
}

// All bundles are made here.
describe('the code of others', { timeout: 60_000 }, () => {
  it.each([
    ['D1', {}, []],
    // Its client, and what the client stands on.
    [
      'libSQL',
      WITH_LIBSQL,
      [
        '@libsql/client',
        '@libsql/core',
        '@libsql/hrana-client',
        '@libsql/isomorphic-ws',
        'js-base64',
        'promise-limit',
      ],
    ],
  ])('in the Worker for %s is of these packages', (_, environment, more) => {
    const { modules } = bundleWorker({ environment });
    expect(modules.length).toBeGreaterThan(50);
    expect(packagesOf(modules.filter(({ bytes }) => bytes > 0).map(({ path }) => path))).toEqual(
      [...more, 'drizzle-orm', 'hono', 'oauth4webapi', 'valibot'].toSorted(),
    );
  });

  it('in the dashboard is of these packages', async () => {
    const built = await build({ root: resolve(root, 'ui'), logLevel: 'warn', build: { write: false } });
    const modules = [built]
      .flat()
      .flatMap((result) =>
        'output' in result
          ? result.output.flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []))
          : [],
      );
    expect(modules.length).toBeGreaterThan(20);
    expect(packagesOf(modules)).toEqual(['@preact/signals', '@preact/signals-core', 'lucide', 'preact']);
  });
});

describe.each(['.', 'bench', 'e2e/peers'])('what %s installs', (folder) => {
  const manifest = json<Partial<Manifest>>(join(folder, 'package.json'));
  const lock = json<Lock>(join(folder, 'package-lock.json'));
  const locked = Object.entries(lock.packages).filter(([path]) => path !== '');

  it('is named by exact versions, the ones that are locked', () => {
    const named = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies });
    expect(named.length).toBeGreaterThan(1);
    expect(named.filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(String(version)))).toEqual([]);
    expect(
      named.filter(([name, version]) => lock.packages[`node_modules/${name}`]?.version !== version),
    ).toEqual([]);
  });

  it('is locked to its content, and comes from the registry that the developer has configured', () => {
    expect(lock.lockfileVersion).toBe(3);
    expect(
      locked.filter(([, { integrity }]) => !integrity?.startsWith('sha512-')).map(([path]) => path),
    ).toEqual([]);
    expect(locked.filter(([, entry]) => entry.resolved !== undefined || entry.link === true)).toEqual([]);
  });

  it('runs no script, whatever the version of npm', () => {
    // Lists of allowed scripts are known to npm 11 alone, and Node 20 comes with npm 10.
    expect(readFileSync(resolve(root, folder, '.npmrc'), 'utf8')).toMatch(/^ignore-scripts=true$/m);
  });
});

it('requires the Node that the packages for this machine require, because npm would omit them without a message', () => {
  const { engines, devEngines } = json<{
    engines: { node: string };
    devEngines: { runtime: { name: string; version: string; onFail: string } };
  }>('package.json');
  // npm 10.9 and later refuse to install by it; scripts/packages.mjs refuses for all versions.
  expect(devEngines.runtime).toEqual({ name: 'node', version: engines.node, onFail: 'error' });
  const { packages } = json<{
    packages: Record<string, { optional?: boolean; cpu?: unknown; engines?: { node?: string } }>;
  }>('package-lock.json');
  const ranges = Object.values(packages).flatMap(({ optional, cpu, engines: wanted }) =>
    // A program for a kind of machine. The one for "wasm32" stands in where there is none.
    optional === true && cpu !== undefined && !String(cpu).includes('wasm') ? [wanted?.node ?? '*'] : [],
  );
  expect(ranges.length).toBeGreaterThan(50);
  expect(ranges).toContain(engines.node);
  const isLater = (range: string) => {
    const [major = 0, minor = 0] = range.match(/\d+/g)?.map(Number) ?? [];
    return major > 20 || (major === 20 && minor > 19);
  };
  expect(ranges.filter(isLater)).toEqual([]);
});
