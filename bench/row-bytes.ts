// The bytes of a row in SQLite with all its indexes, which take most of them. The model of growth (limits.ts) uses
// these figures. `npx node bench/row-bytes.ts` prints them.
import { randomBytes, randomUUID } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { resolve } from 'node:path';
import { readMigrations } from '../scripts/migrations.ts';

const ORGANISATIONS = 10_000;
const TOKENS_EACH = 3;
const AT = '2026-01-01T00:00:00.000Z';
const BY = 'somebody@example.com';

const database = new DatabaseSync(':memory:');
for (const sql of readMigrations(resolve(import.meta.dirname, '..')).values()) database.exec(sql);

function bytes(): number {
  database.exec('VACUUM');
  const figure = (name: string) => Number(Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0]);
  return figure('page_count') * figure('page_size');
}

function fill(sql: string, rows: (string | null)[][]): number {
  const before = bytes();
  const statement = database.prepare(sql);
  database.exec('BEGIN');
  for (const row of rows) statement.run(...row);
  // Upkeep deletes old changes too.
  database.exec('DELETE FROM changes WHERE seq < (SELECT max(seq) FROM changes)');
  database.exec('COMMIT');
  return Math.round((bytes() - before) / rows.length);
}

const organisations = Array.from({ length: ORGANISATIONS }, () => randomUUID());
const tokens = organisations.flatMap((organisation) =>
  Array.from({ length: TOKENS_EACH }, (_, place) => ({
    organisation,
    id: randomUUID(),
    preview: `9pAb${place}`,
  })),
);
const organisation = fill(
  'INSERT INTO organisations (id, name, plan, created_at) VALUES (?, ?, ?, ?)',
  organisations.map((id) => [id, 'Acme Events International', 'enterprise', AT]),
);
const token = fill(
  `INSERT INTO tokens (id, organisation_id, hash, preview, name, created_by, created_at, last_used_at)
   VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  tokens.map(({ organisation: owner, id, preview }) => [
    id,
    owner,
    randomBytes(32).toString('hex'),
    preview,
    'Website',
    BY,
    AT,
    AT,
  ]),
);
const event = fill(
  `INSERT INTO events (at, organisation_id, actor, action, token_id, preview, request_id, ip, user_agent)
   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  tokens.map(({ organisation: owner, id, preview }) => [
    AT,
    owner,
    BY,
    'token.paused',
    id,
    preview,
    randomUUID(),
    '203.0.113.7',
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
  ]),
);
process.stdout.write(`${JSON.stringify({ organisation, token, event })}\n`);
