// A database that is full to the last page, in SQLite itself behind a libSQL server. Changes that must work still work,
// and changes that only add rows are refused.
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startLibsqlServer } from '../e2e/libsql-server.ts';
import type { LibsqlServer } from '../e2e/libsql-server.ts';
import { migrateLibsql } from '../scripts/migrate-libsql.ts';
import type { Cause } from './activity/events.ts';
import { createLinkCode, redeemLinkCode } from './sign-in/link-code.ts';
import { countDaily } from './daily-limit.ts';
import type { Db } from './database.ts';
import { openDatabase } from './deployment/database.ts';
import type { Databases } from './verification/source/source.ts';
import { removeMember } from './organisation/members.ts';
import { setPause } from './organisation/pause.ts';
import { removeOrganisation, putOrganisation } from './organisation/register.ts';
import { sha256Hex } from './random.ts';
import { fillReserve, withReserve } from './reserve.ts';
import { storageFailureOf } from './storage-failure.ts';
import { UNLIMITED, insertOrganisation, insertToken } from './test/rows.ts';
import { pruningIn } from './test/pruning.ts';
import type { TokenHash } from './token/secret.ts';
import { updateToken } from './token/change.ts';
import { endExposed } from './token/exposure.ts';
import { switchTogether } from './token/together.ts';
import { addToken, removeToken } from './token/store.ts';
import { prune } from './upkeep/prune.ts';

const EMAIL = 'owner@example.com';
const cause: Cause = {
  actor: EMAIL,
  requestId: 'r',
  ip: null,
  // Rows of some size, so that pages run out.
  userAgent: 'x'.repeat(256),
  at: '2026-01-01T00:00:00.000Z',
};

let server: LibsqlServer;
let databases: Databases;
let db: Db;
const DAY_MS = 24 * 60 * 60 * 1000;
const ORGANISATIONS = 12;
const TOKENS = 10;
let organisations: { id: string; tokens: string[] }[];

beforeAll(async () => {
  server = await startLibsqlServer();
  await migrateLibsql(server.url, server.authToken);
  // D1 is never asked.
  databases = { d1: {} as D1Database, libsql: { url: server.url, authToken: server.authToken } };
  db = await openDatabase(databases);
  organisations = [];
  for (let n = 0; n < ORGANISATIONS; n++) {
    const id = await insertOrganisation(db);
    const tokens: string[] = [];
    for (let each = 0; each < TOKENS; each++) tokens.push((await insertToken(db, id)).id);
    organisations.push({ id, tokens });
  }
  await fillReserve(db);
  server.stopGrowing();
});
afterAll(() => server.close());

const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error: unknown) => storageFailureOf(error),
  );

/** Writes until one more small row does not fit. */
async function fill(): Promise<void> {
  for (const size of [4000, 300, 40]) {
    const row = sql`INSERT INTO events (at, organisation_id, actor, action, token_id, request_id, detail)
      VALUES ('2026-01-01T00:00:00.000Z', hex(randomblob(8)), hex(randomblob(8)), 'sign-in', hex(randomblob(8)), 'r', hex(zeroblob(${size})))`;
    while ((await failureOf(db.run(row) as Promise<unknown>)) === null);
  }
}
const partsLeft = () => server.database.prepare('SELECT count(*) AS n FROM reserve').get([]) as { n: number };

beforeEach(fill);

describe('in a full database', () => {
  it('nothing is added, and a failure has its name', async () => {
    const id = await insertOrganisation(db).catch(() => organisations[0]?.id ?? '');
    const place = { organisationId: id, email: EMAIL };
    const failures = new Set<unknown>();
    for (let n = 0; n < TOKENS; n++) {
      const hash = String(n).padStart(64, '0') as TokenHash;
      const token = {
        id: crypto.randomUUID(),
        hash,
        preview: `9pz0${n}`,
        name: 'x'.repeat(40),
        ...UNLIMITED,
      };
      failures.add(await failureOf(addToken(db, place, token, cause, null)));
    }
    for (let n = 0; n < 100; n++) failures.add(await failureOf(insertOrganisation(db)));
    expect([...failures].filter((failure) => failure !== null)).toEqual(['full']);
  });

  it('every token is switched off, one by one, and then deleted, and each change has its event', async () => {
    const reserved = withReserve(db);
    let refused = 0;
    for (const { id, tokens } of organisations.slice(0, 6)) {
      const place = { organisationId: id, email: EMAIL };
      for (const token of tokens) {
        // Other writes take the space that each change frees.
        await fill();
        if ((await failureOf(updateToken(db, place, token, { active: false }, cause))) === 'full') refused++;
        await updateToken(reserved, place, token, { active: false }, cause);
      }
      for (const token of tokens) await removeToken(reserved, place, token, cause);
      const events = server.database
        .prepare("SELECT count(*) AS n FROM events WHERE organisation_id = ? AND action LIKE 'token.de%'")
        .get([id]);
      expect(events).toMatchObject({ n: 2 * TOKENS });
    }
    expect(refused).toBeGreaterThan(10);
    expect(partsLeft().n).toBeGreaterThan(0);
  });

  it('all tokens of an organisation are switched off together, with an event for each', async () => {
    const reserved = withReserve(db);
    for (const { id, tokens } of organisations.slice(6, 9)) {
      const place = { organisationId: id, email: EMAIL };
      await fill();
      expect(await failureOf(switchTogether(db, place, false, cause))).toBe('full');
      const switched = await switchTogether(reserved, place, false, cause);
      if (!switched.ok) throw new Error(switched.reason);
      expect(switched.switched.map((token) => token.id).toSorted()).toEqual(tokens.toSorted());
      expect(switched.hashes).toHaveLength(TOKENS);
      const events = server.database
        .prepare("SELECT count(*) AS n FROM events WHERE organisation_id = ? AND detail = 'all'")
        .get([id]);
      expect(events).toMatchObject({ n: TOKENS });
    }
  });

  it('tokens whose secrets are reported are switched off and marked, each with its events', async () => {
    for (const { id, tokens } of organisations.slice(11)) {
      await fill();
      // The rows of tests have the hash of their own id.
      const exposures = tokens.map((token) => ({
        hash: sha256Hex(token) as TokenHash,
        where: 'https://a.example/',
      }));
      expect(await failureOf(endExposed(db, exposures, 'report', cause))).toBe('full');
      const { change } = await endExposed(withReserve(db), exposures, 'report', cause);
      expect(change?.hashes).toHaveLength(TOKENS);
      const marked = server.database
        .prepare(
          "SELECT count(*) AS n FROM tokens WHERE organisation_id = ? AND exposed_by = 'report' AND active = 0",
        )
        .get([id]);
      const events = server.database
        .prepare(
          "SELECT count(*) AS n FROM events WHERE organisation_id = ? AND action IN ('token.exposed', 'token.deactivated')",
        )
        .get([id]);
      expect([marked, events]).toMatchObject([{ n: TOKENS }, { n: 2 * TOKENS }]);
    }
  });

  it('organisations are paused, lose their plan, their members and themselves, and a member may sign in to act', async () => {
    const reserved = withReserve(db);
    for (const { id } of organisations.slice(6, 9)) {
      await fill();
      expect(await setPause(reserved, id, true, cause)).toMatchObject({ ok: true });
      await fill();
      expect(await putOrganisation(reserved, { id, name: id, plan: 'pro' }, cause)).toMatchObject({
        ok: true,
      });
      expect(await removeMember(reserved, id, EMAIL, cause)).toEqual({ ok: true });
      expect((await removeOrganisation(reserved, id, cause)).hashes).toHaveLength(TOKENS);
    }
    await fill();
    const code = 'a code';
    const asked = { email: EMAIL, code, browser: 'browser', client: 'client' };
    expect(await createLinkCode(reserved, asked, Date.now())).toEqual({ ok: true, known: true });
    await fill();
    expect(await countDaily(reserved, { kind: 'sign-in', subject: EMAIL, now: Date.now() })).toEqual({
      ok: true,
    });
    const browser = { code: 'browser', session: undefined, newSession: 'a cookie', isKnown: true };
    expect(await redeemLinkCode(reserved, code, browser, cause, Date.now())).toContain('__Host-session=');
  });

  it('the reserve takes the space that there is, where it is less than the reserve lacks', async () => {
    const before = partsLeft().n;
    // Space for eight parts, of which others take the half.
    server.database.exec('DELETE FROM reserve WHERE id IN (SELECT id FROM reserve ORDER BY id DESC LIMIT 8)');
    server.database.exec('CREATE TABLE other AS SELECT zeroblob(4 * 32768) AS filling');
    await fillReserve(db);
    expect(partsLeft().n).toBeGreaterThan(before - 8);
    expect(partsLeft().n).toBeLessThan(before);
    await fill();
    server.database.exec('DROP TABLE other');
    await fillReserve(db);
    expect(partsLeft().n).toBeGreaterThanOrEqual(before - 1);
  });

  it('the pruning frees space and fills the reserve again, and is not stopped while there is none', async () => {
    const before = partsLeft().n;
    expect(before).toBeLessThan(128);
    expect(await prune(pruningIn(databases), Date.now())).toMatchObject({ isDone: true });
    // What little it frees is taken.
    expect(partsLeft().n).toBeGreaterThanOrEqual(before);
    expect(partsLeft().n).toBeLessThan(128);
    // Two days later, so that the rows of `changes` go too: they are not part of the full database that was made above.
    const pruned = await prune(pruningIn(databases, 30), Date.now() + 2 * DAY_MS);
    expect(pruned.removed.events).toBeGreaterThan(100);
    expect(partsLeft().n).toBe(128);
  });
});
