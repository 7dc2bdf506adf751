// Applies migrations/ to the libSQL database of LIBSQL_URL. Each file is one transaction, and is recorded in the
// table that wrangler uses for D1, so that the record stays right when a database moves from one to the other.
import { resolve } from 'node:path';
import { createClient } from '@libsql/client/http';
import { readMigrations } from './migrations.ts';

const root = resolve(import.meta.dirname, '..');
/** How long a server may take for one request. */
const REQUEST_MS = 30_000;

export type Migrated = { ok: true; applied: string[] } | { ok: false; reason: string };

/**
 * Applies the missing files, in order, and answers their names. Stops at the first failure. `reason` is one
 * line for the operator, without the token. A server that does not answer within `requestMs` counts as unavailable.
 */
export async function migrateLibsql(
  url: string,
  authToken: string | undefined,
  requestMs = REQUEST_MS,
): Promise<Migrated> {
  const inTime = (input: RequestInfo | URL, init?: RequestInit): Promise<Response> =>
    fetch(input, { ...init, signal: AbortSignal.timeout(requestMs) });
  let step = 'The server';
  try {
    const client = createClient({ url, fetch: inTime, ...(authToken ? { authToken } : {}) });
    await client.execute(
      'CREATE TABLE IF NOT EXISTS d1_migrations (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL)',
    );
    const known = await client.execute('SELECT name FROM d1_migrations');
    const applied = new Set(known.rows.map((row) => row[0]));
    const missing = [...readMigrations(root)].filter(([name]) => !applied.has(name));
    for (const [name, sql] of missing) {
      step = `migrations/${name}`;
      // The record comes first: of two runs at once, the second fails before it changes anything.
      await client.executeMultiple(
        `BEGIN IMMEDIATE; INSERT INTO d1_migrations (name) VALUES ('${name.replaceAll("'", "''")}');\n${sql}\nCOMMIT;`,
      );
    }
    return { ok: true, applied: missing.map(([name]) => name) };
  } catch (error) {
    return { ok: false, reason: `libSQL at ${hostOf(url)}: ${reasonOf(error, step, requestMs)}` };
  }
}

function hostOf(url: string): string {
  return URL.parse(url)?.host ?? 'LIBSQL_URL';
}

function reasonOf(error: unknown, step: string, requestMs: number): string {
  const text = error instanceof Error ? `${error.name} ${error.message} ${String(error.cause ?? '')}` : '';
  if (/\b40[13]\b|unauthorized|forbidden/i.test(text)) return 'the server refuses LIBSQL_AUTH_TOKEN';
  if (/TimeoutError|aborted due to timeout/.test(text)) return `no answer within ${requestMs / 1000} seconds`;
  if (/fetch failed|ECONNREFUSED|ENOTFOUND/.test(text)) return 'the server cannot be reached';
  const sqlite = /SQLITE_\w+: [^\n]{1,200}/.exec(text)?.[0];
  return `${step} failed${sqlite === undefined ? '' : `: ${sqlite}`}`;
}

if (import.meta.main) {
  const { LIBSQL_URL: url, LIBSQL_AUTH_TOKEN: authToken } = process.env;
  if (!url) {
    console.error('Set LIBSQL_URL, and LIBSQL_AUTH_TOKEN where the server asks for one');
    process.exit(2);
  }
  const migrated = await migrateLibsql(url, authToken);
  if (migrated.ok) {
    console.log(
      migrated.applied.length === 0 ? 'Nothing to apply' : `Applied ${migrated.applied.join(', ')}`,
    );
  } else {
    console.error(migrated.reason);
    process.exitCode = 1;
  }
}
