// Fills the databases: organisations with ten tokens each, in the form that the product makes.
import { resolve } from 'node:path';
import {
  hashOfSecret,
  mintSecret,
  previewOfSecret,
  readTagKeyRing,
  tagKeyOf,
} from '../worker/token/secret.ts';
import { readMigrations, statementsOf } from '../scripts/migrations.ts';
import { SETTINGS, type Fleet } from './fleet.ts';

export type Database = Awaited<ReturnType<Fleet['miniflare']['getD1Database']>>;

export const PER_ORGANISATION = 10;
const root = resolve(import.meta.dirname, '..');
/** Rows per statement: D1 bounds the size of a parameter and the time of a statement. */
const ROWS = 1000;
const FILLER_ORGANISATIONS = 5000;

const read = readTagKeyRing(SETTINGS.TAG_KEYS, SETTINGS.TAG_KEY_CURRENT);
if (!read.ok) throw new Error(read.reason);
export const { ring } = read;

export async function migrate(database: Database): Promise<void> {
  const statements = [...readMigrations(root).values()].flatMap(statementsOf);
  for (const statement of statements) await database.prepare(statement).run();
  // The compared Workers have separate hubs on one database, so no hub may become the owner of the database.
  await database
    .prepare('CREATE TRIGGER no_owner BEFORE INSERT ON deployment BEGIN SELECT RAISE (IGNORE); END;')
    .run();
}

/** Genuine secrets that no token has. */
export function genuineSecrets(count: number): string[] {
  return Array.from({ length: count }, () => mintSecret(ring));
}

/** Secrets of the right shape and checksum with a foreign key, as in a flood. */
export function forgedSecrets(count: number): string[] {
  const foreign = new Map([['1', tagKeyOf(new Uint8Array(32).fill(7))]]);
  return Array.from({ length: count }, () => mintSecret({ current: '1', keys: foreign }));
}

/** The id of a token by its number, in the shape of the product's ids. */
export function tokenIdOf(index: number): string {
  return `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`;
}

/** Adds `count` active tokens, ten for each organisation, and gives back their secrets. */
export async function addTokens(database: Database, count: number): Promise<string[]> {
  const secrets: string[] = [];
  for (let organisation = 0; secrets.length < count; organisation++) {
    const previews = new Set<string>();
    while (previews.size < PER_ORGANISATION && secrets.length < count) {
      const secret = mintSecret(ring);
      if (previews.has(previewOfSecret(secret))) continue;
      previews.add(previewOfSecret(secret));
      secrets.push(secret);
    }
  }
  for (let from = 0; from < secrets.length; from += ROWS) {
    const rows = secrets.slice(from, from + ROWS).map((secret, index) => ({
      organisation: `org-${Math.floor((from + index) / PER_ORGANISATION)}`,
      id: tokenIdOf(from + index),
      hash: hashOfSecret(secret),
      preview: previewOfSecret(secret),
    }));
    await database.batch([
      database
        .prepare(
          `INSERT OR IGNORE INTO organisations (id, name, plan, created_at)
           SELECT DISTINCT value ->> 'organisation', 'Bench', 'enterprise', '2026-01-01T00:00:00.000Z' FROM json_each(?)`,
        )
        .bind(JSON.stringify(rows)),
      database
        .prepare(
          `INSERT INTO tokens (id, organisation_id, hash, preview, created_by, created_at)
           SELECT value ->> 'id', value ->> 'organisation', value ->> 'hash', value ->> 'preview', 'bench@example.com',
             '2026-01-01T00:00:00.000Z' FROM json_each(?)`,
        )
        .bind(JSON.stringify(rows)),
    ]);
  }
  await forgetOldChanges(database);
  return secrets;
}

/** The address of a caller from whom a limited token may be used. */
export const ALLOWED_ADDRESS = '203.0.113.7';

/** Gives a token ten networks and five paths. The last of each is the one that allows the call, so that all of them are compared. */
export async function limitToken(database: Database, secret: string, path: string): Promise<void> {
  const networks = [...Array.from({ length: 9 }, (_, index) => `2001:db8:${index}::/48`), '203.0.113.0/24'];
  const paths = [...Array.from({ length: 4 }, (_, index) => `/v1/events/${index}`), path];
  await database
    .prepare('UPDATE tokens SET networks = ?, paths = ? WHERE hash = ?')
    .bind(JSON.stringify(networks), JSON.stringify(paths), hashOfSecret(secret))
    .run();
}

/** Adds tokens of other organisations, ten for each. One statement makes them inside the database. */
export async function addStrangers(database: Database, count: number): Promise<void> {
  const organisations = count / PER_ORGANISATION;
  for (let from = 0; from < organisations; from += FILLER_ORGANISATIONS) {
    const to = Math.min(organisations, from + FILLER_ORGANISATIONS) - 1;
    const numbers = `WITH RECURSIVE numbers (n) AS (SELECT ${from} UNION ALL SELECT n + 1 FROM numbers WHERE n < ${to})`;
    await database.batch([
      database.prepare(
        `${numbers} INSERT INTO organisations (id, name, plan, created_at)
         SELECT 'stranger-' || n, 'Stranger', 'enterprise', '2026-01-01T00:00:00.000Z' FROM numbers`,
      ),
      database.prepare(
        `${numbers}, digits (d) AS (VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9))
         INSERT INTO tokens (id, organisation_id, hash, preview, created_by, created_at)
         SELECT 'stranger-' || n || '-' || d, 'stranger-' || n, lower(hex(randomblob(32))), '9p00' || d,
           'stranger@example.com', '2026-01-01T00:00:00.000Z' FROM numbers, digits`,
      ),
    ]);
    await forgetOldChanges(database);
  }
}

/** Like the product's own upkeep of old changes: deletes all rows except the newest. */
async function forgetOldChanges(database: Database): Promise<void> {
  await database.prepare('DELETE FROM changes WHERE seq < (SELECT max(seq) FROM changes)').run();
}
