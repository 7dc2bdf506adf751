// The statements for limited tokens: what the stores write and refuse, what verification reads, and what the database itself refuses.
// Run on every kind of database.
import { asc, eq, gt, sql } from 'drizzle-orm';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Cause } from '../activity/events.ts';
import type { Db } from '../database.ts';
import { selectStanding } from '../organisation/store.ts';
import { sha256Hex } from '../random.ts';
import { UNLIMITED, insertOrganisation, insertToken, refusalOf } from '../test/rows.ts';
import { changes, events, organisations, refusedAddresses, replacedSecrets, tokens } from '../tables.ts';
import type { HubSource } from '../verification/record.ts';
import { recordExposure } from './exposure.ts';
import type { Place } from './guards.ts';
import { parseNetwork } from './network.ts';
import { retireSecret, rotateToken } from './rotation.ts';
import type { TokenHash } from './secret.ts';
import { updateToken } from './change.ts';
import type { TokenChange } from './change.ts';
import { addToken, removeToken } from './store.ts';
import type { TokenFields } from './store.ts';

const email = 'owner@example.com';
const NOON = '2026-06-01T12:00:00.000Z';
const END = '2030-01-01T00:00:00.000Z';
const OFFICE = '203.0.113.0/24';
const SHOP = 'https://shop.example';
const cause: Cause = { actor: email, requestId: 'r', ip: null, userAgent: null, at: NOON };
const FREE = { access: 'full', paths: [], networks: [], origins: [] };

/** The whole of what the release before limits asks about a hash. */
const BEFORE_LIMITS = (hash: string) => sql`SELECT t.id AS id FROM (SELECT ${hash} AS asked)
  LEFT JOIN replaced_secrets AS s ON s.hash = asked
  JOIN tokens AS t ON t.id = coalesce(s.token_id, (SELECT id FROM tokens WHERE hash = asked))`;

// A SHA-256 in hex, of anything.
const newHash = () => sha256Hex(crypto.randomUUID()) as TokenHash;

let drawn = 0;
const newPreview = () => `9l${(drawn++).toString(36).padStart(3, '0')}`;

/** `open` is called before the first test. */
export function describeLimits(open: () => Promise<{ db: Db; source: HubSource }>): void {
  let db: Db;
  let source: HubSource;
  beforeAll(async () => ({ db, source } = await open()));

  const holderOf = async (hash: TokenHash) => (await source.read([hash])).get(hash)?.holder;
  const isKnownToTheReleaseBefore = async (hash: TokenHash) => (await db.all(BEFORE_LIMITS(hash))).length > 0;

  /** A token of an organisation of its own, whose first secret is retiring, and what is done to it. */
  async function given(fields: Partial<TokenFields> = {}) {
    const organisationId = await insertOrganisation(db);
    const place: Place = { organisationId, email };
    const [id, old, hash] = [crypto.randomUUID(), newHash(), newHash()];
    const token = { ...UNLIMITED, name: 'Website', ...fields, id, hash: old, preview: newPreview() };
    expect((await addToken(db, place, token, cause, null)).ok).toBe(true);
    const wanted = { retire: '7d', expected: null } as const;
    const secret = { hash, preview: newPreview() };
    expect((await rotateToken(db, place, id, secret, wanted, cause, null)).ok).toBe(true);
    const [start] = await selectStanding(db, organisationId, email);
    return {
      place,
      id,
      old,
      hash,
      change: (change: TokenChange) => updateToken(db, place, id, change, cause),
      /** The secrets with a change since this was made, in order. */
      changed: async () => {
        const rows = await db
          .select({ hash: changes.tokenHash })
          .from(changes)
          .where(gt(changes.seq, start?.head.seq ?? 0))
          .orderBy(asc(changes.seq));
        return rows.map((row) => row.hash);
      },
      recorded: async () => {
        const rows = await db
          .select({ action: events.action, detail: events.detail })
          .from(events)
          .where(eq(events.organisationId, organisationId))
          .orderBy(asc(events.id));
        // Without those of its making and of its rotation.
        return rows.slice(2).map(({ action, detail }) => [action, detail]);
      },
    };
  }

  const LIMITED: [TokenChange, object, string, string][] = [
    [{ access: 'read' }, { limits: { ...FREE, access: 'read' } }, 'token.narrowed', 'read only'],
    [
      { paths: ['/v1/a', '/v1/b'] },
      { limits: { ...FREE, paths: ['/v1/a', '/v1/b'] } },
      'token.narrowed',
      '/v1/a, /v1/b',
    ],
    [
      { networks: [OFFICE] },
      { limits: { ...FREE, networks: [parseNetwork(OFFICE)] } },
      'token.networks-changed',
      OFFICE,
    ],
    [{ origins: [SHOP] }, { limits: { ...FREE, origins: [SHOP] } }, 'token.origins-changed', SHOP],
    [{ expiresAt: END }, { expiresAt: Date.parse(END) }, 'token.expiry-changed', END],
  ];

  describe('a limit', () => {
    it.each(LIMITED)(
      'of %j is read by verification, recorded, and unknown to the release before',
      async (change, read, action, detail) => {
        const { change: set, place, id, old, hash, changed, recorded } = await given();
        const free = { tokenId: id, organisationId: place.organisationId, plan: 'enterprise', active: true };
        const retiresAt = Date.parse(NOON) + 7 * 86_400_000;
        const set1 = await set(change);
        expect(set1).toMatchObject({ ok: true, token: change });
        expect(new Set(set1.ok ? set1.hashes : [])).toEqual(new Set([old, hash]));
        expect(await holderOf(hash)).toEqual({ ...free, ...read });
        // The secret that retires sooner ends sooner.
        expect(await holderOf(old)).toEqual({ ...free, ...read, expiresAt: retiresAt });
        expect((await changed()).toSorted()).toEqual([hash, old].toSorted());
        expect(await recorded()).toEqual([[action, detail]]);
        for (const each of [old, hash]) expect(await isKnownToTheReleaseBefore(each)).toBe(false);
        expect(await set(change)).toEqual(set1);
        expect(await recorded()).toHaveLength(1);
      },
    );

    it.each(LIMITED)(
      'of %j stands from the first moment where a token is made with it',
      async (fields, read) => {
        const { id, old, hash } = await given(fields as TokenFields);
        expect(await holderOf(hash)).toMatchObject({ tokenId: id, ...read });
        for (const each of [old, hash]) expect(await isKnownToTheReleaseBefore(each)).toBe(false);
      },
    );

    it.each(LIMITED.slice(2))('of %j can be removed completely', async (change) => {
      const { change: set, old, hash, changed } = await given(change as TokenFields);
      const free = { ...UNLIMITED, access: 'full' } as const;
      expect(await set(free)).toMatchObject({ ok: true, token: free });
      expect(Object.keys((await holderOf(hash)) ?? {})).toEqual([
        'tokenId',
        'organisationId',
        'plan',
        'active',
      ]);
      expect((await changed()).toSorted()).toEqual([hash, old].toSorted());
      for (const each of [old, hash]) expect(await isKnownToTheReleaseBefore(each)).toBe(true);
    });

    it('of several kinds is recorded kind by kind, in one change', async () => {
      const { change, recorded } = await given();
      const all = {
        access: 'read',
        paths: ['/v1/a'],
        networks: [OFFICE],
        origins: [SHOP],
        expiresAt: END,
      } as const;
      const lists = { paths: [...all.paths], networks: [...all.networks], origins: [...all.origins] };
      expect(await change({ ...all, ...lists })).toMatchObject({ ok: true, token: all });
      expect(await recorded()).toEqual([
        ['token.expiry-changed', END],
        ['token.narrowed', 'read only; /v1/a'],
        ['token.networks-changed', OFFICE],
        ['token.origins-changed', SHOP],
      ]);
      expect(await change({ networks: [], origins: [], expiresAt: null })).toMatchObject({ ok: true });
      expect((await recorded()).slice(4)).toEqual([
        ['token.expiry-changed', 'never'],
        ['token.networks-changed', 'any'],
        ['token.origins-changed', 'any'],
      ]);
    });
  });

  it('an end in the past is refused, and nothing is changed', async () => {
    const { change, changed, recorded, id } = await given();
    const past = { expiresAt: cause.at, active: false, name: 'Other', networks: [OFFICE] };
    expect(await change(past)).toEqual({ ok: false, reason: 'past' });
    expect([await changed(), await recorded()]).toEqual([[], []]);
    const [row] = await db.select().from(tokens).where(eq(tokens.id, id));
    expect(row).toMatchObject({ expiresAt: null, active: true, name: 'Website', networks: [] });
  });

  describe('access and paths', () => {
    it.each([
      [{ access: 'read' }, { access: 'full' }, 'access'],
      [{ paths: ['/v1/a'] }, { paths: [] }, 'paths'],
      [{ paths: ['/v1/a'] }, { paths: ['/v1/a', '/v1/b'] }, 'paths'],
      [{ paths: ['/v1/a/b'] }, { paths: ['/v1/a'] }, 'paths'],
      [{ paths: ['/v1/a'] }, { paths: ['/v1/ab'] }, 'paths'],
    ] as [TokenChange, TokenChange, string][])('%j never become %j', async (before, wider, field) => {
      const { change, changed, recorded, id } = await given(before as TokenFields);
      const refused = await change({ ...wider, active: false, name: 'Other', networks: [OFFICE] });
      expect(refused).toEqual({ ok: false, reason: 'wider', field });
      expect([await changed(), await recorded()]).toEqual([[], []]);
      const [row] = await db.select().from(tokens).where(eq(tokens.id, id));
      expect(row).toMatchObject({ ...before, active: true, name: 'Website', networks: [] });
      const byHand = db.update(tokens).set(wider).where(eq(tokens.id, id));
      expect(await refusalOf(byHand)).toContain('only narrowed');
    });

    it('can be narrowed again and again', async () => {
      const { change } = await given({ paths: ['/v1/a', '/v1/b'] });
      for (const paths of [['/v1/a', '/v1/b/c'], ['/v1/a'], ['/v1/a/b', '/v1/a/c']])
        expect(await change({ paths })).toMatchObject({ ok: true, token: { paths } });
      expect(await change({ access: 'read' })).toMatchObject({ ok: true, token: { access: 'read' } });
    });
  });

  describe('a limited token', () => {
    it('is switched, replaced, ended and deleted like another one, each time with a change of its secrets', async () => {
      const { place, change, id, old, hash, changed } = await given({ access: 'read' });
      await change({ active: false });
      expect((await holderOf(hash))?.active).toBe(false);
      await change({ active: true });
      // The Worker of before looks for the change by the hash as the token has it.
      const again = [hash, hash.toUpperCase()];
      expect((await changed()).toSorted()).toEqual([...again, ...again, old, old].toSorted());
      expect((await retireSecret(db, place, id, null, cause)).ok).toBe(true);
      expect((await holderOf(old))?.active).toBe(false);
      const secret = { hash: newHash(), preview: newPreview() };
      const later = { ...cause, at: '2026-06-01T13:00:00.000Z' };
      const wanted = { retire: '1h', expected: null } as const;
      const rotation = await rotateToken(db, place, id, secret, wanted, later, null);
      expect(rotation).toMatchObject({ ok: true, hashes: [hash] });
      expect(await holderOf(secret.hash)).toMatchObject({ limits: { access: 'read' } });
      expect(await holderOf(hash)).toMatchObject({ limits: { access: 'read' }, active: true });
      await db.update(organisations).set({ plan: 'pro' }).where(eq(organisations.id, place.organisationId));
      await db
        .update(organisations)
        .set({ plan: 'enterprise' })
        .where(eq(organisations.id, place.organisationId));
      const removed = await removeToken(db, place, id, cause);
      expect(removed).toMatchObject({ ok: true });
      expect(removed.ok && removed.hashes).toEqual([secret.hash, hash]);
      // Their calls are counted for 90 days.
      for (const each of [old, hash, secret.hash])
        expect(await holderOf(each)).toMatchObject({ tokenId: id, active: false });
      const told = (await changed()).filter((each) => each === each.toLowerCase());
      expect(told.slice(-2).toSorted()).toEqual([hash, secret.hash].toSorted());
    });

    it('counts its calls and its last uses', async () => {
      const { id, old, hash } = await given({ networks: [OFFICE] });
      const usedAt = '2026-06-01T12:30:00.000Z';
      const row = { tokenId: id, hour: 9, accepted: 1, refused: 0, usedAt };
      await source.addUsage([
        { ...row, hash },
        { ...row, hash: old },
      ]);
      const [token] = await db.select().from(tokens).where(eq(tokens.id, id));
      const [replaced] = await db.select().from(replacedSecrets).where(eq(replacedSecrets.tokenId, id));
      expect([token?.lastUsedAt, replaced?.lastUsedAt, replaced?.successorUsedAt]).toEqual([
        usedAt,
        usedAt,
        usedAt,
      ]);
    });

    it('keeps the addresses that were refused, each once, the newest twenty of them', async () => {
      const { id, old, hash } = await given({ networks: [OFFICE] });
      const at = (minute: number) => `2026-06-01T12:${String(minute).padStart(2, '0')}:00.000Z`;
      const row = { tokenId: id, hour: 9, accepted: 0, refused: 1, usedAt: null };
      for (let minute = 0; minute < 25; minute++) {
        const addresses = [`192.0.2.${minute}/32`];
        await source.addUsage([
          { ...row, hash, addresses, addressesAt: at(minute) },
          { ...row, hash: old },
        ]);
      }
      // Late, and from a token that is gone.
      await source.addUsage([
        { ...row, hash, addresses: ['192.0.2.24/32'], addressesAt: at(3) },
        { ...row, tokenId: 'gone', addresses: ['192.0.2.99/32'], addressesAt: at(3) },
      ]);
      const kept = await db
        .select()
        .from(refusedAddresses)
        .where(eq(refusedAddresses.tokenId, id))
        .orderBy(asc(refusedAddresses.at));
      expect(kept).toEqual(
        Array.from({ length: 20 }, (_, index) => ({
          tokenId: id,
          address: `192.0.2.${index + 5}/32`,
          at: at(index + 5),
        })),
      );
    });

    it('is found where one of its secrets stood in a URL', async () => {
      const { old, hash, recorded } = await given({ access: 'read' });
      await recordExposure(db, old, cause);
      await recordExposure(db, hash, { ...cause, at: '2026-06-03T12:00:00.000Z' });
      expect(await recorded()).toEqual([
        ['token.exposed', 'url'],
        ['token.exposed', 'url'],
      ]);
    });

    it('has a secret that no other token can get', async () => {
      const { place, hash } = await given({ access: 'read' });
      const token = { ...UNLIMITED, name: null, id: crypto.randomUUID(), hash, preview: newPreview() };
      expect(await refusalOf(addToken(db, place, token, cause, null))).toContain('keeps its identity');
    });
  });

  it.each([
    ['paths', ['/v1/1', '/v1/2', '/v1/3', '/v1/4', '/v1/5', '/v1/6']],
    ['networks', Array.from({ length: 11 }, (_, index) => `10.0.0.${index}/32`)],
    ['origins', Array.from({ length: 6 }, (_, index) => `https://${index}.example`)],
    ['access', 'write'],
    ['expiresAt', '2030-01-01'],
    ['expiresAt', '-1000-01-01T00:00:00.000Z'],
  ])('the database refuses other values of %s', async (column, value) => {
    const { id } = await insertToken(db, await insertOrganisation(db));
    const refused = db
      .update(tokens)
      .set({ [column]: value })
      .where(eq(tokens.id, id));
    expect(await refusalOf(refused)).toContain('CHECK');
  });

  it.each(['[ ]', '["https://a.example",]', "['a']", '["a" ]', 'null', '{}', ''])(
    'the database refuses a list that is written as %j',
    async (written) => {
      const { id } = await insertToken(db, await insertOrganisation(db));
      for (const refused of [
        db.run(sql`UPDATE tokens SET paths = ${written} WHERE id = ${id}`),
        db.run(sql`UPDATE tokens SET networks = ${written} WHERE id = ${id}`),
        db.run(sql`UPDATE tokens SET origins = ${written} WHERE id = ${id}`),
      ])
        expect(await refusalOf(refused)).toMatch(/CHECK|malformed JSON/);
    },
  );

  it('the hash of a limited token has one case, whatever it is set to by hand', async () => {
    const { id, hash } = await given({ access: 'read' });
    const mixed = hash.slice(0, 32).toUpperCase() + hash.slice(32);
    await db
      .update(tokens)
      .set({ hash: mixed as TokenHash })
      .where(eq(tokens.id, id));
    expect(await isKnownToTheReleaseBefore(hash)).toBe(false);
    expect(await holderOf(hash)).toMatchObject({ limits: { access: 'read' } });
  });

  it('a token whose list cannot be read is refused, and takes no other one with it', async () => {
    const organisationId = await insertOrganisation(db);
    const [broken, other] = [await insertToken(db, organisationId), await insertToken(db, organisationId)];
    await db.run(sql`UPDATE tokens SET networks = '["the office"]' WHERE id = ${broken.id}`);
    const records = await source.read([broken.hash, other.hash]);
    expect(records.get(broken.hash)?.holder).toMatchObject({ tokenId: broken.id, active: false });
    expect(records.get(other.hash)?.holder).toMatchObject({ tokenId: other.id, active: true });
  });
}
