// npm run restore: the steps after a database was restored (docs/operating/backup.md).
//   npm run restore -- fetch --since 2026-01-31T12:00:00Z --events events.jsonl     reads the database before the restore
//   npm run restore -- plan --events events.jsonl      prints the steps, and those that it cannot do; changes nothing
//   npm run restore -- apply --events events.jsonl     does the steps
// The database is D1, or libSQL when LIBSQL_URL is set. `--local --persist-to DIR` uses a local one.
import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { openClient } from '../worker/libsql/client.ts';
import { eventsQuery, planRestore } from './restore-plan.ts';
import type { RestoreEvent } from './restore-plan.ts';

const root = resolve(import.meta.dirname, '..');
const WRANGLER = join(root, 'node_modules/wrangler/bin/wrangler.js');
/** Events that one query answers. */
const PAGE = 2000;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    events: { type: 'string' },
    since: { type: 'string' },
    local: { type: 'boolean', default: false },
    'persist-to': { type: 'string' },
  },
});
const [mode] = positionals;
const file = values.events ?? fail('--events: a file is needed');
if (mode === 'fetch') await fetchEvents();
else if (mode === 'plan' || mode === 'apply') await restore();
else fail('Say fetch, plan or apply');

/** Writes all events since the instant, and those of the minute before it, into the file, oldest first. */
async function fetchEvents(): Promise<void> {
  const text = values.since ?? fail('--since: the instant to which the database will be restored is needed');
  const since = new Date(text);
  if (Number.isNaN(since.getTime())) fail(`--since: ${text} is no instant, such as 2026-01-31T12:00:00Z`);
  writeFileSync(file, '', { mode: 0o600 });
  let count = 0;
  for (let after = '0'; ;) {
    const page = await select(eventsQuery(since, after, PAGE));
    appendFileSync(file, page.map((event) => `${JSON.stringify(event)}\n`).join(''));
    count += page.length;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) break;
    after = last.id;
  }
  console.log(`${count} events since a minute before ${since.toISOString()} are in ${file}.`);
}

async function select(query: string): Promise<RestoreEvent[]> {
  // Both answer rows under the names of the query's columns.
  if (process.env['LIBSQL_URL']) {
    const { rows } = await libsql().execute(query);
    return rows as unknown as RestoreEvent[];
  }
  const output = runWrangler('--json', '--command', query);
  const [answer] = JSON.parse(output.slice(output.indexOf('['))) as { results: RestoreEvent[] }[];
  return answer?.results ?? fail(output);
}

async function restore(): Promise<void> {
  const { statements, replayed, open } = planRestore(eventsOf(readFileSync(file, 'utf8')));
  const change = mode === 'plan' ? ' (nothing was changed)' : '';
  console.log(`To be done where the database does not have it on record${change}:`);
  for (const sentence of replayed) console.log(`  ${sentence}`);
  if (open.length > 0)
    console.log('Cannot be done from here (what is of the minute before the instant may be there already):');
  for (const sentence of open) console.log(`  ${sentence}`);
  if (mode === 'plan') return;
  if (process.env['LIBSQL_URL']) await libsql().batch(statements);
  else runInD1(statements);
  console.log('Done. It may be run again without effect.');
}

/** The Worker's own client, which reads from the primary: a replica may not have the last events yet. */
function libsql(): ReturnType<typeof openClient> {
  const { LIBSQL_URL: url = '', LIBSQL_AUTH_TOKEN: authToken } = process.env;
  return openClient({ url, authToken });
}

function runInD1(statements: string[]): void {
  const folder = mkdtempSync(join(tmpdir(), 'developer-zone-'));
  try {
    const path = join(folder, 'restore.sql');
    writeFileSync(path, `${statements.join('\n')}\n`, { mode: 0o600 });
    runWrangler('--yes', '--file', path);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The output of `wrangler d1 execute`. */
function runWrangler(...args: string[]): string {
  const state = values['persist-to'];
  const where = values.local
    ? ['--local', ...(state === undefined ? [] : ['--persist-to', resolve(state)])]
    : ['--remote'];
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [WRANGLER, 'd1', 'execute', 'DB', ...where, ...args],
    {
      cwd: root,
      env: { ...process.env, WRANGLER_SEND_METRICS: 'false', WRANGLER_HIDE_BANNER: 'true', CI: 'true' },
      encoding: 'utf8',
      maxBuffer: 64 << 20,
    },
  );
  if (status !== 0) fail(`${stdout}${stderr}\nNothing is lost: run it again.`);
  return stdout;
}

function eventsOf(text: string): RestoreEvent[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const event = JSON.parse(line) as RestoreEvent;
      if (typeof event.action !== 'string') fail(`${file}: a line is no event`);
      return event;
    });
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}
