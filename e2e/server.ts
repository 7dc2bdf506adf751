// `npm run dev` on a free port with its own state folder.
import { execFileSync } from 'node:child_process';
import { createHash, randomInt } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { markDone, readSchema, stepsFor } from '../scripts/local-database.ts';
import { startChild, type Child } from './child.ts';

const root = resolve(import.meta.dirname, '..');

export type Server = Child & { origin: string; port: number; state: string };

/** A free port, below the range from which the system takes ports for outgoing connections. */
export async function freePort(): Promise<number> {
  const port = randomInt(20_000, 32_000);
  const isFree = await new Promise<boolean>((done) => {
    const probe = createServer();
    probe.once('error', () => done(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => done(true)));
  });
  return isFree ? port : freePort();
}

/** A new state folder with the database of a first start. It is made once for all suites, which copy it. */
export function newState(): string {
  const seed = readFileSync(join(root, 'scripts/seed.sql'));
  const digest = createHash('sha256').update(readSchema()).update(seed).digest('hex');
  const template = join(root, '.tmp', `state-${digest}`);
  if (!existsSync(template)) {
    mkdirSync(join(root, '.tmp'), { recursive: true });
    const draft = mkdtempSync(join(root, '.tmp/state-draft-'));
    const env = { ...process.env, CI: 'true', WRANGLER_SEND_METRICS: 'false' };
    const todo = stepsFor(draft);
    if (!todo.ok) throw new Error(todo.reason);
    for (const { args } of todo.steps) {
      execFileSync(process.execPath, ['node_modules/wrangler/bin/wrangler.js', ...args], {
        cwd: root,
        env,
        stdio: 'pipe',
      });
    }
    markDone(draft);
    try {
      renameSync(draft, template);
    } catch (error) {
      // Another suite was quicker.
      if (!existsSync(template)) throw error;
      rmSync(draft, { recursive: true });
    }
  }
  const state = mkdtempSync(join(tmpdir(), 'developer-zone-'));
  cpSync(template, state, { recursive: true });
  return state;
}

/** Starts it and waits for its announcement. Rejects with its output when it ends earlier. */
export async function startServer(
  options: { state?: string; port?: number; flags?: string[] } = {},
): Promise<Server> {
  const own = options.state === undefined;
  const state = options.state ?? newState();
  const port = options.port ?? (await freePort());
  const flags = ['--port', String(port), '--persist-to', state, ...(options.flags ?? [])];
  const { output, stop } = await startChild(
    process.execPath,
    ['scripts/dev.ts', ...flags],
    /Ctrl-C stops it/,
    // As Ctrl-C does.
    { cwd: root, signal: 'SIGINT' },
  );
  return {
    origin: `http://localhost:${port}`,
    port,
    state,
    output,
    stop: async () => {
      const code = await stop();
      if (own) rmSync(state, { recursive: true, force: true, maxRetries: 5 });
      return code;
    },
  };
}
