// `npm run dev` as a developer meets it: found again, taken ports, old folders, Ctrl-C.
import { cpSync, mkdtempSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { runChild } from './child.ts';
import { freePort, startServer } from './server.ts';

const root = resolve(import.meta.dirname, '..');
const state = mkdtempSync(join(tmpdir(), 'developer-zone-'));
afterAll(() => rmSync(state, { recursive: true, force: true }));

/** Starts it where it cannot run, and answers what it says on its way out. */
function run(...flags: string[]): Promise<{ code: number; output: string }> {
  return runChild(process.execPath, ['scripts/dev.ts', ...flags], { cwd: root });
}

async function signInCode(origin: string): Promise<number> {
  const answer = await fetch(`${origin}/api/sign-in/link`, {
    method: 'POST',
    headers: { origin, 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'owner@example.com' }),
  });
  return answer.status;
}

describe('npm run dev', () => {
  it('says where to go and who may sign in, stops cleanly, and finds its data again', async () => {
    const port = await freePort();
    const first = await startServer({ state, port });
    expect(first.output()).toContain(`http://localhost:${port}/developer-zone`);
    expect(first.output()).toContain('owner@example.com');
    expect(await signInCode(first.origin)).toBe(202);
    expect(await first.stop()).toBe(0);
    await expect(fetch(first.origin)).rejects.toThrow('fetch failed');

    // The same port at once: nothing of the first run is left.
    const second = await startServer({ state, port, flags: ['--var', 'CORS_ORIGINS:https://site.example'] });
    expect(second.output()).not.toContain('Seeding');
    const answer = await fetch(`${second.origin}/v1/ping`, { headers: { origin: 'https://site.example' } });
    expect(answer.headers.get('access-control-allow-origin')).toBe('https://site.example');
    expect(await second.stop()).toBe(0);
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

  it('says the same when it is taken on the other loopback address alone', async ({ skip }) => {
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
    ['was made by another wording of its migrations', '0001_tokens.sql 0123\n'],
    ['is older than this check', ''],
  ])('refuses a state folder that %s, and touches nothing in it', async (_, marker) => {
    const other = mkdtempSync(join(tmpdir(), 'developer-zone-'));
    writeFileSync(join(other, 'seeded'), marker);
    const { code, output } = await run('--port', String(await freePort()), '--persist-to', other);
    expect(code).toBe(1);
    expect(output).toContain(`The state folder ${other} may be from another version: delete it`);
    expect(readdirSync(other)).toEqual(['seeded']);
    rmSync(other, { recursive: true, force: true });
  });

  it('says what to do when the state folder is broken', async () => {
    const broken = mkdtempSync(join(tmpdir(), 'developer-zone-'));
    const folder = join(broken, 'v3/d1/miniflare-D1DatabaseObject');
    mkdirSync(folder, { recursive: true });
    // A file where wrangler keeps a folder of its own.
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
