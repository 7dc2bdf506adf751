// `npm run dev` as a developer uses it: a second start with the same data, ports in use, old folders, Ctrl-C.
import { cpSync, mkdtempSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { holdState, readSchema, releaseState } from '../scripts/local-database.ts';
import { runChild } from './child.ts';
import { freePort, newState, startServer } from './server.ts';

const root = resolve(import.meta.dirname, '..');
const state = mkdtempSync(join(tmpdir(), 'developer-zone-'));
afterAll(() => rmSync(state, { recursive: true, force: true }));

/** Starts it where it cannot run, and answers its exit code and output. */
function run(...flags: string[]): Promise<{ code: number; output: string }> {
  return runChild(process.execPath, ['scripts/dev.ts', ...flags], { cwd: root });
}

function linesOf(output: string): string[] {
  return output.split('\n').filter((line) => line.trim() !== '');
}

async function signInCode(origin: string): Promise<number> {
  const answer = await fetch(`${origin}/api/sign-in/link`, {
    method: 'POST',
    headers: { origin, 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'owner@example.com' }),
  });
  return answer.status;
}

/** The check before every npm script, as npm starts it under this version of Node. */
function checkPackages(version: string): Promise<{ code: number; output: string }> {
  const agent = `npm/10.8.2 node/v${version} linux x64`;
  return runChild(process.execPath, ['scripts/packages.mjs'], {
    cwd: root,
    env: { ...process.env, npm_config_user_agent: agent },
  });
}

// A start applies the migrations and compiles the Worker, which is slow beside other suites.
describe('npm run dev', { timeout: 180_000 }, () => {
  it('prints its address and who may sign in, stops cleanly, and keeps its data for the next start', async () => {
    const port = await freePort();
    const first = await startServer({ state, port });
    expect(first.output()).toContain(`http://localhost:${port}/developer-zone`);
    expect(first.output()).toContain('owner@example.com');
    expect(await signInCode(first.origin)).toBe(202);
    const requests = () => linesOf(first.output()).filter((line) => line.includes('/api/sign-in/link'));
    await expect.poll(requests).not.toEqual([]);
    expect(requests()).toEqual([expect.stringMatching(/^\{"method":"POST",.*"status":202,/)]);
    // No list of bindings and no irrelevant warnings: only useful lines, and a line for each request.
    expect(linesOf(first.output()).length).toBeLessThan(22);
    expect(first.output()).not.toContain('env.TOKEN_CACHE');
    expect(await first.stop()).toBe(0);
    await expect(fetch(first.origin)).rejects.toThrow('fetch failed');

    // The same port at once: the first run has released it.
    const second = await startServer({ state, port, flags: ['--var', 'CORS_ORIGINS:https://site.example'] });
    expect(second.output()).not.toContain('Seeding');
    const answer = await fetch(`${second.origin}/v1/ping`, { headers: { origin: 'https://site.example' } });
    expect(answer.headers.get('access-control-allow-origin')).toBe('https://site.example');
    expect(await second.stop()).toBe(0);
  });

  it.each(['SIGTERM', 'SIGKILL'] as const)('ends with npm when npm gets %s', async (signal) => {
    const port = await freePort();
    const folder = newState();
    const npm = spawn('npm', ['run', 'dev', '--', '--port', String(port), '--persist-to', folder], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    await new Promise<void>((done, fail) => {
      npm.stdout.on('data', (chunk: Buffer) => {
        if (chunk.toString().includes('Ctrl-C stops it')) done();
      });
      npm.once('close', () => fail(new Error('npm ended')));
    });
    npm.kill(signal);
    const isGone = () =>
      fetch(`http://127.0.0.1:${port}/healthz`).then(
        () => false,
        () => true,
      );
    await expect.poll(isGone, { timeout: 20_000 }).toBe(true);
    // The folder is free for the next start.
    await expect.poll(() => holdState(folder), { timeout: 20_000 }).toBeNull();
    releaseState(folder);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  it('refuses a state folder that another process uses, because the hubs of that process would not be told of a change', async () => {
    const first = await startServer();
    const { code, output } = await run('--port', String(await freePort()), '--persist-to', first.state);
    await first.stop();
    expect(code).toBe(1);
    expect(output).toMatch(/Process \d+ runs on the state folder .*choose another with --persist-to DIR/);
  });

  it('says what to do when the port is taken', async () => {
    const holder = createServer();
    const port = await freePort();
    await new Promise<void>((done) => {
      holder.listen(port, '127.0.0.1', done);
    });
    const { code, output } = await run('--port', String(port));
    expect(code).toBe(1);
    expect(output).toContain(`Port ${port} is taken. Stop what runs there, or choose another`);
    holder.close();
  });

  it('says the same when the port is taken only on the other loopback address', async ({ skip }) => {
    const holder = createServer();
    const port = await freePort();
    const isHeld = await new Promise<boolean>((done) => {
      holder.once('error', () => done(false)).listen(port, '::1', () => done(true));
    });
    skip(!isHeld, 'this machine has no IPv6');
    const { code, output } = await run('--port', String(port));
    expect(code).toBe(1);
    expect(output).toContain(`Port ${port} is taken`);
    holder.close();
  });

  it.each(['18.20.8', '20.18.3', '22.11.0'])(
    'says in one line that Node %s, which runs npm, cannot install the packages',
    async (version) => {
      const { code, output } = await checkPackages(version);
      expect(code).toBe(1);
      expect(linesOf(output)).toEqual([
        `Node ${version} cannot install these packages (needed: ^20.19.0 || >=22.12.0). Update Node, then run: npm ci`,
      ]);
    },
  );

  it.each(['20.19.0', '22.12.0', '24.11.0'])('says nothing of Node %s', async (version) => {
    expect(await checkPackages(version)).toEqual({ code: 0, output: '' });
  });

  it('says what to do when the packages are missing, on any Node', async () => {
    const bare = mkdtempSync(join(tmpdir(), 'developer-zone-'));
    cpSync(join(root, 'scripts'), join(bare, 'scripts'), { recursive: true });
    cpSync(join(root, 'package.json'), join(bare, 'package.json'));
    const { code, output } = await runChild('npm', ['run', 'dev'], { cwd: bare });
    expect(code).toBe(1);
    expect(output).toContain('The packages are not installed here. Run: npm ci');
    expect(output).not.toContain('at ');
    rmSync(bare, { recursive: true, force: true });
  });

  it.each([
    [
      'was made by another wording of its migrations',
      '0001_tokens.sql 0123\n',
      'may be from another version',
    ],
    ['is older than this check', '', 'may be from another version'],
    ['has lost its database', null, 'has lost its database'],
  ])('refuses a state folder that %s, and changes nothing in it', async (_, marker, said) => {
    const other = mkdtempSync(join(tmpdir(), 'developer-zone-'));
    const databases = join(other, 'v3/d1/miniflare-D1DatabaseObject');
    mkdirSync(databases, { recursive: true });
    writeFileSync(join(other, 'seeded'), marker ?? readSchema());
    writeFileSync(join(databases, marker === null ? 'metadata.sqlite' : 'a.sqlite'), '');
    const before = readdirSync(other, { recursive: true }).toSorted();
    const { code, output } = await run('--port', String(await freePort()), '--persist-to', other);
    expect(code).toBe(1);
    expect(output).toContain(`The state folder ${other} ${said}: delete it, or choose another`);
    expect(readdirSync(other, { recursive: true }).toSorted()).toEqual(before);
    rmSync(other, { recursive: true, force: true });
  });

  it('says what to do when the state folder is broken', async () => {
    const broken = mkdtempSync(join(tmpdir(), 'developer-zone-'));
    const folder = join(broken, 'v3/d1/miniflare-D1DatabaseObject');
    mkdirSync(folder, { recursive: true });
    // A file in the place of a folder of wrangler.
    rmSync(folder, { recursive: true });
    writeFileSync(folder, 'not a folder');
    const { code, output } = await run('--port', String(await freePort()), '--persist-to', broken);
    expect(code).toBe(1);
    expect(output).toContain('may be from another version: delete it, or choose another with --persist-to');
    rmSync(broken, { recursive: true, force: true });
  });

  it.each([
    [['--port', 'x'], '--port: a number from 1 to 65535'],
    [['--persist-to', ''], '--persist-to: a folder'],
  ])('refuses %s', async (flags, message) => {
    const { code, output } = await run(...flags);
    expect(code).toBe(1);
    expect(output).toContain(message);
  });
});
