// The statements alone, without the checks that the routes make first. Membership or plan may change after such a check, so
// each statement must guard by itself. Run on every kind of database.
import { and, eq, sql } from 'drizzle-orm';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Cause } from '../activity/events.ts';
import type { Db } from '../database.ts';
import { UNLIMITED, insertOrganisation, insertToken, refusalOf } from '../test/rows.ts';
import { sha256Hex } from '../random.ts';
import { events, tokens, tokenUsage } from '../tables.ts';
import { recordExposure } from './exposure.ts';
import { updateToken } from './change.ts';
import { countTokens } from '../organisation/store.ts';
import { addToken, removeToken, listTokens } from './store.ts';
import { switchTogether } from './together.ts';
import { listUsage } from './usage.ts';
import type { Place } from './guards.ts';
import type { NewToken } from './store.ts';
import type { TokenHash } from './secret.ts';

const email = 'owner@example.com';
const cause = (): Cause => ({
  actor: email,
  requestId: 'r',
  ip: null,
  userAgent: null,
  at: new Date().toISOString(),
});

function newToken(preview = '9pABC'): NewToken {
  const id = crypto.randomUUID();
  // A SHA-256 in hex, of anything.
  return { id, hash: sha256Hex(id) as TokenHash, preview, name: null, ...UNLIMITED };
}

/** The same database, and the answers of its batches: what a statement read or wrote shows in them. */
function recorded(db: Db): { db: Db; batches: (readonly unknown[])[] } {
  const batches: (readonly unknown[])[] = [];
  const recording = new Proxy(db, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      if (name !== 'batch') return value.bind(target);
      return async (...given: Parameters<Db['batch']>) => {
        const answers: readonly unknown[] = await target.batch(...given);
        batches.push(answers);
        return answers;
      };
    },
  });
  return { db: recording, batches };
}

/** How many rows a statement wrote, as D1 or libSQL says it. */
function rowsWritten(answer: unknown): number | undefined {
  const { meta, rowsAffected } = answer as { meta?: { changes: number }; rowsAffected?: number };
  return meta?.changes ?? rowsAffected;
}

/** `open` is called before the first test. */
export function describeTokens(open: () => Promise<Db>): void {
  let db: Db;
  beforeAll(async () => {
    db = await open();
  });

  async function leftIn(organisation: string) {
    return {
      tokens: await db
        .select({ id: tokens.id, active: tokens.active, name: tokens.name })
        .from(tokens)
        .where(eq(tokens.organisationId, organisation)),
      events: await db
        .select({ action: events.action })
        .from(events)
        .where(eq(events.organisationId, organisation))
        .orderBy(events.id),
    };
  }

  describe.each([
    ['an organisation that left Enterprise', 'pro', [email], 'enterprise-plan-required'],
    ['a member who was removed', 'enterprise', ['other@example.com'], 'organisation-not-found'],
  ] as const)('for %s', (_, plan, emails, reason) => {
    const refused = { ok: false, reason };

    it('no statement shows, makes, changes or deletes anything, or writes an event', async () => {
      const organisation = await insertOrganisation(db, plan, emails);
      const { id } = await insertToken(db, organisation);
      await db.insert(tokenUsage).values({ tokenId: id, hour: 5, accepted: 1, refused: 0 });
      const place: Place = { organisationId: organisation, email };
      const idempotency = { key: 'k', bodyHash: 'b', now: 1 };
      const { db: recording, batches } = recorded(db);
      expect(await listTokens(recording, place)).toEqual(refused);
      // Not even read: the second statement is the one that lists.
      expect(batches[0]?.[1]).toEqual([]);
      expect(await listUsage(db, place, 1)).toEqual([]);
      expect(await addToken(db, place, newToken(), cause(), null)).toEqual(refused);
      expect(await addToken(db, place, newToken(), cause(), idempotency)).toEqual(refused);
      expect(await updateToken(db, place, id, { active: false, name: 'New' }, cause())).toEqual(refused);
      expect(await removeToken(db, place, id, cause())).toEqual(refused);
      for (const active of [false, true])
        expect(await switchTogether(db, place, active, cause())).toEqual(refused);
      expect(await leftIn(organisation)).toEqual({ tokens: [{ id, active: true, name: null }], events: [] });
    });

    it('an organisation with ten tokens records no refusal either', async () => {
      const organisation = await insertOrganisation(db, plan, emails);
      for (let count = 0; count < 10; count++) await insertToken(db, organisation);
      const place = { organisationId: organisation, email };
      expect(await addToken(db, place, newToken(), cause(), null)).toEqual(refused);
      expect((await leftIn(organisation)).events).toEqual([]);
    });
  });

  it('lets the operator list, switch and delete on every plan, in the organisation alone that is named', async () => {
    for (const plan of ['enterprise', 'pro'] as const) {
      const [organisation, other] = [await insertOrganisation(db, plan), await insertOrganisation(db, plan)];
      const { id } = await insertToken(db, organisation);
      const operator = { organisationId: organisation, email: null };
      const elsewhere = { organisationId: other, email: null };
      expect(await listTokens(db, operator)).toMatchObject({ ok: true, tokens: [{ id }] });
      expect(await listTokens(db, elsewhere)).toEqual({ ok: true, tokens: [] });
      const nowhere = { organisationId: `no-${organisation}`, email: null };
      expect(await listTokens(db, nowhere)).toEqual({ ok: false, reason: 'organisation-not-found' });
      for (const wrong of [elsewhere, nowhere]) {
        expect(await updateToken(db, wrong, id, { active: false }, cause())).toMatchObject({ ok: false });
        expect(await removeToken(db, wrong, id, cause())).toMatchObject({ ok: false });
      }
      expect(await leftIn(organisation)).toEqual({ tokens: [{ id, active: true, name: null }], events: [] });
      expect(await updateToken(db, operator, id, { active: false }, cause())).toMatchObject({ ok: true });
      expect(await removeToken(db, operator, id, cause())).toMatchObject({ ok: true });
      expect(await leftIn(organisation)).toEqual({
        tokens: [],
        events: [{ action: 'token.deactivated' }, { action: 'token.deleted' }],
      });
    }
  });

  it('shows only the tokens of this organisation, newest first, and only their calls', async () => {
    const [mine, other] = [await insertOrganisation(db), await insertOrganisation(db)];
    const ids: string[] = [];
    for (const second of [1, 3, 2]) {
      const { id } = await insertToken(db, mine, true, `2026-01-01T00:00:0${second}.000Z`);
      ids.push(id);
    }
    const foreign = await insertToken(db, other);
    await db.insert(tokenUsage).values([
      { tokenId: foreign.id, hour: 5, accepted: 1, refused: 0 },
      { tokenId: ids[0] ?? '', hour: 5, accepted: 2, refused: 3 },
      { tokenId: ids[0] ?? '', hour: 4, accepted: 9, refused: 9 },
    ]);
    const place = { organisationId: mine, email };
    const listed = await listTokens(db, place);
    expect(listed.ok && listed.tokens.map(({ id }) => id)).toEqual([ids[1], ids[2], ids[0]]);
    expect(await listUsage(db, place, 4)).toEqual([{ tokenId: ids[0], at: 5, accepted: 2, refused: 3 }]);
    expect((await countTokens(db, mine))[0]).toEqual({ total: 3, active: 3 });
  });

  it('does not change or delete a token of another organisation, and writes no event', async () => {
    const [mine, other] = [await insertOrganisation(db), await insertOrganisation(db)];
    const { id } = await insertToken(db, other);
    const place = { organisationId: mine, email };
    expect(await updateToken(db, place, id, { active: false, name: 'x' }, cause())).toEqual({
      ok: false,
      reason: 'token-not-found',
    });
    expect(await removeToken(db, place, id, cause())).toMatchObject({ ok: false, reason: 'token-not-found' });
    expect(await leftIn(other)).toEqual({ tokens: [{ id, active: true, name: null }], events: [] });
    expect(await leftIn(mine)).toEqual({ tokens: [], events: [] });
  });

  it('changes and deletes the token that is named, and no other of the organisation', async () => {
    const place = { organisationId: await insertOrganisation(db), email };
    const [one, other] = [
      await insertToken(db, place.organisationId),
      await insertToken(db, place.organisationId),
    ];
    expect(await updateToken(db, place, one.id, { name: 'A' }, cause())).toMatchObject({
      ok: true,
      token: { id: one.id, active: true, name: 'A' },
      hashes: [one.hash],
    });
    expect(await updateToken(db, place, one.id, { active: false }, cause())).toMatchObject({
      ok: true,
      token: { id: one.id, active: false, name: 'A' },
    });
    const untouched = { id: other.id, active: true, name: null };
    expect((await leftIn(place.organisationId)).tokens).toEqual(
      expect.arrayContaining([{ id: one.id, active: false, name: 'A' }, untouched]),
    );
    expect(await removeToken(db, place, one.id, cause())).toMatchObject({ ok: true, hashes: [one.hash] });
    expect(await leftIn(place.organisationId)).toEqual({
      tokens: [untouched],
      events: ['token.renamed', 'token.deactivated', 'token.deleted'].map((action) => ({ action })),
    });
  });

  it('the database itself refuses an eleventh token from every statement', async () => {
    const organisation = await insertOrganisation(db);
    for (let count = 0; count < 10; count++) await insertToken(db, organisation);
    expect(await refusalOf(insertToken(db, organisation))).toContain('token-limit-reached');
    expect((await leftIn(organisation)).tokens).toHaveLength(10);
    await insertToken(db, await insertOrganisation(db));
  });

  it.each(['id', 'organisation_id', 'hash', 'preview', 'created_by', 'created_at'])(
    'the database itself keeps the %s of a token',
    async (column) => {
      const organisation = await insertOrganisation(db);
      const { id } = await insertToken(db, organisation);
      const change = db.run(sql`UPDATE tokens SET ${sql.identifier(column)} = 'other' WHERE id = ${id}`);
      expect(await refusalOf(change)).toContain('a token keeps its identity');
    },
  );

  it('a preview that the organisation already has is refused, and allowed in another organisation', async () => {
    const [one, two] = [await insertOrganisation(db), await insertOrganisation(db)];
    const make = (organisationId: string) =>
      addToken(db, { organisationId, email }, newToken(), cause(), null);
    expect((await make(one)).ok).toBe(true);
    expect(await make(one)).toEqual({ ok: false, reason: 'preview-taken' });
    expect((await make(two)).ok).toBe(true);
    expect((await leftIn(one)).events).toEqual([{ action: 'token.created' }]);
  });

  it('no row replaces a token or an event, and no event gets an earlier number', async () => {
    const place = { organisationId: await insertOrganisation(db), email };
    const { id, hash } = await insertToken(db, place.organisationId);
    await addToken(db, place, newToken('9pOLD'), cause(), null);
    const before = await leftIn(place.organisationId);
    for (const taken of [
      { id, hash: 'f'.repeat(64), preview: '9pNEW' },
      { id: 'new', hash, preview: '9pNEW' },
      { id: 'new', hash: 'f'.repeat(64), preview: '9pOLD' },
    ]) {
      const replaced =
        db.run(sql`REPLACE INTO tokens (id, organisation_id, hash, preview, created_by, created_at)
        VALUES (${taken.id}, ${place.organisationId}, ${taken.hash}, ${taken.preview}, 'x', 'x')`);
      expect(await refusalOf(replaced)).toContain('a token keeps its identity');
    }
    const other = sql`INSERT OR REPLACE INTO events (id, at, actor, action, request_id)`;
    for (const event of [
      sql`${other} SELECT id, at, 'x', 'x', 'x' FROM events WHERE organisation_id = ${place.organisationId}`,
      sql`${other} VALUES (0, '1999', 'x', 'x', 'x')`,
    ]) {
      expect(await refusalOf(db.run(event))).toContain('events are append-only');
    }
    expect(await leftIn(place.organisationId)).toEqual(before);
  });

  it('a change to the present state writes no event and no change for verification', async () => {
    const organisationId = await insertOrganisation(db);
    const { id } = await insertToken(db, organisationId);
    const place = { organisationId, email };
    const { db: recording, batches } = recorded(db);
    const first = await updateToken(recording, place, id, { active: true, name: null }, cause());
    const second = await updateToken(recording, place, id, { active: true }, cause());
    expect(first).toEqual(second);
    expect(batches.map((answers) => answers.slice(0, answers.length - 3).map(rowsWritten))).toEqual([
      // An event for each field, and the change itself.
      [0, 0, 0],
      [0, 0],
    ]);
    expect((await leftIn(organisationId)).events).toEqual([]);
  });

  it('a full organisation is refused as full, even if the preview is taken too', async () => {
    const place = { organisationId: await insertOrganisation(db), email };
    await addToken(db, place, newToken('9pABC'), cause(), null);
    for (let count = 0; count < 9; count++) await insertToken(db, place.organisationId);
    expect(await addToken(db, place, newToken('9pABC'), cause(), null)).toEqual({
      ok: false,
      reason: 'token-limit-reached',
    });
  });

  it('every switch and the deletion move the head of the changes, and a new name does not', async () => {
    const organisationId = await insertOrganisation(db);
    const { id } = await insertToken(db, organisationId);
    const place = { organisationId, email };
    const heads: number[] = [];
    for (const change of [{ name: 'A' }, { active: false }, { name: 'B' }, { active: true, name: 'C' }]) {
      const changed = await updateToken(db, place, id, change, cause());
      heads.push(changed.ok ? changed.head.seq : -1);
    }
    const deleted = await removeToken(db, place, id, cause());
    heads.push(deleted.ok ? deleted.head.seq : -1);
    const start = heads[0] ?? -1;
    expect(heads.map((head) => head - start)).toEqual([0, 1, 1, 2, 3]);
  });

  it('an exposure is recorded once a day for each token, whatever else happened to it', async () => {
    const place = { organisationId: await insertOrganisation(db), email };
    const [one, other] = [
      await insertToken(db, place.organisationId),
      await insertToken(db, place.organisationId, false),
    ];
    const start = Date.UTC(2026, 0, 1);
    const day = 24 * 60 * 60 * 1000;
    const at = (ms: number): Cause => ({ ...cause(), at: new Date(start + ms).toISOString() });
    await updateToken(db, place, one.id, { name: 'A' }, at(0));
    await recordExposure(db, one.hash, at(0));
    await recordExposure(db, other.hash, at(1));
    await recordExposure(db, one.hash, at(day - 1));
    await recordExposure(db, one.hash, at(day));
    const exposed = await db
      .select({ id: events.tokenId, at: events.at, detail: events.detail })
      .from(events)
      .where(and(eq(events.organisationId, place.organisationId), eq(events.action, 'token.exposed')))
      .orderBy(events.id);
    expect(exposed).toEqual([
      { id: one.id, at: at(0).at, detail: 'url' },
      { id: other.id, at: at(1).at, detail: 'url' },
      { id: one.id, at: at(day).at, detail: 'url' },
    ]);
  });

  it('of sixty creates at the same time ten succeed', async () => {
    const place = { organisationId: await insertOrganisation(db), email };
    const previews = Array.from({ length: 60 }, (_, index) => `9p${String(index).padStart(3, '0')}`);
    const made = await Promise.all(
      previews.map((preview) => addToken(db, place, newToken(preview), cause(), null)),
    );
    expect(made.filter(({ ok }) => ok)).toHaveLength(10);
    const left = await leftIn(place.organisationId);
    expect(left.tokens).toHaveLength(10);
    expect(left.events.filter(({ action }) => action === 'token.created')).toHaveLength(10);
    expect(left.events.filter(({ action }) => action === 'token.limit-refused')).toHaveLength(50);
  });

  it('a repeated idempotency key answers the first token and makes no second', async () => {
    const place = { organisationId: await insertOrganisation(db), email };
    const idempotency = { key: 'k', bodyHash: sha256Hex('body'), now: Date.now() };
    const first = await addToken(db, place, newToken('9p111'), cause(), idempotency);
    const second = await addToken(db, place, newToken('9p222'), cause(), idempotency);
    expect(second).toEqual({ ok: false, reason: 'repeated', token: first.ok && first.token, sameBody: true });
    expect((await leftIn(place.organisationId)).tokens).toHaveLength(1);
  });

  it('an idempotency key belongs to one member in one organisation', async () => {
    const colleague = 'colleague@example.com';
    const [here, there] = [
      await insertOrganisation(db, 'enterprise', [email, colleague]),
      await insertOrganisation(db),
    ];
    const make = (place: Place, preview: string, key: string) =>
      addToken(db, place, newToken(preview), cause(), { key, bodyHash: 'b', now: Date.now() });
    expect((await make({ organisationId: here, email }, '9p111', 'k')).ok).toBe(true);
    expect((await make({ organisationId: here, email: colleague }, '9p222', 'k')).ok).toBe(true);
    expect((await make({ organisationId: there, email }, '9p333', 'k')).ok).toBe(true);
    expect((await make({ organisationId: here, email }, '9p444', 'another')).ok).toBe(true);
    expect((await leftIn(here)).tokens).toHaveLength(3);
  });
}
