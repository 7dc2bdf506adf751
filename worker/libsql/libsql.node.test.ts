// The stores and what verification reads on libSQL, through the client of a deployment and over its wire; and what
// libSQL does not promise by itself.
import { createClient } from '@libsql/client/http';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startLibsqlServer } from '../../e2e/libsql-server.ts';
import type { LibsqlServer } from '../../e2e/libsql-server.ts';
import { migrateLibsql } from '../../scripts/migrate-libsql.ts';
import type { Db } from '../database.ts';
import { openDatabase } from '../deployment/database.ts';
import type { Databases } from '../verification/source/source.ts';
import { pruningIn } from '../test/pruning.ts';
import { insertOrganisation, insertToken } from '../test/rows.ts';
import { describeStores } from '../test/stores.ts';
import { organisations, sessions } from '../tables.ts';
import { describeMails } from '../upkeep/mailing.suite.ts';
import { prune } from '../upkeep/prune.ts';
import { describeSource } from '../verification/source/source.suite.ts';
import { openSource } from '../verification/source/hub-source.ts';
import { describeOutbox } from '../webhook/outbox.suite.ts';
import { openClient } from './client.ts';
import type { Address } from './client.ts';

let server: LibsqlServer;
let databases: Databases;
beforeAll(async () => {
  server = await startLibsqlServer();
  await migrateLibsql(server.url, server.authToken);
  // From here on whatever is not sent to the primary reads an empty database.
  server.stopReplication();
  const untouched = new Proxy(
    {},
    {
      get(_, name) {
        throw new Error(`D1 was asked for ${String(name)}`);
      },
    },
  );
  // Nothing of it is ever called.
  const d1 = untouched as D1Database;
  databases = { d1, libsql: { url: server.url, authToken: server.authToken } };
});
afterAll(() => server.close());

const open = (): Promise<Db> => openDatabase(databases);

describeStores('libSQL', open, () => openSource(databases));
describe('on libSQL, mails', () => {
  // The server fails no single call: mailing.test.ts has the faults.
  describeMails(open, ['slow'], 4);
});
describe('on libSQL, events that are pushed', () => {
  describeOutbox(open);
});
describe('on libSQL, what verification reads', () => {
  describeSource(async () => ({ db: await open(), source: openSource(databases) }));
});

describe('a libSQL server', () => {
  it('would answer a plain read from a replica that lags behind', async () => {
    const id = await insertOrganisation(await open());
    const sql = { sql: 'SELECT id FROM organisations WHERE id = ?', args: [id] };
    const plain = createClient({ url: server.url, authToken: server.authToken });
    expect((await plain.execute(sql)).rows).toEqual([]);
    expect((await plain.batch([sql], 'write'))[0]?.rows).toEqual([]);
    expect(
      (await openClient({ url: server.url, authToken: server.authToken }).execute(sql)).rows,
    ).toHaveLength(1);
  });

  it('changes all of a batch or nothing', async () => {
    const db = await open();
    const row = { id: crypto.randomUUID(), name: 'A', plan: 'pro' as const, createdAt: 'now' };
    const batch = db.batch([db.insert(organisations).values(row), db.insert(organisations).values(row)]);
    await expect(batch).rejects.toMatchObject({ name: 'LibsqlBatchError' });
    expect(server.database.prepare('SELECT * FROM organisations WHERE id = ?').all([row.id])).toEqual([]);
  });

  it('takes no event before the first one, which would be in the way of all later ones', async () => {
    const fresh = await startLibsqlServer();
    try {
      await migrateLibsql(fresh.url, fresh.authToken);
      const write = (id: number | null) =>
        fresh.database
          .prepare("INSERT INTO events (id, at, actor, action, request_id) VALUES (?, 'x', 'x', 'x', 'x')")
          .run([id]);
      expect(() => write(-1)).toThrow('events are append-only');
      write(null);
      expect(fresh.database.prepare('SELECT id FROM events').all()).toMatchObject([{ id: 1 }]);
    } finally {
      await fresh.close();
    }
  });

  it('is pruned as D1 is', async () => {
    const db = await open();
    const now = Date.now();
    await insertToken(db, await insertOrganisation(db));
    await db.insert(sessions).values({
      hash: 'f'.repeat(64),
      id: 'old',
      email: 'a@example.com',
      method: 'link',
      createdAt: 1,
      seenAt: 1,
      expiresAt: 2,
    });
    const [newest] = await openSource(databases).newestChanges(1);
    const pruned = await prune(pruningIn(databases), now + 30 * 24 * 3_600_000);
    expect(pruned.removed.sessions).toBeGreaterThan(0);
    expect(pruned.removed.changes).toBeGreaterThan(0);
    expect(await openSource(databases).newestChanges(10)).toEqual([newest]);
  });

  it.each([
    ['is down', (): Partial<Address> => ((server.isDown = true), {})],
    ['does not know the token', () => ({ authToken: 'wrong' })],
    ['is not there', () => ({ url: 'http://127.0.0.1:1' })],
  ])('that %s fails every call, and no message says the token', async (_, change) => {
    const address = { url: server.url, authToken: server.authToken, ...change() };
    const broken = { ...databases, libsql: address };
    try {
      const db = await openDatabase(broken);
      const failure = await db.batch([db.select().from(organisations)]).catch((error: unknown) => error);
      expect(failure).toMatchObject({ name: expect.stringMatching(/^Libsql/) as string });
      expect(String(failure)).not.toContain(address.authToken);
      const source = openSource(broken).newestChanges(1);
      await expect(source).rejects.toMatchObject({ name: 'LibsqlError' });
    } finally {
      server.isDown = false;
    }
  });

  it('that does not answer is waited for ten seconds', async () => {
    const waits: number[] = [];
    const timeout = vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
      waits.push(ms);
      // The time is up at once.
      return AbortSignal.abort(new DOMException('too late', 'TimeoutError'));
    });
    try {
      const asked = openClient({ url: server.url, authToken: server.authToken }).execute('SELECT 1');
      await expect(asked).rejects.toMatchObject({ name: 'LibsqlError', code: 'UNREACHABLE' });
      expect(waits).toEqual([10_000]);
    } finally {
      timeout.mockRestore();
    }
  });

  it('takes a statement as a text, with arguments or without, and reads while another one writes', async () => {
    const client = openClient({ url: server.url, authToken: server.authToken });
    server.database.exec('BEGIN IMMEDIATE');
    try {
      expect((await client.execute('SELECT 1 AS one')).rows[0]?.['one']).toBe(1);
      expect((await client.execute('SELECT ? AS it', ['x'])).rows[0]?.['it']).toBe('x');
      const results = await client.batch(['SELECT 1 AS one', { sql: 'SELECT ? AS it', args: ['y'] }]);
      expect(results.map(({ rows }) => rows[0]?.[0])).toEqual([1, 'y']);
    } finally {
      server.database.exec('ROLLBACK');
    }
  });

  it('is brought up to date once', async () => {
    expect(await migrateLibsql(server.url, server.authToken)).toEqual({ ok: true, applied: [] });
  });
});
