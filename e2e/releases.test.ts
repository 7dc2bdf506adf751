// The promise during a deployment: the previous release (e2e/previous-release/) and the present one run at the same time, on
// one database, one KV and one set of hubs, as while a deployment or a rollback spreads. Other cases, as after a restore or
// a move: isolates use another database, while their hubs still run the other code and read the old database.
import type { Miniflare } from 'miniflare';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keptRelease } from '../scripts/release.ts';
import { startReleases } from './isolates.ts';
import { startLibsqlServer } from './libsql-server.ts';
import type { LibsqlServer } from './libsql-server.ts';
import { inD1, signIn } from './member.ts';
import type { GivenToken, Member, Run } from './member.ts';
import { statusOf } from './ping.ts';

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
  for (const [title] of [...TOGETHER, ...MOVED, ...REPLACED]) tokens.set(title, await givenToken());
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

async function call(isolate: string, secret: string): Promise<number> {
  return statusOf(await originOf(isolate), secret);
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

describe.concurrent('another database with the old hubs: no call is accepted after a deactivation, and none refused after a reactivation', () => {
  it.each(MOVED)('%s', { timeout: MINUTES_4 }, (title, isolate) =>
    expectPromise(title, isolate, `${isolate}-2`),
  );
});
