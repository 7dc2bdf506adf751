// Goes before the scripts in TypeScript: without the packages there is no Node that reads them, and the error would not say so.
import { existsSync } from 'node:fs';

if (!existsSync(new URL('../node_modules/node/bin/node', import.meta.url))) {
  process.stderr.write('\nThe packages are not installed here. Run: npm ci\n');
  process.exitCode = 1;
}
