// The local database of a state folder: the steps that bring it up to date, and the migrations that it has. This file runs
// no step itself.
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { migrationDigests } from './migrations.ts';

const root = resolve(import.meta.dirname, '..');
const MARKER = 'seeded';
const LOCK = 'running';
/** Where wrangler keeps the files of local D1 databases, below the state folder. */
const DATABASES = 'v3/d1/miniflare-D1DatabaseObject';

/** A run of wrangler, from the root of the project. */
export type Step = { title: string; args: string[] };

export type Steps = { ok: true; steps: Step[] } | { ok: false; reason: string };

/** The steps that the folder needs; none when it is up to date. `reason` is for the developer. */
export function stepsFor(state: string): Steps {
  const schema = readSchema();
  const marker = join(state, MARKER);
  const applied = existsSync(marker) ? readFileSync(marker, 'utf8') : null;
  if (applied !== null && !hasDatabase(state)) {
    return { ok: false, reason: `The state folder ${state} has lost its database` };
  }
  if (applied === schema) return { ok: true, steps: [] };
  // A migration is applied once. If its text has changed since, the tables are not those of this checkout.
  if (applied !== null && (applied === '' || !schema.startsWith(applied))) {
    return { ok: false, reason: `The state folder ${state} may be from another version` };
  }
  const where = ['DB', '--local', '--persist-to', state];
  const migrate = { title: 'Applying the migrations', args: ['d1', 'migrations', 'apply', ...where] };
  const seed = {
    title: 'Seeding the organisations',
    args: ['d1', 'execute', ...where, '--file', 'scripts/seed.sql'],
  };
  return { ok: true, steps: applied === null ? [migrate, seed] : [migrate] };
}

/** Whether wrangler has a database there. Its own list of databases (metadata.sqlite) does not count. */
function hasDatabase(state: string): boolean {
  const folder = join(state, DATABASES);
  if (!existsSync(folder)) return false;
  return readdirSync(folder).some((file) => file.endsWith('.sqlite') && file !== 'metadata.sqlite');
}

/**
 * Locks the folder for this process. Two servers on one folder have separate hubs, which do not tell each other of a
 * change, so a receipt would be false. Answers the id of the process that has the folder, or null when this process has it now.
 */
export function holdState(state: string): number | null {
  const file = join(state, LOCK);
  mkdirSync(state, { recursive: true });
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return null;
  } catch {
    const holder = Number(readFileSync(file, 'utf8'));
    if (holder !== process.pid && isAlive(holder)) return holder;
    // The lock of a process that was killed.
    writeFileSync(file, String(process.pid));
    return null;
  }
}

export function releaseState(state: string): void {
  rmSync(join(state, LOCK), { force: true });
}

function isAlive(pid: number): boolean {
  try {
    return pid > 0 && process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Remembers that the steps were done. */
export function markDone(state: string): void {
  mkdirSync(state, { recursive: true });
  writeFileSync(join(state, MARKER), readSchema());
}

/** The migrations as they are now, a line each: name and digest. */
export function readSchema(): string {
  return [...migrationDigests(root)].map(([name, digest]) => `${name} ${digest}\n`).join('');
}
