// The local database of a state folder: what is to be done to bring it up to date, and which migrations it has seen. Runs
// nothing itself.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const MARKER = 'seeded';

/** A run of wrangler, from the root of the project. */
export type Step = { title: string; args: string[] };

/** What is left to do for the folder, nothing perhaps; null when its tables are of another version and cannot be followed. */
export function stepsFor(state: string): Step[] | null {
  const schema = readSchema();
  const marker = join(state, MARKER);
  const applied = existsSync(marker) ? readFileSync(marker, 'utf8') : null;
  if (applied === schema) return [];
  // A migration that was applied is not applied again: in another wording its tables are not those of this checkout.
  if (applied !== null && (applied === '' || !schema.startsWith(applied))) return null;
  const where = ['DB', '--local', '--persist-to', state];
  const migrate = { title: 'Applying the migrations', args: ['d1', 'migrations', 'apply', ...where] };
  const seed = {
    title: 'Seeding the organisations',
    args: ['d1', 'execute', ...where, '--file', 'scripts/seed.sql'],
  };
  return applied === null ? [migrate, seed] : [migrate];
}

/** Remembers that the steps were done. */
export function markDone(state: string): void {
  mkdirSync(state, { recursive: true });
  writeFileSync(join(state, MARKER), readSchema());
}

/** The migrations as they are now, a line each: name and digest. */
export function readSchema(): string {
  const folder = join(root, 'migrations');
  const files = readdirSync(folder).filter((file) => file.endsWith('.sql'));
  const digest = (file: string): string =>
    createHash('sha256')
      .update(readFileSync(join(folder, file)))
      .digest('hex');
  return files
    .toSorted()
    .map((file) => `${file} ${digest(file)}\n`)
    .join('');
}
