// Replacing and retiring secrets: the statements alone, what they record, and what the database itself refuses. Run on every kind
// of database.
import { asc, eq, gt, sql } from 'drizzle-orm';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Cause } from '../activity/events.ts';
import type { Db } from '../database.ts';
import { selectStanding } from '../organisation/store.ts';
import { sha256Hex } from '../random.ts';
import { UNLIMITED, insertOrganisation, insertToken, refusalOf } from '../test/rows.ts';
import { changes, events, organisations, replacedSecrets, tokens } from '../tables.ts';
import { recordExposure } from './exposure.ts';
import type { Retire } from './retirement.ts';
import { isAnyDue, retireDue, retireSecret, rotateToken } from './rotation.ts';
import type { TokenHash } from './secret.ts';
import { updateToken } from './change.ts';
import { addToken, listTokens, removeToken } from './store.ts';
import type { Place } from './guards.ts';

const email = 'owner@example.com';
const NOON = '2026-06-01T12:00:00.000Z';
/** So many minutes after noon. */
const at = (minutes: number) => new Date(Date.parse(NOON) + minutes * 60_000).toISOString();
const cause = (minutes = 0): Cause => ({
  actor: email,
  requestId: 'r',
  ip: null,
  userAgent: null,
  at: at(minutes),
});

let drawn = 0;
function newSecret() {
  // A SHA-256 in hex, of anything.
  const hash = sha256Hex(crypto.randomUUID()) as TokenHash;
  return { hash, preview: `9q${(drawn++).toString(36).padStart(3, '0')}` };
}

/** `open` is called before the first test. */
export function describeRotation(open: () => Promise<Db>): void {
  let db: Db;
  beforeAll(async () => {
    db = await open();
  });

  /** A token of an organisation of its own, and what is done to it. */
  async function given() {
    const organisationId = await insertOrganisation(db);
    const place: Place = { organisationId, email };
    const token = await insertToken(db, organisationId);
    const rotate = (
      retire: Retire,
      minutes: number,
      expected: string | null = null,
      key: string | null = null,
    ) => {
      const secret = newSecret();
      const idempotency =
        key === null ? null : { key, bodyHash: sha256Hex(retire), now: Date.parse(at(minutes)) };
      return rotateToken(db, place, token.id, secret, { retire, expected }, cause(minutes), idempotency).then(
        (rotation) => ({ rotation, secret }),
      );
    };
    const shown = async (minutes: number) => {
      const listed = await listTokens(db, place, at(minutes));
      return listed.ok ? listed.tokens.find(({ id }) => id === token.id) : undefined;
    };
    const [head] = await selectStanding(db, organisationId, email);
    /** The secrets with a change since this was made, in order. */
    const changed = async () =>
      (
        await db
          .select({ hash: changes.tokenHash })
          .from(changes)
          .where(gt(changes.seq, head?.head.seq ?? 0))
          .orderBy(asc(changes.seq))
      ).map(({ hash }) => hash);
    const recorded = () =>
      db
        .select({ action: events.action, preview: events.preview, detail: events.detail })
        .from(events)
        .where(eq(events.organisationId, organisationId))
        .orderBy(asc(events.id));
    return { place, token, rotate, shown, changed, recorded };
  }

  describe('replacing a secret', () => {
    it.each([
      ['now', null],
      ['1h', { retiresAt: at(60), until: 'time' }],
      ['24h', { retiresAt: at(24 * 60), until: 'time' }],
      ['7d', { retiresAt: at(7 * 24 * 60), until: 'time' }],
      ['when-silent', { retiresAt: at(7 * 24 * 60), until: 'silent' }],
    ] as const)(
      '%s: the token keeps its id and its place, and shows what becomes of the old value',
      async (retire, end) => {
        const { token, rotate, shown, changed, recorded } = await given();
        const before = await shown(0);
        await db
          .update(tokens)
          .set({ lastUsedAt: at(-5) })
          .where(eq(tokens.id, token.id));
        const { rotation, secret } = await rotate(retire, 0);
        const old = { preview: before?.preview, lastUsedAt: at(-5) };
        const expected = {
          ...before,
          preview: secret.preview,
          lastUsedAt: null,
          retiring: end === null ? null : { ...old, ...end },
          retired: end === null ? [{ ...old, retiredAt: NOON }] : [],
        };
        expect(rotation).toMatchObject({ ok: true, token: expected, hashes: [token.hash] });
        expect(await shown(0)).toEqual(expected);
        expect(await changed()).toEqual([token.hash, secret.hash]);
        expect(await recorded()).toEqual([
          { action: 'token.rotated', preview: secret.preview, detail: `${before?.preview}: ${retire}` },
          ...(end === null ? [{ action: 'token.retired', preview: before?.preview, detail: 'now' }] : []),
        ]);
      },
    );

    it('works at ten tokens, and for an inactive token, which stays inactive', async () => {
      const { place, token, rotate, shown } = await given();
      for (let count = 1; count < 10; count++) await insertToken(db, place.organisationId);
      await updateToken(db, place, token.id, { active: false }, cause());
      expect((await rotate('24h', 0)).rotation).toMatchObject({ ok: true, token: { active: false } });
      expect((await shown(0))?.active).toBe(false);
    });

    it('retires the older secret at once when one is retiring, and there are never three', async () => {
      const { token, rotate, shown, changed, recorded } = await given();
      const first = await shown(0);
      const { secret: second } = await rotate('24h', 0);
      const { rotation, secret: third } = await rotate('1h', 10);
      expect(rotation).toMatchObject({ ok: true, hashes: [second.hash, token.hash] });
      expect(await shown(10)).toMatchObject({
        preview: third.preview,
        retiring: { preview: second.preview, retiresAt: at(70) },
        retired: [{ preview: first?.preview, retiredAt: at(10) }],
      });
      expect(await changed()).toEqual([token.hash, second.hash, token.hash, second.hash, third.hash]);
      expect((await recorded()).slice(1)).toEqual([
        { action: 'token.retired', preview: first?.preview, detail: 'replaced' },
        { action: 'token.rotated', preview: third.preview, detail: `${second.preview}: 1h` },
      ]);
    });

    it('records that a secret whose time had passed ended at that time, and not that it was replaced', async () => {
      const { rotate, shown, recorded } = await given();
      const first = await shown(0);
      await rotate('1h', 0);
      await rotate('1h', 90);
      expect((await shown(90))?.retired).toEqual([
        { preview: first?.preview, retiredAt: at(60), lastUsedAt: null },
      ]);
      expect((await recorded())[1]).toEqual({
        action: 'token.retired',
        preview: first?.preview,
        detail: 'time',
      });
    });

    it('is done once for two members who do it at the same time, and the second one is refused with nothing changed', async () => {
      const { rotate, shown, changed, recorded } = await given();
      const results = await Promise.all([rotate('1h', 0), rotate('now', 0), rotate('24h', 0)]);
      const done = results.filter(({ rotation }) => rotation.ok);
      expect(done).toHaveLength(1);
      const preview = done[0]?.secret.preview;
      const refused = results.map(({ rotation }) => rotation).filter(({ ok }) => !ok);
      const told = { ok: false, reason: 'secret-changed', preview, isLate: true };
      expect(refused).toEqual([told, told]);
      expect((await rotate('now', 0.2)).rotation).toMatchObject({ reason: 'secret-changed', isLate: true });
      expect((await shown(0))?.preview).toBe(preview);
      expect(await changed()).toHaveLength(2);
      expect((await recorded()).filter(({ action }) => action === 'token.rotated')).toHaveLength(1);
      expect((await rotate('now', 0.3)).rotation.ok).toBe(true);
    });

    it('is refused for any secret but the one that the member saw', async () => {
      const { rotate, shown, changed } = await given();
      const preview = (await shown(0))?.preview ?? '';
      const refused = { ok: false, reason: 'secret-changed', preview, isLate: false };
      expect((await rotate('now', 0, '9pZZZ')).rotation).toEqual(refused);
      expect(await changed()).toEqual([]);
      expect((await rotate('now', 0, preview)).rotation.ok).toBe(true);
      expect((await rotate('now', 10, preview)).rotation).toMatchObject({ reason: 'secret-changed' });
    });

    it('makes no second secret under the same key, and says whether the body was the same', async () => {
      const { rotate, shown, changed, recorded } = await given();
      const { rotation, secret } = await rotate('24h', 0, null, 'k');
      expect(rotation.ok).toBe(true);
      const repeated = { ok: false, reason: 'repeated', usedAt: Date.parse(NOON) };
      expect((await rotate('24h', 0, null, 'k')).rotation).toMatchObject({
        ...repeated,
        sameBody: true,
        token: { preview: secret.preview, retiring: { retiresAt: at(24 * 60) } },
      });
      expect((await rotate('now', 30, null, 'k')).rotation).toMatchObject({ ...repeated, sameBody: false });
      expect((await shown(30))?.preview).toBe(secret.preview);
      expect(await changed()).toHaveLength(2);
      expect(await recorded()).toHaveLength(1);
    });

    it('draws again where the preview is taken: by a token, a retiring secret or a retired one', async () => {
      const { place, token, rotate, shown } = await given();
      const first = (await shown(0))?.preview ?? '';
      const { secret: second } = await rotate('now', 0);
      await rotate('24h', 1);
      const other = await insertToken(db, place.organisationId);
      const [row] = await db.select({ preview: tokens.preview }).from(tokens).where(eq(tokens.id, other.id));
      for (const preview of [first, second.preview, row?.preview ?? '']) {
        const hash = newSecret().hash;
        const wanted = { retire: 'now', expected: null } as const;
        expect(await rotateToken(db, place, token.id, { hash, preview }, wanted, cause(9), null)).toEqual({
          ok: false,
          reason: 'preview-taken',
        });
        const made = { id: crypto.randomUUID(), hash, preview, name: null, ...UNLIMITED };
        expect(await addToken(db, place, made, cause(9), null)).toEqual({
          ok: false,
          reason: 'preview-taken',
        });
        await expect(
          refusalOf(
            db.insert(tokens).values({
              ...made,
              organisationId: place.organisationId,
              active: true,
              createdBy: email,
              createdAt: NOON,
            }),
          ),
        ).resolves.toContain('keeps its identity');
      }
    });

    it.each([
      ['a token that is gone', 'token-not-found'],
      ['a token of another organisation', 'token-not-found'],
      ['an organisation that left Enterprise', 'enterprise-plan-required'],
      ['a stranger', 'organisation-not-found'],
    ])('changes nothing for %s', async (who, reason) => {
      const { place, token, changed, recorded } = await given();
      const id =
        who === 'a token that is gone'
          ? crypto.randomUUID()
          : who === 'a token of another organisation'
            ? (await insertToken(db, await insertOrganisation(db))).id
            : token.id;
      const there = who === 'a stranger' ? { ...place, email: 'stranger@example.com' } : place;
      if (reason === 'enterprise-plan-required')
        await db.update(organisations).set({ plan: 'pro' }).where(eq(organisations.id, place.organisationId));
      const before = await changed();
      const wanted = { retire: 'now', expected: null } as const;
      const idempotency = { key: 'k', bodyHash: 'b', now: 1 };
      for (const key of [null, idempotency])
        expect(await rotateToken(db, there, id, newSecret(), wanted, cause(), key)).toEqual({
          ok: false,
          reason,
        });
      expect(await retireSecret(db, there, id, null, cause())).toEqual({ ok: false, reason });
      expect(await changed()).toEqual(before);
      expect(await recorded()).toEqual([]);
    });
  });

  describe('ending the retiring secret', () => {
    it('retires it now, once, and still shows its preview and last use', async () => {
      const { place, token, rotate, shown, changed, recorded } = await given();
      const first = await shown(0);
      const { secret } = await rotate('24h', 0);
      const end = (minutes: number) => retireSecret(db, place, token.id, null, cause(minutes));
      const ended = { ok: true, hash: token.hash, changedAt: at(5) };
      expect(await end(5)).toMatchObject({ ...ended, token: { retiring: null } });
      expect(await end(6)).toMatchObject(ended);
      expect((await shown(6))?.retired).toEqual([
        { preview: first?.preview, retiredAt: at(5), lastUsedAt: null },
      ]);
      expect(await changed()).toEqual([token.hash, secret.hash, token.hash]);
      expect((await recorded()).slice(1)).toEqual([
        { action: 'token.retired', preview: first?.preview, detail: 'now' },
      ]);
    });

    it('changes nothing where no secret was ever replaced, or another one is retiring than the member saw', async () => {
      const { place, token, rotate, shown, changed } = await given();
      expect(await retireSecret(db, place, token.id, null, cause())).toMatchObject({ ok: true, hash: null });
      const first = (await shown(0))?.preview ?? '';
      expect(await retireSecret(db, place, token.id, first, cause())).toEqual({
        ok: false,
        reason: 'secret-changed',
        preview: null,
      });
      const { secret } = await rotate('24h', 0);
      expect(await retireSecret(db, place, token.id, secret.preview, cause(1))).toEqual({
        ok: false,
        reason: 'secret-changed',
        preview: first,
      });
      expect((await shown(1))?.retiring?.preview).toBe(first);
      expect(await changed()).toHaveLength(2);
      expect(await retireSecret(db, place, token.id, first, cause(1))).toMatchObject({ ok: true });
    });
  });

  describe('a change of the token changes both secrets', () => {
    it('a switch, a change of plan and a deletion each write a change for the retiring one, and none for a retired one', async () => {
      const { place, token, rotate, changed } = await given();
      await rotate('now', 0);
      const { secret: third } = await rotate('1h', 1);
      const [second] = await db
        .select({ hash: replacedSecrets.hash })
        .from(replacedSecrets)
        .where(sql`token_id = ${token.id} AND retired_at IS NULL`);
      const both = [second?.hash, third.hash].toSorted();
      const count = (await changed()).length;
      const since = async (from: number) => (await changed()).slice(from).toSorted();
      const switched = await updateToken(db, place, token.id, { active: false }, cause(2));
      expect(switched.ok && switched.hashes.toSorted()).toEqual(both);
      expect(await since(count)).toEqual(both);
      await db.update(organisations).set({ plan: 'pro' }).where(eq(organisations.id, place.organisationId));
      expect(await since(count + 2)).toEqual(both);
      await db
        .update(organisations)
        .set({ plan: 'enterprise' })
        .where(eq(organisations.id, place.organisationId));
      const removed = await removeToken(db, place, token.id, cause(3));
      expect(removed.ok && removed.hashes.toSorted()).toEqual(both);
      expect(await since(count + 6)).toEqual(both);
      expect(await db.select().from(replacedSecrets).where(eq(replacedSecrets.tokenId, token.id))).toEqual(
        [],
      );
    });

    it('an exposure names the secret that was exposed, a retired one as well', async () => {
      const { token, rotate, shown, recorded } = await given();
      const first = await shown(0);
      await rotate('now', 0);
      await recordExposure(db, token.hash, cause(1));
      expect((await recorded()).at(-1)).toMatchObject({ action: 'token.exposed', preview: first?.preview });
    });
  });

  describe('the end of a secret', () => {
    const retireAt = (minutes: number, before?: string) =>
      retireDue(
        db,
        before === undefined ? { reason: 'time' } : { reason: 'silent', before },
        cause(minutes),
        500,
      );

    it('is shown from its time on, and written once even if the upkeep runs again', async () => {
      const { token, rotate, shown, changed, recorded } = await given();
      await rotate('1h', 0);
      expect((await shown(59.9))?.retiring).not.toBeNull();
      expect(await shown(60)).toMatchObject({ retiring: null, retired: [{ retiredAt: at(60) }] });
      await retireAt(59.9);
      expect((await recorded()).map(({ action }) => action)).toEqual(['token.rotated']);
      const count = (await changed()).length;
      await Promise.all([retireAt(75), retireAt(75), retireAt(80)]);
      expect((await recorded()).slice(1)).toMatchObject([{ action: 'token.retired', detail: 'time' }]);
      expect((await changed()).slice(count).filter((hash) => hash === token.hash)).toHaveLength(1);
      expect(await shown(80)).toMatchObject({ retiring: null, retired: [{ retiredAt: at(60) }] });
    });

    it.each([
      ['silent for an hour, and the new one was used', 'when-silent', -5, 10, true],
      ['never used, and replaced an hour ago', 'when-silent', null, 10, true],
      ['used within the hour', 'when-silent', 31, 10, false],
      ['silent, but the new one was never used', 'when-silent', -5, null, false],
      ['not to end by silence', '24h', -5, 10, false],
    ] as const)('by silence, at 90 minutes: %s', async (_, retire, used, successor, isRetired) => {
      const { token, rotate, shown, recorded } = await given();
      await rotate(retire, 0);
      await db
        .update(replacedSecrets)
        .set({
          lastUsedAt: used === null ? null : at(used),
          successorUsedAt: successor === null ? null : at(successor),
        })
        .where(eq(replacedSecrets.hash, token.hash));
      expect(await isAnyDue(db, { reason: 'silent', before: at(30) }, at(90))).toBe(isRetired);
      await retireAt(90, at(30));
      await retireAt(91, at(31));
      expect((await shown(90))?.retiring === null).toBe(isRetired);
      expect((await recorded()).slice(1).map(({ detail }) => detail)).toEqual(isRetired ? ['silent'] : []);
      // Nothing is left for the next case.
      await retireAt(60 * 24 * 8);
    });

    it('comes after seven days at the latest', async () => {
      const { rotate, shown, recorded } = await given();
      await rotate('when-silent', 0);
      await retireAt(7 * 24 * 60);
      expect((await shown(7 * 24 * 60))?.retired).toMatchObject([{ retiredAt: at(7 * 24 * 60) }]);
      expect((await recorded()).at(-1)).toMatchObject({ action: 'token.retired', detail: 'time' });
    });

    it('shows the newest ten of the secrets that have ended', async () => {
      const { rotate, shown } = await given();
      const previews: (string | undefined)[] = [(await shown(0))?.preview];
      for (let count = 0; count < 12; count++) previews.push((await rotate('now', count)).secret.preview);
      expect((await shown(12))?.retired.map(({ preview }) => preview)).toEqual(
        previews.toReversed().slice(1, 11),
      );
    });
  });

  describe('the database itself', () => {
    const put = (row: Partial<typeof replacedSecrets.$inferInsert>, verb = sql`INSERT`) =>
      refusalOf(
        db.run(
          sql`${verb} INTO replaced_secrets (hash, token_id, organisation_id, preview, replaced_at, retires_at, until) VALUES (${row.hash}, ${row.tokenId}, ${row.organisationId}, ${row.preview}, ${NOON}, ${row.retiresAt ?? NOON}, 'time')`,
        ),
      );

    it('accepts as replaced only the present secret of the token, and only once', async () => {
      const { place, token, rotate, shown } = await given();
      const own = {
        hash: token.hash,
        tokenId: token.id,
        organisationId: place.organisationId,
        preview: (await shown(0))?.preview ?? '',
      };
      const other = await insertToken(db, place.organisationId);
      for (const row of [
        { ...own, hash: newSecret().hash },
        { ...own, preview: '9pZZZ' },
        { ...own, tokenId: other.id },
        { ...own, organisationId: 'another' },
      ])
        expect(await put(row)).toContain('keeps its identity');
      expect(await put({ ...own, retiresAt: 'tomorrow' })).toMatch(/constraint/i);
      await rotate('24h', 0);
      expect(await put(own, sql`REPLACE`)).toContain('keeps its identity');
    });

    it('gives a token a new secret only after the present one was added to the replaced ones, and never a replaced one', async () => {
      const { token, rotate } = await given();
      const here = eq(tokens.id, token.id);
      const { secret } = await rotate('now', 0);
      const { hash, preview } = newSecret();
      for (const change of [{ hash }, { hash, preview }, { preview }])
        expect(await refusalOf(db.update(tokens).set(change).where(here))).toContain('keeps its identity');
      await rotate('now', 1);
      for (const old of [token.hash, secret.hash])
        expect(await refusalOf(db.update(tokens).set({ hash: old }).where(here))).toContain(
          'keeps its identity',
        );
    });

    it('never brings back, prolongs or changes a retired secret', async () => {
      const { token, rotate } = await given();
      await rotate('1h', 0);
      const here = eq(replacedSecrets.hash, token.hash);
      const set = (change: Partial<typeof replacedSecrets.$inferInsert>) =>
        refusalOf(db.update(replacedSecrets).set(change).where(here));
      for (const change of [
        { retiresAt: at(600) },
        { preview: '9pZZZ' },
        { tokenId: 'another' },
        { organisationId: 'another' },
        { until: 'silent' as const },
        { replacedAt: at(1) },
        { hash: newSecret().hash },
      ])
        expect(await set(change)).toContain('keeps its identity');
      expect(await set({ retiredAt: at(5) })).toBe('done');
      for (const retiredAt of [null, at(600)])
        expect(await set({ retiredAt })).toContain('keeps its identity');
    });
  });
}
