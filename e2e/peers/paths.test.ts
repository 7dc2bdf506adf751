// How servers read a path, and whether the gateway refuses paths that they read as another one: nginx, Caddy, Node, Tomcat
// and PHP serve one folder, with a file under /v1 and one under /admin. docs/paths.md is the table of their answers.
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pathRows } from '../../scripts/path-table.ts';
import { startDeployment, type Deployment } from '../deployment.ts';
import { sendBytes } from '../raw.ts';
import { freePort } from '../server.ts';
import { isHere, startCaddyWith, startNginxWith, startPhp, startTomcat, TOMCAT } from './servers.ts';

const folder = mkdtempSync(join(tmpdir(), 'paths-'));
const root = join(folder, 'root');
const rows = pathRows();

/** A simple file server in Node: the path of the URL, decoded, joined to a folder. */
function startNode(port: number): Promise<{ stop(): Promise<void> }> {
  const server = createServer((request, reply) => {
    try {
      const { pathname } = new URL(request.url ?? '', 'http://localhost');
      reply.end(readFileSync(join(root, decodeURIComponent(pathname))));
    } catch {
      reply.writeHead(404).end();
    }
  });
  return new Promise((done) => {
    server.listen(port, '127.0.0.1', () =>
      done({ stop: () => new Promise((ended) => void server.close(() => ended())) }),
    );
  });
}

const servers: {
  name: string;
  isHere: boolean;
  start(port: number): Promise<{ stop(): Promise<unknown> }>;
}[] = [
  {
    name: 'nginx',
    isHere: isHere('nginx', 'nginx'),
    start: (port) => startNginxWith(`server { listen 127.0.0.1:${port}; root ${root}; }`, port, folder),
  },
  {
    name: 'Caddy',
    isHere: isHere('caddy', 'caddy'),
    start: (port) =>
      startCaddyWith(`http://127.0.0.1:${port} {\n\troot * ${root}\n\tfile_server\n}\n`, port, folder),
  },
  { name: 'Node', isHere: true, start: startNode },
  {
    name: 'Tomcat',
    isHere: isHere('java', 'default-jre-headless') && isHere(TOMCAT, 'tomcat10'),
    start: (port) => startTomcat(root, port, folder),
  },
  { name: 'PHP', isHere: isHere('php', 'php-cli'), start: (port) => startPhp(root, port) },
];

beforeAll(() => {
  // nginx reads files as another user.
  chmodSync(folder, 0o755);
  for (const area of ['v1', 'admin']) {
    mkdirSync(join(root, area), { recursive: true });
    writeFileSync(join(root, area, 'x'), area);
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The content of the served file, or the status. */
async function fileAt(port: number, path: string, more = ''): Promise<string> {
  const reply = await sendBytes(
    port,
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n${more}\r\n`,
  );
  return reply.status === 200 && /^(?:v1|admin)$/.test(reply.body) ? reply.body : String(reply.status);
}

describe.for(servers)('$name', ({ name, isHere: here, start }) => {
  it.runIf(here)('reads each path as the table says', async () => {
    const port = await freePort();
    const server = await start(port);
    const made: Record<string, string> = {};
    try {
      for (const { path } of rows) made[path] = await fileAt(port, path);
    } finally {
      await server.stop();
    }
    expect(made).toEqual(Object.fromEntries(rows.map((row) => [row.path, row.servers[name]])));
  });

  describe.runIf(here)('behind the gateway', () => {
    let zone: Deployment;
    let server: { stop(): Promise<unknown> };
    let secret: string;
    beforeAll(async () => {
      const port = await freePort();
      server = await start(port);
      zone = await startDeployment({ UPSTREAM_URL: `http://127.0.0.1:${port}` });
      ({ secret } = await zone.givenToken());
    });
    afterAll(async () => {
      await zone?.stop();
      await server?.stop();
    });

    it('serves nothing outside /v1, whatever the path', async () => {
      const port = Number(new URL(zone.origin).port);
      for (const { path, gateway, servers: made } of rows) {
        const answered = await fileAt(port, path, `Authorization: Bearer ${secret}\r\n`);
        expect([path, answered]).not.toEqual([path, 'admin']);
        expect([path, answered]).toEqual([path, gateway === 'forwarded' ? made[name] : gateway]);
      }
    });
  });
});

it('forwards no path that one of the servers reads as another path', () => {
  const misread = rows.filter((row) => Object.values(row.servers).includes('admin'));
  expect(misread.length).toBeGreaterThan(5);
  expect(misread.filter(({ gateway }) => gateway === 'forwarded')).toEqual([]);
});
