// Installs the packages of this folder when they are first needed: the product's own `npm ci` does not install them.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const here = import.meta.dirname;

/** Runs before the tests of this folder. */
export default function installPeers(): void {
  // The shape is npm's own.
  const { dependencies } = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  const isHere = ([name, version]: [string, string]): boolean => {
    const file = join(here, 'node_modules', name, 'package.json');
    return (
      existsSync(file) && (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version === version
    );
  };
  if (Object.entries(dependencies).every(isHere)) return;
  process.stderr.write('Installing the clients and servers of others into e2e/peers/node_modules\n');
  execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: here,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}
