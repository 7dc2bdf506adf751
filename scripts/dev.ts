// npm run dev: prepares a new checkout after `npm ci`, without an account or a network, then runs `wrangler dev`.
// --port N and --persist-to DIR are read here; every other flag goes to wrangler unchanged.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { stripVTControlCharacters } from 'node:util';
import { holdState, markDone, releaseState, stepsFor } from './local-database.ts';
import { WITH_LIBSQL } from './with-libsql.ts';

const root = resolve(import.meta.dirname, '..');
const WRANGLER = join(root, 'node_modules/wrangler/bin/wrangler.js');
const VITE = join(root, 'node_modules/vite/bin/vite.js');
const PARENT_CHECK_MS = 250;
const WRANGLERS_REQUEST = /^\[wrangler:info\] [A-Z]+ \S+ \d{3} /;
// No network and no prompts: no usage figures, no check for a newer wrangler.
const environment = {
  ...process.env,
  WRANGLER_SEND_METRICS: 'false',
  WRANGLER_HIDE_BANNER: 'true',
  // No request for the location of this machine (Request.cf).
  CLOUDFLARE_CF_FETCH_ENABLED: 'false',
  // No local store of traces: a span holds whole URLs, keys of KV and texts of SQL.
  X_LOCAL_OBSERVABILITY: 'false',
  CI: 'true',
};

const children = new Set<ChildProcess>();
let stopping = false;
let isAnnounced = false;
// After the variables that `fail` needs, because a wrong flag calls it.
const { port, state, rest } = readFlags(process.argv.slice(2));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
// When npm is killed, it passes no signal on, and this process gets another parent. Then no other process stops it.
const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) stop();
}, PARENT_CHECK_MS).unref();

await main();

async function main(): Promise<void> {
  if (!(await isFree(port))) {
    fail(`Port ${port} is taken. Stop what runs there, or choose another: npm run dev -- --port ${port + 1}`);
  }
  const holder = holdState(state);
  if (holder !== null) {
    fail(
      `Process ${holder} runs on the state folder ${state}. Stop it, or choose another with --persist-to DIR.`,
    );
  }
  process.once('exit', () => releaseState(state));
  await prepareDatabase();
  writeSecrets();
  if (!isBuilt())
    await step('Building the dashboard and the documentation', [VITE, 'build', 'ui', '--logLevel', 'warn']);
  if (process.stdout.isTTY) start([VITE, 'build', 'ui', '--watch', '--logLevel', 'warn'], 'ignore');
  // workerd has no jurisdictions.
  const variables = ['--var', 'LOG:all', '--var', 'JURISDICTION:'];
  const flags = ['--port', String(port), '--ip', '127.0.0.1', '--persist-to', state, ...variables];
  // The inspector gets a free port, so that two of these can run side by side.
  const quiet = ['--inspector-port', '0', '--show-interactive-dev-session=false'];
  // With both clients: flags, .dev.vars and wrangler.toml may all name a database in libSQL.
  const server = start([WRANGLER, 'dev', ...flags, ...quiet, ...rest], 'pipe', WITH_LIBSQL);
  const unheard = listen(server);
  server.once('close', (code) => {
    if (!stopping) fail(`${unheard().join('\n')}\nwrangler dev ended with code ${code ?? 1}`);
  });
  await ready();
  if (!stopping) announce();
}

/**
 * Prints wrangler's output after the announcement, without wrangler's line for each request, because the Worker logs one already.
 * The returned function gives the lines before the announcement: they hold the reason when wrangler ends early.
 */
function listen(server: ChildProcess): () => string[] {
  const early: string[] = [];
  for (const [from, to] of [
    [server.stdout, process.stdout],
    [server.stderr, process.stderr],
  ] as const) {
    if (from === null) continue;
    createInterface({ input: from }).on('line', (line) => {
      if (!isAnnounced) early.push(line);
      else if (!WRANGLERS_REQUEST.test(stripVTControlCharacters(line))) to.write(`${line}\n`);
    });
  }
  return () => (isAnnounced ? [] : early);
}

function readFlags(flags: string[]): { port: number; state: string; rest: string[] } {
  let chosenPort = 8787;
  let chosenState = '.wrangler/state';
  const others: string[] = [];
  const queue = flags.flatMap((flag) => {
    const match = /^(--port|--persist-to)=(.*)$/.exec(flag);
    return match === null ? [flag] : match.slice(1);
  });
  for (let flag = queue.shift(); flag !== undefined; flag = queue.shift()) {
    if (flag === '--port') chosenPort = Number(queue.shift());
    else if (flag === '--persist-to') chosenState = queue.shift() ?? '';
    else others.push(flag);
  }
  if (!Number.isInteger(chosenPort) || chosenPort < 1 || chosenPort > 65_535)
    fail('--port: a number from 1 to 65535');
  if (chosenState === '') fail('--persist-to: a folder');
  return { port: chosenPort, state: resolve(chosenState), rest: others };
}

function writeSecrets(): void {
  const file = join(root, '.dev.vars');
  if (existsSync(file)) return;
  const secret = (): string => randomBytes(32).toString('base64url');
  const lines = [
    '# Written by "npm run dev" for this machine alone; delete the file to draw new secrets (old tokens stop working).',
    'LOCAL_MODE=1',
    `TAG_KEYS='${JSON.stringify({ 1: secret() })}'`,
    'TAG_KEY_CURRENT=1',
    `OPERATOR_SECRET=${secret()}`,
    `UPSTREAM_SECRET=${secret()}`,
    `VERIFY_SECRET=${secret()}`,
    `INTROSPECTION_CLIENTS='${JSON.stringify({ local: secret() })}'`,
  ];
  try {
    // Never overwrite a file: two of these may start at once.
    writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o600, flag: 'wx' });
    console.log('Wrote .dev.vars with fresh random secrets.');
  } catch (error) {
    if (!existsSync(file)) throw error;
  }
}

async function prepareDatabase(): Promise<void> {
  const wayOut = 'delete it, or choose another with --persist-to DIR.';
  const todo = stepsFor(state);
  if (!todo.ok) fail(`${todo.reason}: ${wayOut}`);
  if (todo.steps.length === 0) return;
  const hint = `The state folder ${state} may be from another version: ${wayOut}`;
  for (const { title, args } of todo.steps) await step(title, [WRANGLER, ...args], hint);
  markDone(state);
}

/** Whether the static files are newer than all of their sources. The documentation is also made of the Worker's code. */
function isBuilt(): boolean {
  const built = join(root, 'dist/ui/developer-zone.html');
  if (!existsSync(built)) return false;
  const folders = ['ui', 'docs', 'worker'];
  const sources = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => !file.endsWith('.tsbuildinfo') && !file.includes('.test.'))
      .map((file) => join(folder, file)),
  );
  const newest = Math.max(
    ...['package-lock.json', 'wrangler.toml', ...folders, ...sources].map(
      (file) => statSync(join(root, file)).mtimeMs,
    ),
  );
  return statSync(built).mtimeMs > newest;
}

/** Runs a tool until it ends. Its output is shown only when it fails. */
async function step(title: string, args: string[], hint?: string): Promise<void> {
  console.log(`${title}…`);
  const child = start(args, 'pipe');
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise<number | null>((done) => {
    child.once('close', done);
  });
  // Ctrl-C ended the tool, so the next step must not begin.
  if (stopping) await new Promise(() => {});
  if (code !== 0) fail(`${output}\n${title} failed.${hint === undefined ? '' : ` ${hint}`}`);
}

function start(
  args: string[],
  stdio: 'inherit' | 'pipe' | 'ignore',
  more: NodeJS.ProcessEnv = {},
): ChildProcess {
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: { ...environment, ...more },
    stdio: ['ignore', stdio, stdio],
    // A separate process group: this process stops the tool and its children once, on Ctrl-C.
    detached: true,
  });
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

function stop(): void {
  if (stopping) return;
  stopping = true;
  signalAll('SIGTERM');
  const deadline = Date.now() + 5000;
  const timer = setInterval(() => {
    if (children.size > 0 && Date.now() < deadline) return;
    clearInterval(timer);
    signalAll('SIGKILL');
    process.exit(0);
  }, 50);
}

function signalAll(signal: NodeJS.Signals): void {
  for (const { pid } of children) {
    try {
      if (pid !== undefined) process.kill(-pid, signal);
    } catch {
      // The process has already ended.
    }
  }
}

function fail(message: string): never {
  stopping = true;
  signalAll('SIGKILL');
  console.error(`\n${message}`);
  process.exit(1);
}

/** On both loopback addresses: "localhost" may mean either, and a stranger on the other one would answer the browser. */
async function isFree(candidate: number): Promise<boolean> {
  const errors = await Promise.all(['127.0.0.1', '::1'].map((host) => listenError(candidate, host)));
  // On a machine without IPv6, no program can use that address.
  return !errors.includes('EADDRINUSE') && !errors.includes('EACCES');
}

function listenError(candidate: number, host: string): Promise<string | null> {
  return new Promise((done) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => done(error.code ?? 'unknown'));
    probe.listen(candidate, host, () => probe.close(() => done(null)));
  });
}

async function ready(): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => null);
  if (answer?.ok === true || stopping) return;
  await new Promise((done) => {
    setTimeout(done, 100);
  });
  await ready();
}

function announce(): void {
  isAnnounced = true;
  console.log(`
Developer Zone runs at http://localhost:${port}
  Dashboard          http://localhost:${port}/developer-zone
  API documentation  http://localhost:${port}/docs

Who may sign in (the link appears in the page and here):
  owner@example.com     Acme Events (Enterprise), Globex Runs (Pro), Initech Weddings (Trial), Umbrella Races (Pay As You Go)
  member@example.com    Acme Events (Enterprise)
  stranger@example.com  Hooli Summits (Enterprise)

Ctrl-C stops it; the data stays in ${state}.
`);
}
