// Real gateways before a real upstream, with the very files that docs/gateways/ prints: only hosts and ports are changed.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startChild, type Child } from '../child.ts';
import { startDeployment, ZONE, type Deployment } from '../deployment.ts';
import { call, startUpstream, type Upstream } from '../raw.ts';
import { freePort } from '../server.ts';

const docs = resolve(import.meta.dirname, '../../docs/gateways');
const folder = mkdtempSync(join(tmpdir(), 'gateways-'));

let zone: Deployment;
let upstream: Upstream;

beforeAll(async () => {
  zone = await startDeployment();
  upstream = await startUpstream();
});
beforeEach(() => {
  upstream.seen.length = 0;
});
afterAll(async () => {
  await upstream?.stop();
  await zone?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** The file as printed, with each [what stands there, what stands there now]; a part that is gone fails the test. */
function printed(file: string, changes: [string, string][]): string {
  let text = readFileSync(join(docs, file), 'utf8');
  for (const [from, to] of changes) {
    expect(text, `${file} says ${from}`).toContain(from);
    text = text.replaceAll(from, to);
  }
  return text;
}

function startNginx(port: number, zoneAddress: string): Promise<Child> {
  const site = printed('nginx.conf', [
    ['listen 8080', `listen 127.0.0.1:${port}`],
    ['server tokens.example.com:443', `server ${zoneAddress}`],
    ['https://developer_zone', 'http://developer_zone'],
    ['Host tokens.example.com', `Host ${zoneAddress}`],
    ['127.0.0.1:9000', `127.0.0.1:${upstream.port}`],
  ]);
  // What a distribution's own nginx.conf says around conf.d/*.conf, in a folder of ours.
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name}-${port};`,
  );
  const main = join(folder, `nginx-${port}.conf`);
  writeFileSync(
    main,
    `daemon off; worker_processes 1; pid ${folder}/nginx-${port}.pid; error_log stderr notice;
events {} http { access_log off; ${temporary.join(' ')} ${site} }`,
  );
  return startChild('nginx', ['-c', main, '-e', 'stderr'], /start worker process \d/);
}

function startCaddy(port: number, zoneAddress: string): Promise<Child> {
  const site = printed('Caddyfile', [
    ['\napi.example.com {', `\nhttp://127.0.0.1:${port} {`],
    ['https://tokens.example.com', `http://${zoneAddress}`],
    ['Host tokens.example.com', `Host ${zoneAddress}`],
    ['127.0.0.1:9000', `127.0.0.1:${upstream.port}`],
  ]);
  const main = join(folder, `Caddyfile-${port}`);
  writeFileSync(main, `{\n\tadmin off\n\tauto_https off\n}\n${site}`);
  return startChild(
    'caddy',
    ['run', '--config', main, '--adapter', 'caddyfile'],
    /serving initial configuration/,
    {
      ...process.env,
      XDG_DATA_HOME: folder,
      XDG_CONFIG_HOME: folder,
    },
  );
}

const gateways = [
  { name: 'nginx', isHere: isHere('nginx', '-v'), start: startNginx },
  { name: 'caddy', isHere: isHere('caddy', 'version'), start: startCaddy },
];

function isHere(name: string, question: string): boolean {
  if (spawnSync(name, [question]).error === undefined) return true;
  console.warn(`\n*** SKIPPED: ${name} is not on this machine (apt-get install ${name}) ***\n`);
  return false;
}

describe.for(gateways)('behind $name', ({ isHere: here, start }) => {
  describe.runIf(here)('a call', () => {
    let gateway: Child;
    let origin: string;
    beforeAll(async () => {
      const port = await freePort();
      gateway = await start(port, new URL(zone.origin).host);
      origin = `http://127.0.0.1:${port}`;
    });
    afterAll(() => gateway?.stop());

    const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` });

    it('passes a good call on, with who is calling and without the secret', async () => {
      const { id, organisation, secret } = await zone.givenToken();
      for (const headers of [bearer(secret), { 'x-api-key': secret }]) {
        const answer = await call(`${origin}/events?page=2`, { method: 'POST', headers, body: 'hello' });
        expect(answer).toMatchObject({ status: 200, body: 'ok' });
      }
      expect(upstream.seen).toHaveLength(2);
      for (const { method, url, headers } of upstream.seen) {
        expect([method, url]).toEqual(['POST', '/events?page=2']);
        expect(Object.fromEntries(headers)).toMatchObject({
          'x-organisation-id': organisation,
          'x-organisation-plan': 'enterprise',
          'x-token-id': id,
        });
        expect(JSON.stringify(headers)).not.toContain(secret);
      }
    });

    it.each([
      ['no credential', {}, ''],
      ['a made-up token', bearer('9pMadeUp'), 'error="invalid_token"'],
      ['a malformed credential', bearer('two words'), 'error="invalid_request"'],
      ['another scheme', { authorization: 'Basic YTpi' }, ''],
    ])('refuses %s with 401 and the challenge', async (_, headers, error) => {
      const answer = await call(`${origin}/events`, { headers });
      expect(answer.status).toBe(401);
      expect(answer.headers['www-authenticate']).toContain('Bearer realm="api"');
      expect(answer.headers['www-authenticate']).toContain(error);
      expect(upstream.seen).toEqual([]);
    });

    it('refuses with 403 when the organisation has left Enterprise', async () => {
      const { organisation, secret } = await zone.givenToken();
      await zone.write('PUT', `/operator/organisations/${organisation}`, { name: 'Acme', plan: 'pro' });
      expect((await call(`${origin}/events`, { headers: bearer(secret) })).status).toBe(403);
      expect(upstream.seen).toEqual([]);
    });

    it('refuses every call that starts after a deactivation has been answered', async () => {
      const { path, secret } = await zone.givenToken();
      const early: number[] = [];
      const late: number[] = [];
      let isOff = false;
      const caller = async (): Promise<void> => {
        while (late.length < 200) {
          const statuses = isOff ? late : early;
          statuses.push((await call(`${origin}/events`, { headers: bearer(secret) })).status);
        }
      };
      const callers = Promise.all(Array.from({ length: 4 }, caller));
      await expect.poll(() => early.length, { timeout: 20_000 }).toBeGreaterThan(20);
      expect(new Set(early)).toEqual(new Set([200]));
      await zone.write('PATCH', path, { active: false });
      isOff = true;
      const accepted = upstream.seen.length;
      await callers;
      expect(new Set(late)).toEqual(new Set([401]));
      // Calls that were in flight at the answer may have been verified before it; there are four callers.
      expect(upstream.seen.length - accepted).toBeLessThanOrEqual(4);
      await zone.write('PATCH', path, { active: true });
      expect((await call(`${origin}/events`, { headers: bearer(secret) })).status).toBe(200);
    });

    it('lets no identity of the caller’s making reach the API', async () => {
      const { id, organisation, secret } = await zone.givenToken();
      const forged = {
        'X-Organisation-Id': ['forged', 'forged-too'],
        'x-organisation-plan': 'forged',
        'X-TOKEN-ID': 'forged',
        X_Organisation_Id: 'forged',
        'X-Organisation_Id': 'forged',
        X_Organisation_Plan: 'forged',
        x_token_id: 'forged',
      };
      expect((await call(`${origin}/events`, { headers: { ...forged, ...bearer(secret) } })).status).toBe(
        200,
      );
      const headers = upstream.seen[0]?.headers ?? [];
      const identity = headers.filter(([key]) => /^x[-_](?:organisation|token)/.test(key));
      expect(identity.toSorted()).toEqual([
        ['x-organisation-id', organisation],
        ['x-organisation-plan', 'enterprise'],
        ['x-token-id', id],
      ]);
      expect(JSON.stringify(headers)).not.toContain('forged');
      expect((await call(`${origin}/events`, { headers: forged })).status).toBe(401);
      expect(upstream.seen).toHaveLength(1);
    });

    it('says 503 and when to come back while the truth cannot be had', async () => {
      const { secret } = await zone.givenToken();
      const db = await zone.miniflare.getD1Database('DB', ZONE);
      await db.prepare('ALTER TABLE tokens RENAME TO tokens_away').run();
      try {
        const answer = await call(`${origin}/events`, { headers: bearer(secret) });
        expect(answer.status).toBe(503);
        expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
        expect(answer.headers['www-authenticate']).toBeUndefined();
        expect(upstream.seen).toEqual([]);
      } finally {
        await db.prepare('ALTER TABLE tokens_away RENAME TO tokens').run();
      }
    });
  });
});

it('lets nothing through when the Developer Zone itself cannot be reached', async () => {
  const nowhere = `127.0.0.1:${await freePort()}`;
  const { secret } = await zone.givenToken();
  const statuses: number[] = [];
  for (const { start } of gateways.filter((gateway) => gateway.isHere)) {
    const port = await freePort();
    const gateway = await start(port, nowhere);
    const answer = await call(`http://127.0.0.1:${port}/events`, {
      headers: { authorization: `Bearer ${secret}` },
    });
    await gateway.stop();
    statuses.push(answer.status);
  }
  expect([502, 503]).toEqual(expect.arrayContaining(statuses));
  expect(upstream.seen).toEqual([]);
});
