// The end of exposed secrets: the statements alone, what they record, and what the database itself refuses. Run on every kind of
// database.
import { asc, eq, sql } from 'drizzle-orm';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Cause } from '../activity/events.ts';
import type { Db } from '../database.ts';
import { sha256Hex } from '../random.ts';
import { insertOrganisation, insertToken, refusalOf } from '../test/rows.ts';
import { changes, events, replacedSecrets, tokens } from '../tables.ts';
import { updateToken } from './change.ts';
import { endExposed } from './exposure.ts';
import type { Place } from './guards.ts';
import type { Retire } from './retirement.ts';
import { rotateToken } from './rotation.ts';
import type { TokenHash } from './secret.ts';
import { findToken, removeToken } from './store.ts';

const email = 'owner@example.com';
const NOON = Date.parse('2026-06-01T12:00:00.000Z');
const cause = (minutes = 0, actor = email): Cause => ({
  actor,
  requestId: 'r',
  ip: null,
  userAgent: null,
  at: new Date(NOON + minutes * 60_000).toISOString(),
});
const WHERE = 'https://paste.example/1';

let drawn = 0;

/** `open` is called before the first test. */
export function describeExposure(open: () => Promise<Db>): void {
  let db: Db;
  beforeAll(async () => {
    db = await open();
  });

  async function given(active = true) {
    const organisationId = await insertOrganisation(db);
    const place: Place = { organisationId, email };
    const { id, hash } = await insertToken(db, organisationId, active);
    const end = async (secret: TokenHash, minutes = 0, where: string | null = WHERE) => {
      const before = await record();
      const ended = await endExposed(db, [{ hash: secret, where }], 'report', cause(minutes, 'reporter'));
      // Others may write meanwhile, where a test reports the same secret twice at once: those reports write nothing.
      expect(ended.isOnRecord).toBe((await record()).length > before.length);
      return ended.change;
    };
    const rotate = async (retire: Retire, minutes = 0) => {
      // A SHA-256 in hex, of anything.
      const secret = sha256Hex(crypto.randomUUID()) as TokenHash;
      const drawnNow = { hash: secret, preview: `9r${(drawn++).toString(36).padStart(3, '0')}` };
      const rotation = await rotateToken(
        db,
        place,
        id,
        drawnNow,
        { retire, expected: null },
        cause(minutes),
        null,
      );
      expect(rotation.ok).toBe(true);
      return secret;
    };
    const token = async () => {
      const [row] = await findToken(db, id, cause(10).at);
      if (row === undefined) throw new Error('no token');
      return row;
    };
    const record = () =>
      db
        .select({
          action: events.action,
          actor: events.actor,
          preview: events.preview,
          detail: events.detail,
        })
        .from(events)
        .where(eq(events.organisationId, organisationId))
        .orderBy(asc(events.id));
    return { place, id, hash, end, rotate, token, record };
  }

  const head = async () => (await db.select({ seq: sql<number>`max(${changes.seq})` }).from(changes))[0]?.seq;

  describe('a current secret that was exposed', () => {
    it('switches its token off, marks it and is on record, once however often it is reported', async () => {
      const { hash, end, token, record } = await given();
      const before = await token();
      const change = await end(hash);
      expect(change?.hashes).toEqual([hash]);
      expect(change?.head.seq).toBe(await head());
      const marked = { at: cause().at, by: 'report', where: WHERE, paused: true };
      expect(await token()).toEqual({ ...before, active: false, exposed: marked });
      const { preview } = before;
      const expected = [
        { action: 'token.exposed', actor: 'reporter', preview, detail: `report: ${WHERE}` },
        { action: 'token.deactivated', actor: 'reporter', preview, detail: 'exposed' },
      ];
      expect(await record()).toEqual(expected);
      const last = await head();
      expect(await end(hash, 1, 'https://other.example/')).toBeNull();
      expect(await Promise.all([end(hash, 2), end(hash, 3 * 24 * 60)])).toEqual([null, null]);
      expect(await record()).toEqual(expected);
      expect(await head()).toBe(last);
      expect((await token()).exposed).toEqual(marked);
    });

    it('of an inactive token leaves it inactive, with a mark that says so', async () => {
      const { hash, end, token, record } = await given(false);
      expect(await end(hash, 0, null)).toBeNull();
      expect(await token()).toMatchObject({
        active: false,
        exposed: { at: cause().at, by: 'report', where: null, paused: false },
      });
      expect((await record()).map(({ action, detail }) => [action, detail])).toEqual([
        ['token.exposed', 'report'],
      ]);
    });

    it('is found where the token is limited, expired or another one is its neighbour', async () => {
      const { place, id, hash, end, token } = await given();
      const neighbour = await insertToken(db, place.organisationId);
      await updateToken(db, place, id, { access: 'read', expiresAt: cause(1).at }, cause());
      expect((await end(hash, 5))?.hashes).toEqual([hash]);
      expect(await token()).toMatchObject({ active: false, exposed: { paused: true } });
      expect(await findToken(db, neighbour.id)).toMatchObject([{ active: true, exposed: null }]);
    });

    it('takes the retiring one with it, because the token is off', async () => {
      const { hash, end, rotate, token } = await given();
      const current = await rotate('24h');
      expect(new Set((await end(current, 1))?.hashes)).toEqual(new Set([hash, current]));
      expect(await token()).toMatchObject({ active: false, retiring: { until: 'time' } });
    });

    it('is ended among many others, each of which is looked for by its index', async () => {
      const all = await Promise.all([given(), given(), given(false)]);
      const unknown = Array.from({ length: 97 }, (_, n) => ({
        hash: sha256Hex(`unknown ${n}`) as TokenHash,
        where: null,
      }));
      const exposures = [
        ...unknown,
        ...all.map(({ hash }, n) => ({ hash, where: `https://paste.example/${n}` })),
      ];
      const { change } = await endExposed(db, exposures, 'github', cause(0, 'github'));
      expect(new Set(change?.hashes)).toEqual(new Set(all.slice(0, 2).map(({ hash }) => hash)));
      for (const [n, { token, record }] of all.entries()) {
        expect((await token()).exposed).toMatchObject({ by: 'github', where: `https://paste.example/${n}` });
        expect((await record())[0]?.detail).toBe(`github: https://paste.example/${n}`);
      }
    });
  });

  describe('the mark', () => {
    it('is gone when a member switches the token on, and a new report is a new exposure', async () => {
      const { place, id, hash, end, token, record } = await given();
      await end(hash);
      const resumed = await updateToken(db, place, id, { active: true }, cause(1));
      expect(resumed).toMatchObject({ ok: true, token: { active: true, exposed: null } });
      expect(await end(hash, 2)).not.toBeNull();
      expect(await token()).toMatchObject({ active: false, exposed: { at: cause(2).at } });
      expect((await record()).map(({ action }) => action)).toEqual([
        'token.exposed',
        'token.deactivated',
        'token.activated',
        'token.exposed',
        'token.deactivated',
      ]);
    });

    it('stays while the token is renamed or switched off once more', async () => {
      const { place, id, hash, end, token } = await given();
      await end(hash);
      await updateToken(db, place, id, { active: false, name: 'Leaked' }, cause(1));
      expect(await token()).toMatchObject({ name: 'Leaked', active: false, exposed: { paused: true } });
    });

    it('is gone when the secret is replaced at once, and the token is on again if the exposure had switched it off', async () => {
      for (const wasActive of [true, false]) {
        const { hash, end, rotate, token, record } = await given(wasActive);
        await end(hash);
        await rotate('now', 1);
        const shown = await token();
        expect(shown).toMatchObject({ active: wasActive, exposed: null, retiring: null });
        const added = (await record()).slice(wasActive ? 2 : 1);
        expect(
          added.map(({ action, preview, detail }) => [action, preview === shown.preview, detail]),
        ).toEqual([
          ['token.rotated', true, expect.stringContaining(': now')],
          ['token.retired', false, 'now'],
          ...(wasActive ? [['token.activated', true, 'rotated']] : []),
        ]);
      }
    });

    it('stays when the secret is replaced for later, because the exposed one would work again', async () => {
      const { hash, end, rotate, token } = await given();
      await end(hash);
      for (const [minutes, retire] of [['24h'], ['when-silent']].entries())
        await rotate(retire[0] as Retire, minutes + 1);
      expect(await token()).toMatchObject({ active: false, exposed: { paused: true } });
      await rotate('now', 5);
      expect(await token()).toMatchObject({ active: true, exposed: null });
    });

    it('stands only on an inactive token, and whole', async () => {
      const { id } = await given();
      const set = (values: object) => refusalOf(db.update(tokens).set(values).where(eq(tokens.id, id)));
      const mark = { exposedAt: cause().at, exposedBy: 'report' as const };
      expect(await set(mark)).toContain('an exposed token is inactive');
      const off = { active: false };
      for (const broken of [
        { ...off, exposedAt: mark.exposedAt },
        { ...off, exposedBy: mark.exposedBy },
        { ...off, exposedWhere: WHERE },
        { ...off, exposedPaused: true },
        { ...off, ...mark, exposedAt: 'yesterday' },
        { ...off, ...mark, exposedBy: sql`'hearsay'` },
        { ...off, ...mark, exposedWhere: 'x'.repeat(2049) },
      ])
        expect(await set(broken)).toContain('CHECK constraint failed');
      expect(await set({ ...off, ...mark })).toBe('done');
    });
  });

  describe('a replaced secret that was exposed', () => {
    it('is ended if it was retiring; its token goes on with the current one', async () => {
      const { hash, end, rotate, token, record } = await given();
      await rotate('24h');
      const { preview } = (await token()).retiring ?? {};
      const change = await end(hash, 1);
      expect(change?.hashes).toEqual([hash]);
      expect(await token()).toMatchObject({
        active: true,
        exposed: null,
        retiring: null,
        retired: [{ preview, retiredAt: cause(1).at }],
      });
      expect((await record()).slice(1)).toEqual([
        { action: 'token.exposed', actor: 'reporter', preview, detail: `report: ${WHERE}` },
        { action: 'token.retired', actor: 'reporter', preview, detail: 'exposed' },
      ]);
      const last = await head();
      expect(await end(hash, 2)).toBeNull();
      expect(await record()).toHaveLength(3);
      expect(await head()).toBe(last);
    });

    it('changes nothing if it is retired, or if its time has passed, and is on record once in 24 hours', async () => {
      for (const retire of ['now', '1h'] as const) {
        const { hash, end, rotate, token, record } = await given();
        await rotate(retire);
        const [before, written] = [await token(), (await record()).length];
        for (const minutes of [90, 91, 92]) expect(await end(hash, minutes)).toBeNull();
        expect(await token()).toEqual(before);
        const added = (await record()).slice(written);
        expect(added.map(({ action, detail }) => [action, detail])).toEqual([
          ['token.exposed', `report: ${WHERE}`],
        ]);
        expect(await end(hash, 90 + 24 * 60 + 1)).toBeNull();
        expect(await record()).toHaveLength(written + 2);
      }
    });
  });

  it('a secret whose token was deleted changes nothing and is on no record', async () => {
    const { place, id, hash, end, record } = await given();
    await removeToken(db, place, id, cause());
    const [last, written] = [await head(), await record()];
    expect(await end(hash, 1)).toBeNull();
    expect([await head(), await record()]).toEqual([last, written]);
    expect(await db.select().from(replacedSecrets).where(eq(replacedSecrets.tokenId, id))).toEqual([]);
  });
}
