// The promise during a deployment: the previous release (e2e/previous-release/) and the present one run at the same time, on
// one database, one KV and one set of hubs, as while a deployment or a rollback spreads. Other cases, as after a restore or
// a move: isolates use another database, while their hubs still run the other code and read the old database.
import type { Miniflare } from 'miniflare';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keptRelease } from '../scripts/release.ts';
import { startReleases } from './isolates.ts';
import { startLibsqlServer } from './libsql-server.ts';
import type { LibsqlServer } from './libsql-server.ts';
import { inD1, sha256, signIn } from './member.ts';
import type { GivenToken, Member, Run } from './member.ts';

/** Short, so that a wait takes seconds: a change that hubs do not confirm is answered after the longer lease. */
const LEASES = { REVOCATION_LEASE_MS: '300', HUB_LEASE_MS: '2000' };
/** Calls after the answer of a change, and the pause between two: 1.5 s, five leases of an isolate. */
const CALLS = 60;
const PAUSE_MS = 25;
/** A change waits for leases and 120 calls, beside the other cases and on a busy machine. */
const MINUTES_4 = 240_000;

let miniflare: Miniflare;
let libsql: LibsqlServer;
let member: Member;
let organisation: string;

/** Two addresses of callers, and a network with the first one. */
const INSIDE = '203.0.113.7';
const OUTSIDE = '198.51.100.7';
const NETWORK = '203.0.113.0/24';

/** A token for each case, created in the first database before it is copied. */
const tokens = new Map<string, GivenToken>();

// Who changes, who is called, and where their hubs run. The names are isolates of `beforeAll`.
const TOGETHER: [title: string, writer: string, caller: string][] = [
  [
    'the previous release changes, the present one is called, hubs of the previous release',
    'old',
    'new-at-old-hubs',
  ],
  [
    'the present release changes, the previous one is called, hubs of the previous release',
    'new-at-old-hubs',
    'old',
  ],
  [
    'the previous release changes, the present one is called, hubs of the present one',
    'old-at-new-hubs',
    'new',
  ],
  [
    'the present release changes, the previous one is called, hubs of the present one',
    'new',
    'old-at-new-hubs',
  ],
];
// Two isolates of each: the first one changes, the second one is called.
const MOVED: [title: string, isolate: string][] = [
  ['restored, hubs of the previous release', 'restored-at-old-hubs'],
  ['restored, hubs of the present release', 'restored-at-new-hubs'],
  ['restored under the previous release, hubs of the present one', 'restored-old-at-new-hubs'],
  ['moved to libSQL, hubs of the previous release', 'libsql-at-old-hubs'],
  ['moved to libSQL, hubs of the present release', 'libsql-at-new-hubs'],
  ['moved to libSQL under the previous release, hubs of the present one', 'libsql-old-at-new-hubs'],
  ['moved back to D1, hubs that still read libSQL', 'back-at-libsql-hubs'],
];

/** Where the hubs run; the present release replaces values, the one before knows none that was replaced. */
const REPLACED: [title: string, present: string, before: string][] = [
  ['a value is replaced, hubs of the release before', 'new-at-old-hubs', 'old'],
  ['a value is replaced, hubs of the present one', 'new', 'old-at-new-hubs'],
];

/** The present release limits tokens, the one before knows no limits. */
const LIMITED: [title: string, present: string, before: string][] = [
  ['a token is limited, hubs of the release before', 'new-at-old-hubs', 'old'],
  ['a token is limited, hubs of the present one', 'new', 'old-at-new-hubs'],
];

/** The present release pauses organisations, the one before knows no pause. */
const PAUSED: [title: string, present: string, before: string][] = [
  ['an organisation is paused, hubs of the release before', 'new-at-old-hubs', 'old'],
  ['an organisation is paused, hubs of the present one', 'new', 'old-at-new-hubs'],
];

beforeAll(async () => {
  libsql = await startLibsqlServer();
  const release = keptRelease();
  const atLibsql = { LIBSQL_URL: libsql.url, LIBSQL_AUTH_TOKEN: libsql.authToken, LOCAL_MODE: '1' };
  const next = { ...LEASES, DATABASE_EPOCH: '2' };
  const isolates: Parameters<typeof startReleases>[0] = [
    { name: 'old', hubs: 'old-hubs', release, settings: LEASES },
    { name: 'new', hubs: 'new-hubs', settings: LEASES },
    { name: 'new-at-old-hubs', hubs: 'old-hubs', settings: LEASES },
    { name: 'old-at-new-hubs', hubs: 'new-hubs', release, settings: LEASES },
    // Its hubs were not told that the zone moved back: they read libSQL, under the epoch of the move to libSQL.
    { name: 'at-libsql', hubs: 'libsql-hubs', settings: { ...next, ...atLibsql } },
    // The Workers whose hubs are asked. All belong to one deployment, the owner of the database, which a hub knows by CHANGE_HUB.
    { name: 'new-hubs', hubs: 'new-hubs', settings: LEASES },
    { name: 'old-hubs', hubs: 'new-hubs', release, settings: LEASES },
    { name: 'libsql-hubs', hubs: 'new-hubs', settings: { ...next, ...atLibsql } },
  ];
  const moved = [
    { name: 'restored-at-old-hubs', hubs: 'old-hubs', database: 'restored', settings: next },
    { name: 'restored-at-new-hubs', hubs: 'new-hubs', database: 'restored', settings: next },
    { name: 'restored-old-at-new-hubs', hubs: 'new-hubs', database: 'restored', release, settings: LEASES },
    { name: 'libsql-at-old-hubs', hubs: 'old-hubs', settings: { ...next, ...atLibsql } },
    { name: 'libsql-at-new-hubs', hubs: 'new-hubs', settings: { ...next, ...atLibsql } },
    { name: 'libsql-old-at-new-hubs', hubs: 'new-hubs', release, settings: { ...LEASES, ...atLibsql } },
    {
      name: 'back-at-libsql-hubs',
      hubs: 'libsql-hubs',
      database: 'restored',
      settings: { ...LEASES, DATABASE_EPOCH: '3' },
    },
  ];
  for (const isolate of moved) isolates.push(isolate, { ...isolate, name: `${isolate.name}-2` });
  miniflare = await startReleases(isolates);
  const db = await miniflare.getD1Database('DB', 'old');
  member = await signIn(inD1(db));
  for (const [title] of [...TOGETHER, ...MOVED, ...REPLACED, ...LIMITED])
    tokens.set(title, await givenToken());
  // Every hub has read the first database, and is under its lease.
  for (const { secret } of tokens.values()) {
    for (const isolate of ['old', 'new']) {
      const status = await call(isolate, secret);
      if (status !== 200) throw new Error(`${isolate}: ${status}`);
    }
  }
  const restored = await miniflare.getD1Database('DB', 'restored-at-new-hubs');
  await copy(db, inD1(restored));
  await copy(db, (sql, values) => libsql.database.prepare(sql).run(values));
});
afterAll(async () => {
  await miniflare?.dispose();
  await libsql?.close();
});

/** Like an export and an import: tables and rows first, then indexes and triggers. */
async function copy(from: Awaited<ReturnType<Miniflare['getD1Database']>>, run: Run): Promise<void> {
  const { results: parts } = await from
    .prepare(
      "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE '\\_%' ESCAPE '\\' AND name NOT LIKE 'sqlite%'",
    )
    .all<{ type: string; name: string; sql: string }>();
  // A table must exist before rows refer to it.
  const tables = parts.filter(({ type }) => type === 'table');
  for (const { sql } of tables) await run(sql, []);
  for (const { name } of tables) {
    const { results } = await from.prepare(`SELECT * FROM ${name}`).all<Record<string, string | number>>();
    for (const row of results) {
      const marks = Object.keys(row).map(() => '?');
      await run(
        `INSERT INTO ${name} (${Object.keys(row).join()}) VALUES (${marks.join()})`,
        Object.values(row),
      );
    }
  }
  for (const { type, sql } of parts) if (type !== 'table') await run(sql, []);
}

async function originOf(isolate: string): Promise<string> {
  return (await miniflare.unsafeGetDirectURL(isolate)).origin;
}

async function send(isolate: string, method: string, path: string, body?: object) {
  return member.write(await originOf(isolate), method, path, body);
}

async function givenToken(): Promise<GivenToken> {
  const origin = await originOf('old');
  if (organisation === undefined || tokens.size % 10 === 0) {
    organisation = await member.givenOrganisation(origin);
  }
  return member.addToken(origin, organisation);
}

/** The status of a call with that secret. `held`: what a gateway says of the call that it holds, at /verify. */
async function call(
  isolate: string,
  secret: string,
  { path = '/v1/ping', address = INSIDE, held = {} } = {},
): Promise<number> {
  const headers = { authorization: `Bearer ${secret}`, 'cf-connecting-ip': address, ...held };
  const answer = await fetch((await originOf(isolate)) + path, { headers });
  await answer.arrayBuffer();
  return answer.status;
}

/** Keeps the isolate warm, makes the change, and returns the statuses of all calls that began after its answer. */
async function callAfter(
  change: () => Promise<unknown>,
  isolate: string,
  secret: string,
): Promise<Set<number>> {
  const progress = { isAnswered: false };
  const late = new Set<number>();
  const calls = async (): Promise<void> => {
    for (let count = 0; count < CALLS;) {
      const isLate = progress.isAnswered;
      if (isLate) count++;
      const status = await call(isolate, secret);
      if (isLate) late.add(status);
      await new Promise((done) => {
        setTimeout(done, PAUSE_MS);
      });
    }
  };
  const all = Promise.all([calls(), calls()]);
  await change();
  progress.isAnswered = true;
  await all;
  return late;
}

async function expectPromise(title: string, writer: string, caller: string): Promise<void> {
  const { path, secret } = tokens.get(title) ?? { path: '', secret: '' };
  expect(await call(caller, secret)).toBe(200);
  const off = await callAfter(() => send(writer, 'PATCH', path, { active: false }), caller, secret);
  expect([...off]).toEqual([401]);
  const on = await callAfter(() => send(writer, 'PATCH', path, { active: true }), caller, secret);
  expect([...on]).toEqual([200]);
}

describe.concurrent('two releases at once: no call is accepted after a deactivation, and none refused after a reactivation', () => {
  it.each(TOGETHER)('%s', { timeout: MINUTES_4 }, expectPromise);
});

describe.concurrent('a value that was replaced: what either release does to it holds at the other', () => {
  it.each(REPLACED)('%s', { timeout: MINUTES_4 }, async (title, present, before) => {
    const { path, secret: old } = tokens.get(title) ?? { path: '', secret: '' };
    const both = async (secret: string) => [await call(present, secret), await call(before, secret)];
    expect(await both(old)).toEqual([200, 200]);
    const rotation: { secret: string } = { secret: '' };
    const rotate = async () => {
      Object.assign(rotation, await send(present, 'POST', `${path}/rotate`, { retire: '24h' }));
    };
    // The release before refuses a value that still works: it cannot know its end. It never accepts one that has ended.
    expect([...(await callAfter(rotate, before, old))]).toEqual([401]);
    const { secret } = rotation;
    expect(await both(old)).toEqual([200, 401]);
    expect(await both(secret)).toEqual([200, 200]);
    // The release before switches the token: both values follow, at both.
    const off = await callAfter(() => send(before, 'PATCH', path, { active: false }), present, old);
    expect([...off]).toEqual([401]);
    expect(await both(secret)).toEqual([401, 401]);
    const on = await callAfter(() => send(before, 'PATCH', path, { active: true }), present, old);
    expect([...on]).toEqual([200]);
    expect(await both(secret)).toEqual([200, 200]);
    const ended = await callAfter(() => send(present, 'POST', `${path}/retire`, {}), present, old);
    expect([...ended]).toEqual([401]);
    expect(await both(old)).toEqual([401, 401]);
    expect(await both(secret)).toEqual([200, 200]);
  });
});

/** What this token's record in KV looks like when each release has written it: one value, or one of each. */
async function recordsOf(secret: string, isolates: string[]): Promise<string[]> {
  const kv = await miniflare.getKVNamespace('TOKEN_CACHE', 'old');
  const key = `t:${sha256(secret)}`;
  const records = new Set<string>();
  for (const isolate of isolates) {
    expect(await call(isolate, secret)).toBe(200);
    await expect.poll(() => kv.get(key), { timeout: 20_000 }).not.toBeNull();
    records.add(String((await kv.get(key)) ?? ''));
  }
  return [...records];
}

/** Makes the change while these records are written to KV again and again, until the calls after it have ended. */
async function callWhileWriting(
  records: string[],
  change: () => Promise<unknown>,
  isolate: string,
  secret: string,
): Promise<number[]> {
  const kv = await miniflare.getKVNamespace('TOKEN_CACHE', 'old');
  const progress = { isOver: false };
  const writing = (async () => {
    for (let turn = 0; !progress.isOver; turn++) {
      await kv.put(`t:${sha256(secret)}`, records[turn % records.length] ?? '');
    }
  })();
  const late = await callAfter(change, isolate, secret);
  progress.isOver = true;
  await writing;
  return [...late];
}

describe.concurrent('a token that is limited: the release before refuses it, and the present one judges it', () => {
  it.each(LIMITED)(
    '%s: from the answer on, whatever either release has written to KV',
    { timeout: MINUTES_4 },
    async (title, present, before) => {
      const { path, secret } = tokens.get(title) ?? { path: '', secret: '' };
      const change = (isolate: string, body: object) => () => send(isolate, 'PATCH', path, body);
      const free = await recordsOf(secret, [before, present]);
      // The release before remembers it as free.
      const narrow = change(present, { networks: [NETWORK] });
      expect(await callWhileWriting(free, narrow, before, secret)).toEqual([401]);
      expect(await call(present, secret)).toBe(200);
      expect(await call(present, secret, { address: OUTSIDE })).toBe(401);
      // The release before reads a record that it does not know.
      const [limited = ''] = await recordsOf(secret, [present]);
      expect(free).not.toContain(limited);
      expect(await call(before, secret)).toBe(401);

      // What the release before does to it holds.
      const off = await callAfter(change(before, { active: false }), present, secret);
      expect([...off]).toEqual([401]);
      const on = await callAfter(change(before, { active: true }), present, secret);
      expect([...on]).toEqual([200]);
      expect(await call(before, secret)).toBe(401);

      // Without limits it works in both again.
      const widen = change(present, { networks: [] });
      expect(await callWhileWriting([limited, ...free], widen, before, secret)).toEqual([200]);
      expect(await call(present, secret, { address: OUTSIDE })).toBe(200);

      // The other direction: the present release remembers it as free.
      expect(await callAfter(change(present, { networks: [NETWORK] }), present, secret)).toEqual(
        new Set([200]),
      );
      expect(await call(present, secret, { address: OUTSIDE })).toBe(401);
      const deleted = await callAfter(() => send(before, 'DELETE', path), present, secret);
      expect([...deleted]).toEqual([401]);
    },
  );

  it.each(LIMITED)(
    '%s: by every limit, and the release before accepts none of these tokens, also alone',
    { timeout: MINUTES_4 },
    async (_, present, before) => {
      const origin = await originOf(before);
      const ping = {};
      const write = {
        path: '/verify',
        held: { 'x-original-method': 'POST', 'x-original-uri': '/v1/events' },
      };
      const limits: [limit: object, asked: object, status: number][] = [
        [{ expiresAt: '2090-01-01T00:00:00Z' }, ping, 200],
        [{ access: 'read' }, ping, 200],
        [{ access: 'read' }, write, 403],
        [{ paths: ['/v1/ping'] }, ping, 200],
        [{ paths: ['/v1/ping'] }, write, 403],
        [{ paths: ['/v1/events'] }, ping, 403],
        [{ networks: [NETWORK] }, ping, 200],
        [{ networks: [NETWORK] }, { address: OUTSIDE }, 401],
        [{ origins: ['https://shop.example'] }, ping, 200],
      ];
      const answered = await Promise.all(
        limits.map(async ([limit, asked]) => {
          const { path, secret } = await member.givenToken(origin);
          expect(await call(before, secret)).toBe(200);
          await send(present, 'PATCH', path, limit);
          const judged = await call(present, secret, asked);
          const statuses = new Set<number>();
          for (let count = 0; count < 5; count++) statuses.add(await call(before, secret));
          expect([...statuses]).toEqual([401]);
          return [limit, asked, judged];
        }),
      );
      expect(answered).toEqual(limits);
    },
  );
});

describe.concurrent('an organisation that is paused: the release before refuses its tokens, and the present one says why', () => {
  it.each(PAUSED)(
    '%s: from the answer on, whatever either release has written to KV',
    { timeout: MINUTES_4 },
    async (_, present, before) => {
      const given = await member.givenToken(await originOf(before));
      const { path, secret } = given;
      const change = (which: 'pause' | 'resume') => () =>
        send(present, 'POST', `/operator/organisations/${given.organisation}/${which}`);
      const free = await recordsOf(secret, [before, present]);
      // The release before remembers it as free.
      expect(await callWhileWriting(free, change('pause'), before, secret)).toEqual([401]);
      expect(await call(present, secret)).toBe(403);
      // What the release before does to its tokens holds, and brings none of them back.
      const off = await callAfter(() => send(before, 'PATCH', path, { active: false }), present, secret);
      expect([...off]).toEqual([401]);
      const on = await callAfter(() => send(before, 'PATCH', path, { active: true }), present, secret);
      expect([...on]).toEqual([403]);
      expect(await call(before, secret)).toBe(401);

      expect(await callWhileWriting(free, change('resume'), before, secret)).toEqual([200]);
      expect(await call(present, secret)).toBe(200);
      // The other direction: the present release remembers it as free.
      expect(await callWhileWriting(free, change('pause'), present, secret)).toEqual([403]);
    },
  );
});

describe.concurrent('another database with the old hubs: no call is accepted after a deactivation, and none refused after a reactivation', () => {
  it.each(MOVED)('%s', { timeout: MINUTES_4 }, (title, isolate) =>
    expectPromise(title, isolate, `${isolate}-2`),
  );
});
