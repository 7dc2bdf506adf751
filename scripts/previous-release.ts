// npm run keep-release <commit>: stores the Worker of that commit as e2e/previous-release/, as `wrangler deploy` would have
// sent it for libSQL; this Worker also serves D1. e2e/releases.test.ts runs it beside the present one, and the bench compares the
// two. Run this with the commit of each release after that release.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { KEPT, releaseAt } from './release.ts';
import { WITH_LIBSQL } from './with-libsql.ts';

const [name] = process.argv.slice(2);
if (name === undefined) {
  console.error('Name the commit of the release: npm run keep-release <commit>');
  process.exit(1);
}

const { code, ...settings } = releaseAt(name, WITH_LIBSQL);
mkdirSync(KEPT, { recursive: true });
writeFileSync(join(KEPT, 'index.js.gz'), gzipSync(code, { level: 9 }));
writeFileSync(join(KEPT, 'settings.json'), `${JSON.stringify(settings, null, 2)}\n`);
console.log(`e2e/previous-release is ${settings.commit}.`);
