// The host of forward-auth under `wrangler dev`, with the files of the dashboard: for every path that a gateway may append,
// no answer is a 200 without an identity.
import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exchange } from './raw.ts';
import { startServer, type Server } from './server.ts';

// Local mode accepts http only at names of this machine.
const HOST = 'verify.localhost';
const files = resolve(import.meta.dirname, '../dist/ui');
const built = readdirSync(files, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => `${entry.parentPath.slice(files.length)}/${entry.name}`);

let server: Server;

beforeAll(async () => {
  server = await startServer({ flags: ['--var', `VERIFY_HOST:${HOST}`] });
});
afterAll(() => server?.stop());

/** The status and the head of the answer, in small letters. */
async function ask(host: string, path: string): Promise<{ status: number; head: string }> {
  const lines = [`GET ${path} HTTP/1.1`, `Host: ${host}`, 'X-Organisation-Id: acme', 'Connection: close'];
  const answer = await exchange(server.port, `${lines.join('\r\n')}\r\n\r\n`);
  const head = answer.slice(0, answer.indexOf('\r\n\r\n')).toLowerCase();
  return { status: Number(/^http\/1\.1 (\d{3})/.exec(head)?.[1]), head };
}

const PATHS = [
  '/',
  '/sign-in',
  '/developer-zone/',
  '/docs',
  '/healthz',
  '/verify/../healthz',
  '/verify/results/%2e%2e/%2e%2e/healthz',
  '/verify/results/..\\..\\healthz',
  '/verify/results/%2E%2E/%2E%2E/robots.txt',
  '/nowhere',
  ...built,
];

describe('the host of forward-auth', () => {
  it.each(PATHS)('answers a call without a token with 401 and without an identity: %s', async (path) => {
    const { status, head } = await ask(HOST, path);
    expect(status).toBe(401);
    expect(head).toMatch(/\r\nx-organisation-id:\s*\r\n/);
    expect(head).toMatch(/\r\nx-token-id:\s*\r\n/);
  });
});

it('is the same host in large letters and with a final dot', async () => {
  for (const host of [HOST.toUpperCase(), `${HOST}.`, `${HOST.toUpperCase()}.`]) {
    expect([host, (await ask(host, '/healthz')).status]).toEqual([host, 401]);
  }
});

describe('every other host', () => {
  const own = (path: string) => ask(`localhost:${server.port}`, path);

  it('serves the files of the dashboard with their headers, and answers 404 for other paths', async () => {
    for (const path of built.filter((name) => !/\.html$|_headers$/.test(name))) {
      const { status, head } = await own(path);
      expect([path, status]).toEqual([path, 200]);
      expect(head).toContain('x-content-type-options: nosniff');
      expect(head.includes('max-age=31536000, immutable')).toBe(path.startsWith('/assets/'));
    }
    for (const path of ['/nowhere', '/_headers', '/assets/app-older.js', '/verify/x', '/verify/']) {
      expect([path, (await own(path)).status]).toEqual([path, 404]);
    }
  });

  it('does not answer paths below /verify by forward-auth', async () => {
    for (const path of ['/verify/results', '/verify/', '/verify/results/%2e%2e']) {
      expect((await own(path)).status).toBe(404);
    }
    expect((await own('/verify')).status).toBe(401);
  });
});
