// Installs the packages that only the bench uses. They are installed when the bench is first run.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(new URL('.', import.meta.url));

/** Installs bench/package.json unless the named package is there already. */
export function installFor(name: string): void {
  if (existsSync(`${HERE}node_modules/${name}`)) return;
  process.stderr.write('Installing the packages of the bench into bench/node_modules\n');
  execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: HERE,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}
