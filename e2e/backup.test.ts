// The steps of docs/operating/backup.md with wrangler: export one database and import it into an empty one.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readMigrations } from '../scripts/migrations.ts';
import { runChild } from './child.ts';

const root = resolve(import.meta.dirname, '..');
const wrangler = join(root, 'node_modules/wrangler/bin/wrangler.js');
const folder = mkdtempSync(join(tmpdir(), 'developer-zone-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A separate folder: wrangler keeps the local database beside its wrangler.toml. */
function place(name: string): string {
  const path = join(folder, name);
  mkdirSync(path);
  cpSync(join(root, 'wrangler.toml'), join(path, 'wrangler.toml'));
  return path;
}

function d1(cwd: string, ...args: string[]): Promise<{ code: number; output: string }> {
  const env = { ...process.env, CI: 'true', WRANGLER_SEND_METRICS: 'false', WRANGLER_HIDE_BANNER: 'true' };
  return runChild(process.execPath, [wrangler, 'd1', ...args], { cwd, env });
}

async function run(cwd: string, ...args: string[]): Promise<void> {
  const { code, output } = await d1(cwd, ...args);
  if (code !== 0) throw new Error(output);
}

async function dump(cwd: string, file: string): Promise<string> {
  await run(cwd, 'export', 'DB', '--local', '--output', file);
  return readFileSync(join(cwd, file), 'utf8');
}

const migrations = (): string[] => [...readMigrations(root).values()];

const token = (id: number): string =>
  `INSERT INTO tokens (id, organisation_id, hash, preview, created_by, created_at)
   VALUES ('t${id}', 'acme', '${String(id).padStart(64, '0')}', '9p${String(id).padStart(3, '0')}', 'owner@example.com', '2026-01-01T00:00:00.000Z');`;

// Wrangler starts five times, which is slow on a busy machine.
const MINUTES_3 = 180_000;

describe('a backup', () => {
  it(
    'restores every row, and every guard, in an empty database',
    async () => {
      const old = place('old');
      const schema = migrations().join('\n');
      const seed = readFileSync(join(root, 'scripts/seed.sql'), 'utf8');
      const tokens = Array.from({ length: 10 }, (_, id) => token(id)).join('\n');
      writeFileSync(
        join(old, 'tokens.sql'),
        `${schema}\n${seed}\n${tokens}\nUPDATE tokens SET active = 0 WHERE id = 't3';`,
      );
      await run(old, 'execute', 'DB', '--local', '--file', 'tokens.sql');
      const backup = await dump(old, 'backup.sql');
      expect(backup.match(/INSERT INTO "tokens"/g)).toHaveLength(10);

      const fresh = place('fresh');
      await run(fresh, 'execute', 'DB', '--local', '--file', join(old, 'backup.sql'));
      // The sequence of changes as well, to the number: no trigger counted an imported row again.
      expect(await dump(fresh, 'again.sql')).toBe(backup);

      writeFileSync(join(fresh, 'eleventh.sql'), token(10));
      const eleventh = await d1(fresh, 'execute', 'DB', '--local', '--file', 'eleventh.sql');
      expect(eleventh.code).not.toBe(0);
      expect(eleventh.output).toContain('token-limit-reached');
    },
    MINUTES_3,
  );
});
