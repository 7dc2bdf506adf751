// Brings the libSQL database of LIBSQL_URL up to date with migrations/. Each file is one transaction, and is noted in the
// table that wrangler keeps for D1, so that a database that moves from one to the other knows what it has.
import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createClient } from '@libsql/client/http';

const folder = resolve(import.meta.dirname, '../migrations');

/** Applies what is missing, in order, and answers the names of the files. Stops at the first one that fails. */
export async function migrateLibsql(url: string, authToken: string | undefined): Promise<string[]> {
  const client = createClient({ url, ...(authToken ? { authToken } : {}) });
  await client.execute(
    'CREATE TABLE IF NOT EXISTS d1_migrations (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL)',
  );
  const applied = new Set((await client.execute('SELECT name FROM d1_migrations')).rows.map((row) => row[0]));
  const missing = readdirSync(folder)
    .filter((name) => name.endsWith('.sql') && !applied.has(name))
    .toSorted();
  for (const name of missing) {
    const sql = readFileSync(join(folder, name), 'utf8');
    // Noted first: of two runs at once the second fails before it changes anything.
    await client.executeMultiple(
      `BEGIN IMMEDIATE; INSERT INTO d1_migrations (name) VALUES ('${name.replaceAll("'", "''")}');\n${sql}\nCOMMIT;`,
    );
  }
  return missing;
}

if (import.meta.main) {
  const { LIBSQL_URL: url, LIBSQL_AUTH_TOKEN: authToken } = process.env;
  if (!url) {
    console.error('Set LIBSQL_URL, and LIBSQL_AUTH_TOKEN where the server asks for one');
    process.exit(2);
  }
  const names = await migrateLibsql(url, authToken);
  console.log(names.length === 0 ? 'Nothing to apply' : `Applied ${names.join(', ')}`);
}
