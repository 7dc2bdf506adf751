// The migrations of a checkout, in the order in which they are applied.
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** The SQL of each file of migrations/, by its name. `root` is the folder of the checkout. */
export function readMigrations(root: string): Map<string, string> {
  const folder = join(root, 'migrations');
  const names = readdirSync(folder).filter((file) => file.endsWith('.sql'));
  return new Map(names.toSorted().map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
}

/** SHA-256 of each file in hex, by its name. */
export function migrationDigests(root: string): Map<string, string> {
  const digest = (sql: string): string => createHash('sha256').update(sql).digest('hex');
  return new Map([...readMigrations(root)].map(([name, sql]) => [name, digest(sql)]));
}

/** The statements of a file of SQL. Each statement ends at the end of a line, and a trigger is on one line. */
export function statementsOf(sql: string): string[] {
  return sql
    .replaceAll(/^\s*--.*$/gm, '')
    .split(/(?<=;)\s*\n/)
    .filter((statement) => statement.trim() !== '');
}
