// How long the database takes for the counts of a minute. The model of the limits (limits.ts) uses the figure.
// `node bench/counts.ts` prints seconds of processor time, in SQLite in this process: other work of the machine does not change them.
import { randomBytes, randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { readMigrations } from '../scripts/migrations.ts';
import type { TokenHash } from '../worker/token/secret.ts';
import { usageStatements } from '../worker/verification/source/usage-statements.ts';
import { countedOf } from './counted.ts';

const TOKENS = 60_000;
const PER_ORGANISATION = 3;
const CALLERS = 2;
const HOUR = 490_000;
/** One stored value of a hub has about so many rows: a million characters of JSON. */
const PART = 1800;

const database = new DatabaseSync(':memory:');
for (const sql of readMigrations(resolve(import.meta.dirname, '..')).values()) database.exec(sql);
const organisation = database.prepare(
  "INSERT INTO organisations (id, name, plan, created_at) VALUES (?, 'A', 'enterprise', '2026-01-01T00:00:00.000Z')",
);
const token = database.prepare(
  "INSERT INTO tokens (id, organisation_id, hash, preview, created_by, created_at) VALUES (?, ?, ?, ?, 'a@example.com', '2026-01-01T00:00:00.000Z')",
);
const tokens: { id: string; hash: TokenHash }[] = [];
database.exec('BEGIN');
for (let owner = ''; tokens.length < TOKENS;) {
  const place = tokens.length % PER_ORGANISATION;
  if (place === 0) organisation.run((owner = randomUUID()));
  // A SHA-256 in hex, of anything.
  const hash = randomBytes(32).toString('hex') as TokenHash;
  const id = randomUUID();
  token.run(id, owner, hash, `9p00${place}`);
  tokens.push({ id, hash });
}
database.exec('COMMIT');

/** Writes the counts of all tokens as hubs do, in parts, and answers the seconds. */
function write(): number {
  const before = process.cpuUsage();
  for (let from = 0; from < TOKENS; from += PART) {
    const rows = tokens.slice(from, from + PART).map(({ id, hash }) => countedOf(id, hash, HOUR, CALLERS));
    database.exec('BEGIN');
    for (const { sql, json } of usageStatements(rows)) database.prepare(sql).run(json);
    database.exec('COMMIT');
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

const rounded = (seconds: number) => Number(seconds.toFixed(1));
process.stdout.write(
  `${JSON.stringify({ tokens: TOKENS, callers: CALLERS, firstOfTheDay: rounded(write()), again: rounded(write()) })}\n`,
);
