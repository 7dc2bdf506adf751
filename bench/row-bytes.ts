// The bytes of a row in SQLite with all its indexes, which take most of them. The model of growth (limits.ts) uses
// these figures. `npx node bench/row-bytes.ts` prints them.
import { randomBytes, randomUUID } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { resolve } from 'node:path';
import { readMigrations } from '../scripts/migrations.ts';

const ORGANISATIONS = 10_000;
const TOKENS_EACH = 3;
const AT = '2026-01-01T00:00:00.000Z';
const DAY = 20_454;
const HOUR = 24 * DAY;
const BY = 'somebody@example.com';

const database = new DatabaseSync(':memory:');
for (const sql of readMigrations(resolve(import.meta.dirname, '..')).values()) database.exec(sql);

function bytes(): number {
  database.exec('VACUUM');
  const figure = (name: string) => Number(Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0]);
  return figure('page_count') * figure('page_size');
}

function fill(sql: string, rows: (string | number | null)[][]): number {
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
    hash: randomBytes(32).toString('hex'),
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
  tokens.map(({ organisation: owner, id, hash, preview }) => [
    id,
    owner,
    hash,
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
const usageHour = fill(
  'INSERT INTO token_usage (token_id, hour, accepted, refused) VALUES (?, ?, ?, ?)',
  tokens.flatMap(({ id }) => [0, 1, 2, 3].map((hour) => [id, HOUR + hour, 3600, 12])),
);
const reason = fill(
  'INSERT INTO refusal_reasons (token_id, hour, reason, calls) VALUES (?, ?, ?, ?)',
  tokens.flatMap(({ id }) => [0, 1, 2, 3].map((hour) => [id, HOUR + hour, 'network', 12])),
);
const caller = fill(
  `INSERT INTO callers (token_id, day, hash, network, country, agent, network_name, accepted, refused, last_at)
   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  tokens.flatMap(({ id, hash }) =>
    [24_940, 16_509, 14_618].flatMap((network) =>
      [0, 1].map((day) => [
        id,
        DAY + day,
        hash,
        network,
        'DE',
        'python-requests',
        'Hetzner Online GmbH',
        86_400,
        12,
        AT,
      ]),
    ),
  ),
);
const tombstone = fill(
  `INSERT INTO tombstones (hash, token_id, organisation_id, preview, name, kind, ended_at, ended_by)
   VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  tokens.map(({ organisation: owner, id, preview }) => [
    randomBytes(32).toString('hex'),
    id,
    owner,
    preview,
    'Website',
    'retired',
    AT,
    BY,
  ]),
);
process.stdout.write(
  `${JSON.stringify({ organisation, token, event, usageHour, reason, caller, tombstone })}\n`,
);
