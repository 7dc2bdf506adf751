// The hourly pruning on the real tables: expired rows are deleted, and other rows stay.
import { createExecutionContext, createScheduledController } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';
import { openDeployment } from '../deployment/deployment.ts';
import type { Env } from '../deployment/env.ts';
import worker from '../index.ts';
import { sha256Hex } from '../random.ts';
import { call, givenOrganisation, givenSession, givenToken } from '../test/harness.ts';
import { prune as pruneIn } from './prune.ts';
import type { Budget, Pruned } from './prune.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = Date.now();
/** The run of the deployment with this `env`. */
const prune = (deployment: Env, now: number, budget?: Budget) =>
  pruneIn(openDeployment(deployment), now, budget);

/** A round has one statement for each table; a deployment without a retention has none for the events. */
const tablesOf = ({ removed }: Pruned) => Object.keys(removed).length - 1;

/** As much as these tests ever need. */
const BUDGET = { rows: 1000, statements: 900, ms: 60_000 };

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
    expect(await prune(env, NOW)).toMatchObject({ removed: { sessions: 1, signIns: 1 } });
    expect(await count('sign_ins')).toBe(1);
    expect((await call('/api/session', { headers: alive })).status).toBe(200);
  });

  it('removes the daily counts of days that are over, and none of today', async () => {
    const today = Math.floor(NOW / 86_400_000);
    const insert = env.DB.prepare('INSERT INTO daily_counts VALUES (?, ?, ?, 1)');
    await env.DB.batch([
      insert.bind('acme', 'change', today - 1),
      insert.bind('acme', 'creation', today),
      insert.bind('a@example.com', 'sign-in', today - 2),
    ]);
    expect(await prune(env, NOW)).toMatchObject({ removed: { dailyCounts: 2 } });
    const { results } = await env.DB.prepare('SELECT kind FROM daily_counts').all();
    expect(results).toEqual([{ kind: 'creation' }]);
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
    expect(await prune(env, NOW)).toMatchObject({ removed: { idempotencyKeys: 1, tokenUsage: 1 } });
    expect(await env.DB.prepare('SELECT key FROM idempotency_keys').first('key')).toBe('young');
    expect(await count('token_usage')).toBe(1);
  });

  it('removes the warnings of ends that have passed, and notices with their mails that are older than a day', async () => {
    const organisation = await givenOrganisation('enterprise', ['a@example.com', 'b@example.com']);
    const ends = [NOW - 1, NOW, NOW + DAY];
    for (const end of ends) {
      const { id } = await givenToken(organisation);
      await env.DB.prepare('UPDATE tokens SET expires_at = ? WHERE id = ?')
        .bind(new Date(end).toISOString(), id)
        .run();
    }
    await env.DB.prepare('DELETE FROM notices').run();
    const notice = env.DB.prepare(
      "INSERT INTO notices (id, organisation_id, kind, recipient, first_event, last_event, events, begun_at, closed_at) VALUES (?1, ?2, 'token.expiring', '', 1, 1, 1, ?3, ?3)",
    );
    const mail = env.DB.prepare('INSERT INTO mails VALUES (?, ?, ?, NULL, 0)');
    await env.DB.batch([
      notice.bind(1, organisation, new Date(NOW - DAY - 1).toISOString()),
      notice.bind(2, organisation, new Date(NOW - DAY).toISOString()),
      mail.bind(1, 'a@example.com', organisation),
      mail.bind(1, 'b@example.com', organisation),
      mail.bind(2, 'b@example.com', organisation),
    ]);
    expect(await prune(env, NOW)).toMatchObject({ removed: { expiryWarnings: 3, mails: 2, notices: 1 } });
    expect(await count('expiry_warnings')).toBe(6);
    expect(await env.DB.prepare('SELECT notice_id FROM mails').first('notice_id')).toBe(2);
    expect(await env.DB.prepare('SELECT id FROM notices').first('id')).toBe(2);
  });

  it('removes changes older than a day but never the newest, however old', async () => {
    await givenToken(await givenOrganisation());
    const newest = await env.DB.prepare('SELECT max(seq) AS seq FROM changes').first<number>('seq');
    await prune(env, NOW);
    expect(await count('changes')).toBeGreaterThan(1);
    expect((await prune(env, NOW + 30 * DAY)).removed.changes).toBeGreaterThan(0);
    const { results } = await env.DB.prepare('SELECT seq FROM changes').all();
    expect(results).toEqual([{ seq: newest }]);
  });

  it('keeps what is exactly as old as it may be, and removes what is one step older', async () => {
    const organisation = await givenOrganisation();
    const { id } = await givenToken(organisation);
    const insert = (text: string, ...values: (string | number)[]) =>
      env.DB.prepare(`INSERT INTO ${text}`).bind(...values);
    const key = (name: string, at: number) =>
      insert(
        `idempotency_keys (organisation_id, actor, key, body_hash, token_id, created_at) VALUES (?, 'a', ?, ?, ?, ?)`,
        organisation,
        name,
        sha256Hex(''),
        id,
        at,
      );
    const usage = (hour: number) =>
      insert('token_usage (token_id, hour, accepted) VALUES (?, ?, 1)', id, hour);
    const change = (at: number) =>
      insert('changes (token_hash, at) VALUES (?, ?)', sha256Hex(`${at}`), new Date(at).toISOString());
    const session = (expiresAt: number) =>
      insert(
        `sessions (hash, id, email, method, created_at, seen_at, expires_at) VALUES (?1, ?1, 'a', 'link', 1, 1, ?2)`,
        sha256Hex(`${expiresAt}`),
        expiresAt,
      );
    const month = Math.floor((NOW - 31 * DAY) / HOUR);
    const reason = (hour: number) =>
      insert("refusal_reasons (token_id, hour, reason, calls) VALUES (?, ?, 'expired', 1)", id, hour);
    const today = Math.floor(NOW / DAY);
    const caller = (day: number) =>
      insert(
        "callers (token_id, day, hash, network, country, agent, network_name, accepted, refused, last_at) VALUES (?, ?, 'h', 0, '', 'curl', '', 1, 0, 'x')",
        id,
        day,
      );
    const tombstone = (at: number) =>
      insert(
        "tombstones (hash, token_id, organisation_id, preview, kind, ended_at) VALUES (?, 't', ?, '9pAbc', 'deleted', ?)",
        sha256Hex(`${at}`),
        organisation,
        new Date(at).toISOString(),
      );
    await env.DB.batch([
      reason(month),
      reason(month - 1),
      caller(today - 29),
      caller(today - 30),
      tombstone(NOW - 90 * DAY),
      tombstone(NOW - 90 * DAY - 1),
      key('kept', NOW - DAY),
      key('gone', NOW - DAY - 1),
      usage(month),
      usage(month - 1),
      change(NOW - DAY),
      change(NOW - DAY - 1),
      change(NOW),
      session(NOW),
      session(NOW - 1),
    ]);
    await givenSignIn(NOW);
    await givenSignIn(NOW - 1);
    expect((await prune(env, NOW)).removed).toMatchObject({
      sessions: 1,
      signIns: 1,
      idempotencyKeys: 1,
      tokenUsage: 1,
      refusalReasons: 1,
      callers: 1,
      tombstones: 1,
      changes: 1,
    });
    expect(await env.DB.prepare('SELECT hour FROM refusal_reasons').first('hour')).toBe(month);
    expect(await env.DB.prepare('SELECT day FROM callers').first('day')).toBe(today - 29);
    expect(await env.DB.prepare('SELECT ended_at FROM tombstones').first('ended_at')).toBe(
      new Date(NOW - 90 * DAY).toISOString(),
    );
    expect(await env.DB.prepare('SELECT key FROM idempotency_keys').first('key')).toBe('kept');
    expect(await env.DB.prepare('SELECT hour FROM token_usage').first('hour')).toBe(month);
    expect(await env.DB.prepare('SELECT expires_at FROM sessions').first('expires_at')).toBe(NOW);
    expect(await env.DB.prepare('SELECT expires_at FROM sign_ins').first('expires_at')).toBe(NOW);
    const oldest = new Date(NOW - DAY).toISOString();
    expect(await env.DB.prepare('SELECT min(at) AS at FROM changes').first('at')).toBe(oldest);
  });

  it('goes on until nothing is left, however long the backlog is', async () => {
    for (let n = 0; n < 65; n++) await givenSignIn(NOW - 1);
    expect(await prune(env, NOW, { ...BUDGET, rows: 2 })).toMatchObject({
      removed: { signIns: 65 },
      isDone: true,
    });
  });

  it('stops when its statements or its time are used up, says so, and lets every table have a turn', async () => {
    for (let n = 0; n < 25; n++) {
      await givenSignIn(NOW - 1);
      await givenSession();
    }
    await env.DB.prepare('UPDATE sessions SET expires_at = ?')
      .bind(NOW - 1)
      .run();
    const statements = tablesOf(await prune(env, NOW - DAY)) + 7;
    expect(await prune(env, NOW, { ...BUDGET, rows: 1, statements })).toMatchObject({
      removed: { sessions: 5, signIns: 4 },
      isDone: false,
    });
    expect(await prune(env, NOW, { ...BUDGET, ms: 0 })).toMatchObject({
      removed: { sessions: 0, signIns: 0 },
      isDone: false,
    });
    expect(await prune(env, NOW)).toMatchObject({ removed: { sessions: 20, signIns: 21 }, isDone: true });
  });

  it('ends without a failure when Cloudflare allows no more statements, as on the free plan', async () => {
    for (let n = 0; n < 25; n++) await givenSignIn(NOW - 1);
    let allowed = tablesOf(await prune(env, NOW - DAY)) + 12;
    const limited = new Proxy(env.DB, {
      get(database, name) {
        if (name === 'prepare') {
          return (text: string) => {
            if (allowed-- <= 0) text = 'SELECT 1 FROM "Too many API requests by single Worker invocation."';
            return database.prepare(text);
          };
        }
        const value: unknown = Reflect.get(database, name);
        return typeof value === 'function' ? value.bind(database) : value;
      },
    });
    const pruned = await prune({ ...env, DB: limited }, NOW, { ...BUDGET, rows: 1 });
    expect(pruned.isDone).toBe(false);
    expect(pruned.removed.signIns).toBeGreaterThan(10);
    expect(await count('sign_ins')).toBe(25 - pruned.removed.signIns);
  });

  it('says how large the database is', async () => {
    const { bytes } = await prune(env, NOW);
    const before = bytes;
    await env.DB.prepare(
      "INSERT INTO sign_ins (hash, browser_hash, email, expires_at) VALUES (hex(randomblob(32)), hex(zeroblob(500000)), 'a', ?)",
    )
      .bind(NOW + DAY)
      .run();
    expect((await prune(env, NOW)).bytes).toBeGreaterThan(before + 900_000);
  });

  it('runs by the schedule', async () => {
    await givenSignIn(NOW - 1);
    await worker.scheduled(
      createScheduledController({ scheduledTime: new Date(NOW) }),
      env,
      createExecutionContext(),
    );
    expect(await count('sign_ins')).toBe(0);
  });

  it('goes on with the other tables when one fails, and then fails itself', async () => {
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
    const pruned = await prune({ ...env, DB: recording, EVENTS_RETENTION_DAYS: '30' }, NOW);
    const deletions = statements.filter((text) => text.startsWith('delete'));
    expect(deletions).toHaveLength(tablesOf(pruned) + 1);
    for (const text of deletions) {
      const plan = await env.DB.prepare(`EXPLAIN QUERY PLAN ${text}`)
        .bind(...Array<null>(text.split('?').length - 1).fill(null))
        .all<{ detail: string }>();
      expect(plan.results.filter(({ detail }) => detail.startsWith('SCAN'))).toEqual([]);
    }
  });
});

describe('the retention of events', () => {
  const old = (days: number) => new Date(Date.now() - days * DAY).toISOString();

  async function givenEvent(at: string): Promise<number> {
    const id = await env.DB.prepare(
      "INSERT INTO events (at, actor, action, request_id) VALUES (?, 'a', 'sign-in', 'r') RETURNING id",
    )
      .bind(at)
      .first<number>('id');
    return id ?? 0;
  }
  const ids = async () =>
    (await env.DB.prepare('SELECT id FROM events ORDER BY id').all<{ id: number }>()).results.map(
      ({ id }) => id,
    );
  const removeAll = () => env.DB.prepare('DELETE FROM events').run();

  it('keeps every event, however old, if the setting is missing', async () => {
    const id = await givenEvent(old(9000));
    await prune(env, NOW);
    await prune({ ...env, EVENTS_RETENTION_DAYS: '' }, NOW + 9000 * DAY);
    expect(await ids()).toContain(id);
    await expect(env.DB.prepare('DELETE FROM events WHERE id = ?').bind(id).run()).rejects.toThrow(
      'events are append-only',
    );
  });

  it('lets the pruning remove older events, and no statement remove any other', async () => {
    const [older, unreadable, younger] = [
      await givenEvent(old(90.01)),
      await givenEvent('1 January 1970'),
      await givenEvent(old(89.99)),
    ];
    expect(await prune({ ...env, EVENTS_RETENTION_DAYS: '90' }, NOW)).toMatchObject({
      removed: { events: 2 },
    });
    expect(await ids()).toEqual([unreadable, younger]);
    expect(older).toBeLessThan(unreadable);
    await expect(removeAll()).rejects.toThrow('events are append-only');
    // The Worker's clock does not decide: what the pruning takes for old may be young in the database.
    await prune({ ...env, EVENTS_RETENTION_DAYS: '90' }, NOW + 365 * DAY);
    expect(await ids()).toEqual([unreadable, younger]);
    // Taken back, it holds no longer.
    await prune(env, NOW);
    await givenEvent(old(91));
    await expect(removeAll()).rejects.toThrow('events are append-only');
  });

  it('is 30 days at least, one row, and stays', async () => {
    const set = (sql: string) => env.DB.prepare(sql).run();
    await expect(set('UPDATE event_retention SET days = 29')).rejects.toThrow('CHECK');
    await expect(set('DELETE FROM event_retention')).rejects.toThrow('the retention is one row');
    await expect(set('INSERT INTO event_retention VALUES (2, 30)')).rejects.toThrow(
      'the retention is one row',
    );
    await expect(set('REPLACE INTO event_retention VALUES (1, 30)')).rejects.toThrow(
      'the retention is one row',
    );
    expect(await env.DB.prepare('SELECT * FROM event_retention').all()).toMatchObject({
      results: [{ id: 1, days: null }],
    });
  });

  it('lets the pruning keep what is exactly as old as it may be', async () => {
    const id = await givenEvent(new Date(NOW - 90 * DAY).toISOString());
    await prune({ ...env, EVENTS_RETENTION_DAYS: '90' }, NOW);
    expect(await ids()).toContain(id);
    await prune({ ...env, EVENTS_RETENTION_DAYS: '90' }, NOW + 1);
    expect(await ids()).not.toContain(id);
  });
});
