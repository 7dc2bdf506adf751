// A deployment whose database is libSQL: two isolates of the bundle that would be deployed, a D1 without its tokens table
// that must not be used, and a server whose replica receives no changes.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Miniflare } from 'miniflare';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrateLibsql } from '../scripts/migrate-libsql.ts';
import { runChild } from './child.ts';
import { SETTINGS, startIsolates } from './isolates.ts';
import { startLibsqlServer } from './libsql-server.ts';
import { signIn } from './member.ts';
import type { Member } from './member.ts';
import { startServer } from './server.ts';
import type { LibsqlServer } from './libsql-server.ts';

const root = resolve(import.meta.dirname, '..');
let server: LibsqlServer;
let member: Member;
let miniflare: Miniflare;
let here: string;
let there: string;

beforeAll(async () => {
  server = await startLibsqlServer();
  await migrateLibsql(server.url, server.authToken);
  server.stopReplication();
  miniflare = await startIsolates(['here', 'there'], {
    LOCAL_MODE: '1',
    LIBSQL_URL: server.url,
    LIBSQL_AUTH_TOKEN: server.authToken,
  });
  here = (await miniflare.unsafeGetDirectURL('here')).origin;
  there = (await miniflare.unsafeGetDirectURL('there')).origin;
  // A query to D1 by mistake would fail.
  const d1 = await miniflare.getD1Database('DB', 'here');
  await d1.prepare('DROP TABLE tokens').run();
  member = await signIn((sql, values) => server.database.prepare(sql).run(values));
});
afterAll(async () => {
  await miniflare?.dispose();
  await server?.close();
});

const send = (method: string, path: string, body?: object) => member.send(here, method, path, body);
const givenOrganisation = () => member.givenOrganisation(here);
const givenToken = (organisation: string) => member.addToken(here, organisation, 'Shop');

/** A call through the isolate that does not make the changes. */
async function call(secret: string, path = '/v1/ping'): Promise<Response> {
  return fetch(there + path, { headers: { authorization: `Bearer ${secret}` } });
}

describe('with the data in libSQL', () => {
  it('a token is created, used, deactivated, reactivated and deleted, and each change holds from its answer on', async () => {
    const organisation = await givenOrganisation();
    const { path, secret } = await givenToken(organisation);
    expect((await call(secret)).status).toBe(200);
    expect(await (await call(secret, '/v1/organisation')).json()).toMatchObject({
      id: organisation,
      tokens: { active: 1, total: 1, limit: 10 },
    });

    const paused = await send('PATCH', path, { active: false });
    expect(paused.status).toBe(200);
    const { effectiveAt } = (await paused.json()) as { effectiveAt: string };
    expect(Date.parse(effectiveAt)).toBeLessThanOrEqual(Date.now());
    expect((await call(secret)).status).toBe(401);

    expect((await send('PATCH', path, { active: true })).status).toBe(200);
    expect((await call(secret)).status).toBe(200);
    expect(await (await call(secret, '/v1/token')).json()).toMatchObject({ name: 'Shop', active: true });

    expect((await send('DELETE', path)).status).toBe(200);
    expect((await call(secret)).status).toBe(401);
  });

  it('tokens are refused after the organisation leaves Enterprise, and accepted again when it returns', async () => {
    const organisation = await givenOrganisation();
    const { secret } = await givenToken(organisation);
    expect((await call(secret)).status).toBe(200);
    const change = (plan: string) =>
      send('PUT', `/operator/organisations/${organisation}`, { name: 'Acme', plan });
    expect((await change('pro')).status).toBe(200);
    expect((await call(secret)).status).toBe(403);
    expect((await change('enterprise')).status).toBe(200);
    expect((await call(secret)).status).toBe(200);
    expect((await send('DELETE', `/operator/organisations/${organisation}`)).status).toBe(200);
    expect((await call(secret)).status).toBe(401);
  });

  it('of sixty creates at the same time ten make a token, and the API accepts all ten', async () => {
    const organisation = await givenOrganisation();
    const path = `/api/organisations/${organisation}/tokens`;
    const answers = await Promise.all(Array.from({ length: 60 }, () => send('POST', path, {})));
    const made = answers.filter(({ status }) => status === 201);
    expect(answers.map(({ status }) => status).filter((status) => status !== 201 && status !== 409)).toEqual(
      [],
    );
    expect(made).toHaveLength(10);
    for (const answer of made) {
      const { secret } = (await answer.json()) as { secret: string };
      expect((await call(secret)).status).toBe(200);
    }
    const { tokens } = (await (await send('GET', path)).json()) as { tokens: unknown[] };
    expect(tokens).toHaveLength(10);
  });

  it('while the server is down, changes and new callers get 503, never 401', async () => {
    const organisation = await givenOrganisation();
    const { path, secret } = await givenToken(organisation);
    server.isDown = true;
    try {
      const change = await send('PATCH', path, { active: false });
      expect(change.status).toBe(503);
      expect(await change.text()).not.toContain(server.authToken);
      const unknown = await call(secret);
      expect(unknown.status).toBe(503);
      expect(unknown.headers.get('retry-after')).not.toBeNull();
    } finally {
      server.isDown = false;
    }
    await expect.poll(async () => (await call(secret)).status, { timeout: 15_000 }).toBe(200);
  });

  it('is the database of `npm run dev` where a setting names it', { timeout: 180_000 }, async () => {
    const settings = {
      LIBSQL_URL: server.url,
      LIBSQL_AUTH_TOKEN: server.authToken,
      OPERATOR_SECRET: SETTINGS.OPERATOR_SECRET,
    };
    const flags = Object.entries(settings).map(([name, value]) => `--var=${name}:${value}`);
    const local = await startServer({ flags });
    try {
      const status = await fetch(`${local.origin}/operator/status`, {
        headers: { authorization: `Bearer ${SETTINGS.OPERATOR_SECRET}` },
      });
      expect(await status.json()).toMatchObject({ database: { kind: 'libsql' } });
    } finally {
      await local.stop();
    }
  });

  it('is read and repeated by the script that follows a restore', async () => {
    const organisation = await givenOrganisation();
    const { path } = await givenToken(organisation);
    expect((await send('PATCH', path, { active: false })).status).toBe(200);
    const folder = mkdtempSync(join(tmpdir(), 'developer-zone-'));
    try {
      const file = join(folder, 'events.jsonl');
      const env = { ...process.env, LIBSQL_URL: server.url, LIBSQL_AUTH_TOKEN: server.authToken };
      const restore = (...args: string[]) =>
        runChild(process.execPath, ['scripts/restore.ts', ...args, '--events', file], { cwd: root, env });
      const read = (query: string) => server.database.prepare(query).get() as Record<string, unknown>;
      const { events } = read('SELECT count(*) AS events FROM events');
      const fetched = await restore('fetch', '--since', new Date(0).toISOString());
      expect(fetched.output).toContain(`${Number(events)} events since`);
      // The state of the restored database.
      server.database.exec(`UPDATE tokens SET active = 1 WHERE organisation_id = '${organisation}';
        DROP TRIGGER events_stay; DELETE FROM events WHERE organisation_id = '${organisation}' AND action = 'token.deactivated'`);
      for (let repeat = 0; repeat < 2; repeat++) expect((await restore('apply')).code).toBe(0);
      expect(
        read(
          `SELECT active, (SELECT count(*) FROM events) AS events, (SELECT count(*) FROM sessions) AS sessions FROM tokens WHERE organisation_id = '${organisation}'`,
        ),
      ).toMatchObject({ active: 0, events, sessions: 0 });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
