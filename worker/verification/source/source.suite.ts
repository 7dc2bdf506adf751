// The questions that verification asks the database, and what each kind of change makes them answer. Run on every
// kind of database.
import { eq, sql } from 'drizzle-orm';
import { beforeAll, expect, it } from 'vitest';
import type { Db } from '../../database.ts';
import { insertOrganisation, insertToken } from '../../test/rows.ts';
import { organisations, replacedSecrets, tokens, tokenUsage } from '../../tables.ts';
import { sha256Hex } from '../../random.ts';
import type { TokenHash } from '../../token/secret.ts';
import type { HubSource } from '../record.ts';
import type { TokenRecord } from '../record.ts';

/** `open` is called before the first test; source and Db are of the same database. */
export function describeSource(open: () => Promise<{ db: Db; source: HubSource }>): void {
  let db: Db;
  let source: HubSource;
  beforeAll(async () => {
    ({ db, source } = await open());
  });

  /** The record of one token. */
  async function read(hash: TokenHash): Promise<TokenRecord> {
    const record = (await source.read([hash])).get(hash);
    if (record === undefined) throw new Error('a token that was asked for has no record');
    return record;
  }

  it('answers a record and the head of the changes together', async () => {
    const organisationId = await insertOrganisation(db, 'pro');
    const { id, hash } = await insertToken(db, organisationId);
    const [newest] = await source.newestChanges(1);
    expect(await read(hash)).toEqual({
      asOf: { seq: newest?.seq, nonce: newest?.nonce },
      holder: { tokenId: id, organisationId, plan: 'pro', active: true },
    });
    expect(newest?.hash).toBe(hash);
    expect(newest?.nonce).toMatch(/^[0-9a-f]{16}$/);
  });

  it('answers a head and no holder for a hash that no token has', async () => {
    // A SHA-256 in hex, of anything.
    const record = await read(sha256Hex('nobody') as TokenHash);
    expect(record.holder).toBeNull();
    expect(record.asOf.seq).toBeGreaterThan(0);
  });

  it('answers the records of many hashes as it answers each alone', async () => {
    const organisationId = await insertOrganisation(db, 'pro');
    const hashes = [
      (await insertToken(db, organisationId)).hash,
      // A SHA-256 in hex, of anything.
      sha256Hex('nobody') as TokenHash,
      (await insertToken(db, await insertOrganisation(db))).hash,
    ];
    const records = await source.read(hashes);
    expect([...records.keys()].toSorted()).toEqual(hashes.toSorted());
    for (const hash of hashes) expect(records.get(hash)).toEqual(await read(hash));
  });

  it('sees a switch, a change of plan and a deletion at once, each with a change of its own', async () => {
    const organisationId = await insertOrganisation(db);
    const { id, hash } = await insertToken(db, organisationId);
    const { asOf } = await read(hash);
    const here = eq(tokens.id, id);
    await db.update(tokens).set({ active: false }).where(here);
    expect((await read(hash)).holder?.active).toBe(false);
    await db.update(organisations).set({ plan: 'pro' }).where(eq(organisations.id, organisationId));
    expect((await read(hash)).holder?.plan).toBe('pro');
    await db.delete(organisations).where(eq(organisations.id, organisationId));
    expect((await read(hash)).holder).toBeNull();
    const changes = await source.changesFrom(asOf.seq, 100);
    expect(changes.map((change) => change.hash)).toEqual([hash, hash, hash, hash]);
    expect(changes.map(({ seq }) => seq - asOf.seq)).toEqual([0, 1, 2, 3]);
    expect(changes[0]?.nonce).toBe(asOf.nonce);
  });

  it('sees the end of every token of an organisation whose row is replaced', async () => {
    const organisationId = await insertOrganisation(db);
    const { hash } = await insertToken(db, organisationId);
    const { asOf } = await read(hash);
    await db.run(
      sql`REPLACE INTO organisations (id, name, plan, created_at) VALUES (${organisationId}, 'A', 'pro', 'x')`,
    );
    expect((await read(hash)).holder).toBeNull();
    const changes = await source.changesFrom(asOf.seq, 100);
    expect(changes.map((change) => change.hash)).toEqual([hash, hash]);
  });

  it('reads changes in their order, from either end, a page at a time', async () => {
    const organisationId = await insertOrganisation(db);
    for (let count = 0; count < 5; count++) await insertToken(db, organisationId);
    const newest = await source.newestChanges(4);
    const seqs = newest.map(({ seq }) => seq);
    expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
    expect(await source.changesFrom(seqs[0] ?? 0, 3)).toEqual(newest.slice(0, 3));
  });

  it('adds calls to the hours, moves the last use only forward, and drops counts of deleted tokens', async () => {
    const { id } = await insertToken(db, await insertOrganisation(db));
    const row = { tokenId: id, hour: 9, accepted: 2, refused: 1 };
    const [early, late] = ['2026-01-01T00:00:00.000Z', '2026-01-02T00:00:00.000Z'];
    await source.addUsage([
      { ...row, usedAt: late },
      { ...row, tokenId: 'gone', usedAt: late },
    ]);
    await source.addUsage([{ ...row, usedAt: early }]);
    await source.addUsage([{ ...row, hour: 10, usedAt: null }]);
    expect(
      await db.select().from(tokenUsage).where(eq(tokenUsage.tokenId, id)).orderBy(tokenUsage.hour),
    ).toEqual([
      { tokenId: id, hour: 9, accepted: 4, refused: 2 },
      { tokenId: id, hour: 10, accepted: 2, refused: 1 },
    ]);
    const [token] = await db.select().from(tokens).where(eq(tokens.id, id));
    expect(token?.lastUsedAt).toBe(late);
  });

  /** A token whose secret was replaced by SQL alone, and the hash of the secret before it. */
  async function givenReplaced(until: 'time' | 'silent' = 'silent') {
    const organisationId = await insertOrganisation(db);
    const { id, hash: old } = await insertToken(db, organisationId);
    // A SHA-256 in hex, of anything.
    const hash = sha256Hex(crypto.randomUUID()) as TokenHash;
    await db.run(sql`INSERT INTO replaced_secrets (hash, token_id, organisation_id, preview, replaced_at, retires_at, until)
      SELECT hash, id, organisation_id, preview, '2026-01-01T00:00:00.000Z', '2026-01-08T00:00:00.000Z', ${until} FROM tokens WHERE id = ${id}`);
    const preview = `9r${id.slice(0, 3)}`;
    await db.update(tokens).set({ hash, preview }).where(eq(tokens.id, id));
    const replaced = async () =>
      (await db.select().from(replacedSecrets).where(eq(replacedSecrets.hash, old)))[0];
    return { id, organisationId, old, hash, replaced };
  }

  it('answers both secrets of a token, the one before with its end, and no retired one as active', async () => {
    const { id, organisationId, old, hash } = await givenReplaced();
    const holder = { tokenId: id, organisationId, plan: 'enterprise', active: true };
    expect((await read(hash)).holder).toEqual(holder);
    const expiresAt = Date.parse('2026-01-08T00:00:00.000Z');
    expect((await read(old)).holder).toEqual({ ...holder, expiresAt });
    await db.update(tokens).set({ active: false }).where(eq(tokens.id, id));
    for (const each of [old, hash]) expect((await read(each)).holder).toEqual({ ...holder, active: false });
    await db.update(tokens).set({ active: true }).where(eq(tokens.id, id));
    const { asOf } = await read(old);
    await db
      .update(replacedSecrets)
      .set({ retiredAt: '2026-01-02T00:00:00.000Z' })
      .where(eq(replacedSecrets.hash, old));
    expect((await read(old)).holder).toEqual({ ...holder, active: false });
    expect((await read(hash)).holder).toEqual(holder);
    const changes = await source.changesFrom(asOf.seq + 1, 100);
    expect(changes.map((change) => change.hash)).toEqual([old]);
  });

  it('says that the organisation is paused for each secret that works, with one change for each, and hides them from the release before', async () => {
    const { organisationId, old, hash } = await givenReplaced();
    const other = await givenReplaced();
    const limited = await insertToken(db, organisationId);
    await db.update(tokens).set({ access: 'read' }).where(eq(tokens.id, limited.id));
    const pause = (pausedAt: string | null) =>
      db.update(organisations).set({ pausedAt }).where(eq(organisations.id, organisationId));
    const seen = async () => {
      const rows = await db.all<{ hash: string }>(
        sql`SELECT hash FROM tokens WHERE organisation_id = ${organisationId} UNION ALL SELECT hash FROM replaced_secrets WHERE organisation_id = ${organisationId}`,
      );
      return rows.map((row) => row.hash).toSorted();
    };
    const hidden = limited.hash.toUpperCase();
    expect(await seen()).toEqual([old, hash, hidden].toSorted());
    const { asOf } = await read(hash);
    await pause('2026-01-02T00:00:00.000Z');
    const isPaused = true;
    for (const each of [old, hash, limited.hash])
      expect((await read(each)).holder).toMatchObject({ isPaused });
    expect((await read(other.hash)).holder).not.toHaveProperty('isPaused');
    expect(await seen()).toEqual([old.toUpperCase(), hash.toUpperCase(), hidden].toSorted());
    // A token that is made meanwhile is hidden too.
    const made = await insertToken(db, organisationId);
    expect((await read(made.hash)).holder).toMatchObject({ tokenId: made.id, isPaused });
    expect(await seen()).toContain(made.hash.toUpperCase());
    await db.delete(tokens).where(eq(tokens.id, made.id));
    // A pause of a paused organisation is no change.
    await pause('2026-01-03T00:00:00.000Z');
    await pause(null);
    for (const each of [old, hash, limited.hash])
      expect((await read(each)).holder).not.toHaveProperty('isPaused');
    expect(await seen()).toEqual([old, hash, hidden].toSorted());
    const changes = (await source.changesFrom(asOf.seq + 1, 100)).map((change) => change.hash);
    const each = [old, hash, limited.hash];
    expect(changes.toSorted()).toEqual([...each, ...each, made.hash, made.hash].toSorted());
  });

  it('counts calls by token and the last use by secret, and says when the new one was used first', async () => {
    const { id, old, hash, replaced } = await givenReplaced();
    const [first, second, third] = [1, 2, 3].map((day) => `2026-01-0${day}T00:00:00.000Z`);
    const row = { tokenId: id, hour: 9, accepted: 1, refused: 0 };
    const lastUsedAt = async () => (await db.select().from(tokens).where(eq(tokens.id, id)))[0]?.lastUsedAt;
    await source.addUsage([
      { ...row, hash: old, usedAt: second ?? '' },
      // Refused alone.
      { ...row, hour: 10, hash, accepted: 0, refused: 1, usedAt: null },
    ]);
    expect(await replaced()).toMatchObject({ lastUsedAt: second, successorUsedAt: null });
    expect(await lastUsedAt()).toBeNull();
    await source.addUsage([{ ...row, hash: old, usedAt: first ?? '' }]);
    expect(await replaced()).toMatchObject({ lastUsedAt: second, successorUsedAt: null });
    await source.addUsage([{ ...row, hash, usedAt: second ?? '' }]);
    await source.addUsage([{ ...row, hash, usedAt: third ?? '' }]);
    expect(await replaced()).toMatchObject({ lastUsedAt: second, successorUsedAt: second });
    expect(await lastUsedAt()).toBe(third);
    const usage = await db.select().from(tokenUsage).where(eq(tokenUsage.tokenId, id));
    expect(usage.map(({ accepted, refused }) => [accepted, refused])).toEqual([
      [4, 0],
      [0, 1],
    ]);
  });

  it('does not take a call that names no secret, as the release before counts them, for a use of the new one', async () => {
    const { id, replaced } = await givenReplaced();
    await source.addUsage([
      { tokenId: id, hour: 9, accepted: 1, refused: 0, usedAt: '2026-01-03T00:00:00.000Z' },
    ]);
    expect(await replaced()).toMatchObject({ lastUsedAt: null, successorUsedAt: null });
  });

  it('belongs to the deployment that claims it first', async () => {
    expect(await source.owner()).toBeNull();
    await source.claim('one');
    await source.claim('another');
    expect(await source.owner()).toBe('one');
  });
}
