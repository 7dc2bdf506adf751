// The hourly pruning against the real tables: what has run out goes, what counts stays.
import { createScheduledController } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';
import worker from '../index.ts';
import { sha256Hex } from '../random.ts';
import { call, givenOrganisation, givenSession, givenToken } from '../test/harness.ts';
import { prune } from './prune.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = Date.now();

async function count(table: string): Promise<number> {
  return (await env.DB.prepare(`SELECT count(*) AS n FROM ${table}`).first<number>('n')) ?? -1;
}

async function givenSignIn(expiresAt: number): Promise<void> {
  await env.DB.prepare('INSERT INTO sign_ins (hash, browser_hash, email, expires_at) VALUES (?, ?, ?, ?)')
    .bind(sha256Hex(crypto.randomUUID()), sha256Hex('browser'), 'a@example.com', expiresAt)
    .run();
}

beforeEach(async () => {
  await env.DB.batch(
    ['sessions', 'sign_ins', 'idempotency_keys', 'token_usage'].map((table) =>
      env.DB.prepare(`DELETE FROM ${table}`),
    ),
  );
});

describe('the hourly pruning', () => {
  it('removes sessions and sign-ins that are over, and no other', async () => {
    const alive = await givenSession();
    await givenSession();
    await env.DB.prepare('UPDATE sessions SET expires_at = ? WHERE hash <> ?')
      .bind(NOW - 1, sha256Hex(alive.cookie.split('=')[1] ?? ''))
      .run();
    await givenSignIn(NOW - 1);
    await givenSignIn(NOW + 1);
    expect(await prune(env, NOW)).toMatchObject({ sessions: 1, signIns: 1 });
    expect(await count('sign_ins')).toBe(1);
    expect((await call('/api/session', { headers: alive })).status).toBe(200);
  });

  it('keeps an idempotency key for a day and the counts of calls for a month', async () => {
    const organisation = await givenOrganisation();
    const { id } = await givenToken(organisation);
    for (const [key, at] of [
      ['young', NOW - DAY + 1],
      ['old', NOW - DAY - 1],
    ]) {
      await env.DB.prepare(
        'INSERT INTO idempotency_keys (organisation_id, actor, key, body_hash, token_id, created_at) VALUES (?, ?, ?, ?, ?, ?)',
      )
        .bind(organisation, 'a@example.com', key, sha256Hex(''), id, at)
        .run();
    }
    for (const age of [30 * DAY, 33 * DAY]) {
      await env.DB.prepare('INSERT INTO token_usage (token_id, hour, accepted) VALUES (?, ?, 1)')
        .bind(id, Math.floor((NOW - age) / HOUR))
        .run();
    }
    expect(await prune(env, NOW)).toMatchObject({ idempotencyKeys: 1, tokenUsage: 1 });
    expect(await env.DB.prepare('SELECT key FROM idempotency_keys').first('key')).toBe('young');
    expect(await count('token_usage')).toBe(1);
  });

  it('removes changes older than a day but never the newest, however old', async () => {
    await givenToken(await givenOrganisation());
    const newest = await env.DB.prepare('SELECT max(seq) AS seq FROM changes').first<number>('seq');
    await prune(env, NOW);
    expect(await count('changes')).toBeGreaterThan(1);
    expect((await prune(env, NOW + 30 * DAY)).changes).toBeGreaterThan(0);
    const { results } = await env.DB.prepare('SELECT seq FROM changes').all();
    expect(results).toEqual([{ seq: newest }]);
  });

  it('takes a backlog in small statements, and leaves the rest to the next hour', async () => {
    for (let n = 0; n < 25; n++) await givenSignIn(NOW - 1);
    expect((await prune(env, NOW, 1)).signIns).toBe(20);
    expect((await prune(env, NOW, 1)).signIns).toBe(5);
  });

  it('runs by the schedule', async () => {
    await givenSignIn(NOW - 1);
    await worker.scheduled(createScheduledController({ scheduledTime: new Date(NOW) }), env);
    expect(await count('sign_ins')).toBe(0);
  });

  it('goes on with the other tables where one fails, and says that it failed', async () => {
    await givenSignIn(NOW - 1);
    const failing = new Proxy(env.DB, {
      get(database, name) {
        if (name === 'prepare') {
          return (text: string) => {
            if (text.startsWith('delete from "sessions"')) throw new Error('down');
            return database.prepare(text);
          };
        }
        const value: unknown = Reflect.get(database, name);
        return typeof value === 'function' ? value.bind(database) : value;
      },
    });
    await expect(prune({ ...env, DB: failing }, NOW)).rejects.toThrow('down');
    expect(await count('sign_ins')).toBe(0);
  });

  it('reaches every row by an index', async () => {
    const statements: string[] = [];
    const recording = new Proxy(env.DB, {
      get(database, name) {
        if (name === 'prepare') {
          return (text: string) => {
            statements.push(text);
            return database.prepare(text);
          };
        }
        const value: unknown = Reflect.get(database, name);
        return typeof value === 'function' ? value.bind(database) : value;
      },
    });
    await prune({ ...env, DB: recording }, NOW);
    expect(statements).toHaveLength(5);
    for (const text of statements) {
      const plan = await env.DB.prepare(`EXPLAIN QUERY PLAN ${text}`)
        .bind(...Array<null>(text.split('?').length - 1).fill(null))
        .all<{ detail: string }>();
      expect(plan.results.filter(({ detail }) => detail.startsWith('SCAN'))).toEqual([]);
    }
  });
});
