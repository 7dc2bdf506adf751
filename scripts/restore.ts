// npm run restore: what has to follow a restored database (docs/operating/backup.md).
//   npm run restore -- fetch --origin https://zone.example.com --since 2026-01-31T12:00:00Z --events events.jsonl
//   npm run restore -- plan --events events.jsonl      says what would be done and what cannot be; changes nothing
//   npm run restore -- apply --events events.jsonl     does it: in D1, or in libSQL where LIBSQL_URL is set
// `fetch` needs OPERATOR_SECRET in the environment. `apply --local --persist-to DIR` works on a local database.
import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { createClient } from '@libsql/client/http';
import { planRestore } from './restore-plan.ts';
import type { RestoreEvent } from './restore-plan.ts';

const root = resolve(import.meta.dirname, '..');
const WRANGLER = join(root, 'node_modules/wrangler/bin/wrangler.js');

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    events: { type: 'string' },
    origin: { type: 'string' },
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

/** Writes all events since the instant into the file, oldest first. */
async function fetchEvents(): Promise<void> {
  const origin = values.origin ?? fail('--origin: the address of the deployment is needed');
  const since = values.since ?? fail('--since: the instant to which the database will be restored is needed');
  const secret = process.env['OPERATOR_SECRET'] ?? fail('OPERATOR_SECRET is not set');
  writeFileSync(file, '', { mode: 0o600 });
  let count = 0;
  for (let after: string | undefined; ;) {
    const query = new URLSearchParams({ since, ...(after === undefined ? {} : { after }) });
    const answer = await fetch(`${origin}/operator/events?${query}`, {
      headers: { authorization: `Bearer ${secret}` },
    });
    const text = await answer.text();
    if (!answer.ok) fail(`${answer.status} ${text}`);
    const last = eventsOf(text).at(-1);
    if (last === undefined) break;
    appendFileSync(file, text);
    count += eventsOf(text).length;
    after = last.id;
  }
  console.log(`${count} events since ${since} are in ${file}.`);
}

async function restore(): Promise<void> {
  const { statements, replayed, open } = planRestore(eventsOf(readFileSync(file, 'utf8')));
  console.log(mode === 'plan' ? 'To be done (nothing was changed):' : 'To be done:');
  for (const sentence of replayed) console.log(`  ${sentence}`);
  if (open.length > 0) console.log('Cannot be done from here:');
  for (const sentence of open) console.log(`  ${sentence}`);
  if (mode === 'plan') return;
  await (process.env['LIBSQL_URL'] ? runInLibsql(statements) : runInD1(statements));
  console.log('Done. It may be run again without effect.');
}

async function runInLibsql(statements: string[]): Promise<void> {
  const { LIBSQL_URL: url = '', LIBSQL_AUTH_TOKEN: authToken } = process.env;
  await createClient({ url, ...(authToken ? { authToken } : {}) }).batch(statements, 'write');
}

async function runInD1(statements: string[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'developer-zone-'));
  try {
    const path = join(folder, 'restore.sql');
    writeFileSync(path, `${statements.join('\n')}\n`, { mode: 0o600 });
    const state = values['persist-to'];
    const where = values.local
      ? ['--local', ...(state === undefined ? [] : ['--persist-to', resolve(state)])]
      : ['--remote'];
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [WRANGLER, 'd1', 'execute', 'DB', ...where, '--yes', '--file', path],
      {
        cwd: root,
        env: { ...process.env, WRANGLER_SEND_METRICS: 'false', WRANGLER_HIDE_BANNER: 'true', CI: 'true' },
        encoding: 'utf8',
      },
    );
    if (status !== 0) fail(`${stdout}${stderr}\nNothing is lost: run it again.`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function eventsOf(text: string): RestoreEvent[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      // A line of GET /operator/events.
      const event = JSON.parse(line) as RestoreEvent;
      if (typeof event.action !== 'string') fail(`${file}: a line is no event`);
      return event;
    });
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}
