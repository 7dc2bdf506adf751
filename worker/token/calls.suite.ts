// What is kept of callers and refused calls, and the tombstones of secrets that have ended. Run on every kind of database.
import { eq, sql } from 'drizzle-orm';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Cause } from '../activity/events.ts';
import type { Db } from '../database.ts';
import { removeOrganisation } from '../organisation/register.ts';
import { sha256Hex } from '../random.ts';
import { insertOrganisation, insertToken, refusalOf } from '../test/rows.ts';
import { callers, organisations, refusalReasons, replacedSecrets, tokens, tombstones } from '../tables.ts';
import { Usage } from '../verification/hub/usage.ts';
import type { HubSource, UsageRow } from '../verification/record.ts';
import { countedOf } from '../verification/simulation/table.ts';
import { ALL_OTHERS } from './callers.ts';
import type { CallerCount } from './callers.ts';
import type { Place } from './guards.ts';
import type { Retire } from './retirement.ts';
import { retireDue, retireSecret, rotateToken } from './rotation.ts';
import type { TokenHash } from './secret.ts';
import { removeToken } from './store.ts';

const email = 'owner@example.com';
const NOON = '2026-06-01T12:00:00.000Z';
/** So many minutes after noon. */
const at = (minutes: number) => new Date(Date.parse(NOON) + minutes * 60_000).toISOString();
const cause = (minutes: number, actor = email): Cause => ({
  actor,
  requestId: crypto.randomUUID(),
  ip: null,
  userAgent: null,
  at: at(minutes),
});
const HOUR = Math.floor(Date.parse(NOON) / 3_600_000);
const DAY = Math.floor(HOUR / 24);
// A SHA-256 in hex, of anything.
const newHash = () => sha256Hex(crypto.randomUUID()) as TokenHash;
const HETZNER = { network: 24_940, networkName: 'Hetzner Online GmbH', country: 'DE', agent: 'curl' };
let drawn = 0;

/** `open` is called before the first test; source and Db are of the same database. */
export function describeCalls(open: () => Promise<{ db: Db; source: HubSource }>): void {
  let db: Db;
  let source: HubSource;
  beforeAll(async () => {
    ({ db, source } = await open());
  });

  async function given() {
    const organisationId = await insertOrganisation(db);
    const place: Place = { organisationId, email };
    const token = await insertToken(db, organisationId);
    await db.update(tokens).set({ name: 'Website' }).where(eq(tokens.id, token.id));
    const rotate = async (retire: Retire, minutes: number) => {
      const secret = { hash: newHash(), preview: `9r${(drawn++).toString(36).padStart(3, '0')}` };
      const wanted = { retire, expected: null };
      const rotation = await rotateToken(db, place, token.id, secret, wanted, cause(minutes), null);
      expect(rotation).toMatchObject({ ok: true });
      return secret.hash;
    };
    const ended = () =>
      db
        .select()
        .from(tombstones)
        .where(eq(tombstones.tokenId, token.id))
        .orderBy(tombstones.endedAt, tombstones.hash);
    return { ...token, place, rotate, ended };
  }
  const holderOf = async (hash: TokenHash) => (await source.read([hash])).get(hash)?.holder;
  const row = (tokenId: string, hash: TokenHash, more: Partial<UsageRow> = {}): UsageRow => ({
    tokenId,
    hash,
    hour: HOUR,
    accepted: 0,
    refused: 0,
    usedAt: null,
    ...more,
  });
  const callersOf = (id: string) =>
    db.select().from(callers).where(eq(callers.tokenId, id)).orderBy(callers.network, callers.agent);

  describe('a secret that ends', () => {
    it('with its token leaves a tombstone with the name and the deed, and verification finds it as inactive', async () => {
      const { id, hash, place, rotate, ended } = await given();
      const current = await rotate('24h', 0);
      expect(await ended()).toEqual([]);
      await removeToken(db, place, id, cause(5));
      const common = {
        tokenId: id,
        organisationId: place.organisationId,
        name: 'Website',
        kind: 'deleted',
        endedAt: at(5),
        endedBy: email,
        calledAt: null,
      };
      const found = await ended();
      expect(found).toHaveLength(2);
      for (const each of found) expect(each).toMatchObject(common);
      expect(found.map((each) => each.hash).toSorted()).toEqual([hash, current].toSorted());
      for (const each of [hash, current])
        expect(await holderOf(each)).toEqual({
          tokenId: id,
          organisationId: place.organisationId,
          plan: 'enterprise',
          active: false,
        });
    });

    it('by a member, by time or at once leaves a tombstone that says by whom', async () => {
      const { id, hash, place, rotate, ended } = await given();
      const second = await rotate('1h', 0);
      await retireSecret(db, place, id, null, cause(10));
      const third = await rotate('now', 20);
      await rotate('1h', 30);
      await retireDue(db, { reason: 'time' }, cause(95, 'system'), 1000);
      expect((await ended()).map((each) => [each.hash, each.kind, each.endedAt, each.endedBy])).toEqual([
        [hash, 'retired', at(10), email],
        [second, 'retired', at(20), email],
        [third, 'retired', at(90), 'system'],
      ]);
      // The tombstones of retired secrets stay as they are.
      await removeToken(db, place, id, cause(100));
      expect((await ended()).map(({ kind }) => kind)).toEqual(['retired', 'retired', 'retired', 'deleted']);
    });

    it('is found by verification until its tombstone is gone, when its token is alive and when it is limited', async () => {
      const { id, hash, place, rotate } = await given();
      await db
        .update(tokens)
        .set({ networks: ['203.0.113.0/24'] })
        .where(eq(tokens.id, id));
      const current = await rotate('now', 0);
      const inactive = {
        tokenId: id,
        organisationId: place.organisationId,
        plan: 'enterprise',
        active: false,
      };
      expect(await holderOf(hash)).toEqual(inactive);
      // As the hourly run does after 30 days.
      await db.delete(replacedSecrets).where(eq(replacedSecrets.tokenId, id));
      expect(await holderOf(hash)).toEqual(inactive);
      await db.run(sql`DELETE FROM tokens WHERE id = ${id}`);
      expect(await holderOf(current)).toEqual(inactive);
      // At the SQL prompt there is no event.
      const [last] = await db.select().from(tombstones).where(eq(tombstones.hash, current));
      expect(last?.endedBy).toBeNull();
      expect(Math.abs(Date.now() - Date.parse(last?.endedAt ?? ''))).toBeLessThan(60_000);
      await db.delete(tombstones).where(eq(tombstones.tokenId, id));
      for (const each of [hash, current]) expect(await holderOf(each)).toBeNull();
    });

    it('leaves nothing when its organisation is deleted or replaced, neither of callers nor of earlier ends', async () => {
      const [one, other] = [await given(), await given()];
      const alsoGone: string[] = [];
      for (const { id, hash, place, rotate, ended } of [one, other]) {
        const current = await rotate('now', 0);
        const gone = await insertToken(db, place.organisationId);
        const told = [{ ...HETZNER, accepted: 1, refused: 0, lastAt: at(1) }];
        await source.addUsage([
          row(id, hash, { callers: told }),
          row(id, current, { callers: told }),
          row(gone.id, gone.hash, { callers: told }),
        ]);
        await removeToken(db, place, gone.id, cause(2));
        alsoGone.push(gone.id);
        expect(await callersOf(id)).toHaveLength(2);
        expect(await callersOf(gone.id)).toHaveLength(1);
        expect(await ended()).toHaveLength(1);
      }
      await removeOrganisation(db, one.place.organisationId, cause(5));
      await db.run(
        sql`REPLACE INTO organisations (id, name, plan, created_at) VALUES (${other.place.organisationId}, 'A', 'pro', 'x')`,
      );
      for (const { id, place, ended } of [one, other]) {
        expect(await callersOf(id)).toEqual([]);
        expect(await ended()).toEqual([]);
        const left = await db
          .select()
          .from(tombstones)
          .where(eq(tombstones.organisationId, place.organisationId));
        expect(left).toEqual([]);
      }
      for (const id of alsoGone) expect(await callersOf(id)).toEqual([]);
    });

    it('never becomes a token again, in either spelling, nor the secret of another one', async () => {
      const { id, hash, place } = await given();
      const living = await insertToken(db, place.organisationId);
      await removeToken(db, place, id, cause(1));
      for (const spelling of [hash, hash.toUpperCase()]) {
        const refused = [
          db.insert(tokens).values({
            id: crypto.randomUUID(),
            organisationId: place.organisationId,
            hash: spelling,
            preview: `9s${(drawn++).toString(36).padStart(3, '0')}`,
            active: true,
            createdBy: email,
            createdAt: NOON,
          }),
          db.run(sql`UPDATE tokens SET hash = ${spelling} WHERE id = ${living.id}`),
          db.run(sql`UPDATE OR REPLACE tokens SET hash = ${spelling} WHERE id = ${living.id}`),
          db.run(sql`INSERT INTO replaced_secrets (hash, token_id, organisation_id, preview, replaced_at, retires_at, until)
            SELECT ${spelling}, id, organisation_id, preview, ${NOON}, ${at(60)}, 'time' FROM tokens WHERE id = ${living.id}`),
        ];
        for (const statement of refused)
          expect(await refusalOf(statement)).toContain('a token keeps its identity');
      }
      const moved = db
        .update(tombstones)
        .set({ hash: newHash(), tokenId: living.id })
        .where(eq(tombstones.hash, hash));
      expect(await refusalOf(moved)).toContain('a token keeps its identity');
      expect(await holderOf(hash)).toMatchObject({ tokenId: id, active: false });
    });

    it('is called from when a hub is told of a refused call after its end', async () => {
      const { id, hash, place, ended } = await given();
      const callAt = (minutes: number, calls: Partial<CallerCount>) =>
        source.addUsage([
          row(id, hash, {
            callers: [{ ...HETZNER, accepted: 0, refused: 0, ...calls, lastAt: at(minutes) }],
          }),
        ]);
      const calledAt = async () => (await ended())[0]?.calledAt;
      await callAt(1, { refused: 1 });
      await removeToken(db, place, id, cause(5));
      // Of before the end, and told late.
      await callAt(4, { refused: 1 });
      await callAt(6, { accepted: 1 });
      expect(await calledAt()).toBeNull();
      await callAt(8, { refused: 2 });
      await callAt(7, { refused: 2 });
      expect(await calledAt()).toBe(at(8));
      expect(await callersOf(id)).toMatchObject([{ accepted: 1, refused: 6, lastAt: at(8) }]);
    });
  });

  describe('callers', () => {
    it('are added up by secret and day, and not kept of a token that never was', async () => {
      const { id, hash, rotate } = await given();
      const current = await rotate('24h', 0);
      const told = (minutes: number, accepted: number) => [
        { ...HETZNER, networkName: `Hetzner ${minutes}`, accepted, refused: 1, lastAt: at(minutes) },
      ];
      await source.addUsage([
        row(id, hash, { callers: told(3, 5) }),
        row(id, current, { callers: told(1, 7) }),
        row(id, current, { hour: HOUR + 1, callers: told(2, 1) }),
        row(id, current, { hour: HOUR + 24, callers: told(9, 1) }),
        row('gone', newHash(), { callers: told(1, 1) }),
        // Of the release before.
        { tokenId: id, hour: HOUR, accepted: 1, refused: 0, usedAt: null },
      ]);
      await source.addUsage([row(id, current, { callers: told(1, 100) })]);
      const { agent, country, network } = HETZNER;
      const common = { tokenId: id, agent, country, network };
      expect((await callersOf(id)).toSorted((a, b) => a.accepted - b.accepted)).toEqual([
        {
          ...common,
          hash: current,
          day: DAY + 1,
          networkName: 'Hetzner 9',
          accepted: 1,
          refused: 1,
          lastAt: at(9),
        },
        { ...common, hash, day: DAY, networkName: 'Hetzner 3', accepted: 5, refused: 1, lastAt: at(3) },
        {
          ...common,
          hash: current,
          day: DAY,
          networkName: 'Hetzner 1',
          accepted: 108,
          refused: 3,
          lastAt: at(2),
        },
      ]);
      expect(await callersOf('gone')).toEqual([]);
    });

    it('are 20 and the others, whatever 100,000 agents and networks call, and no call is lost', async () => {
      const { id, hash } = await given();
      const usage = new Usage();
      const real = { ...HETZNER, accepted: 50, refused: 0 };
      const sent = { accepted: 0, refused: 0 };
      /** Rows of the secret, in the hub and in the database. */
      let most = 0;
      for (let sync = 0; sync < 100; sync++) {
        const made = Array.from({ length: 1000 }, (_, index) => ({
          network: 1 + ((sync * 1000 + index) % 50_000),
          networkName: 'AS',
          country: 'US',
          agent: `agent-${sync * 1000 + index}`,
          accepted: index % 2,
          refused: 1 - (index % 2),
        }));
        usage.add(
          new Map([[hash, { ...countedOf(id, 550, 500), callers: [...made, real] }]]),
          Date.parse(at(sync)),
        );
        sent.accepted += 550;
        sent.refused += 500;
        if (sync % 10 === 9) {
          const rows = usage.take();
          most = Math.max(most, ...rows.map(({ callers: kept = [] }) => kept.length));
          await source.addUsage(rows);
          most = Math.max(most, (await callersOf(id)).length);
        }
      }
      expect(most).toBe(21);
      const kept = await callersOf(id);
      expect(kept).toHaveLength(21);
      const sum = (field: 'accepted' | 'refused') => kept.reduce((total, each) => total + each[field], 0);
      expect({ accepted: sum('accepted'), refused: sum('refused') }).toEqual(sent);
      expect(kept.find(({ agent }) => agent === 'curl')).toMatchObject({ accepted: 5000, refused: 0 });
      expect(kept.filter(({ network }) => network === ALL_OTHERS.network)).toHaveLength(1);
    });
  });

  it('of a secret that ended on an earlier day are three a day and the others, and no call is lost', async () => {
    const { id, hash, rotate } = await given();
    const current = await rotate('now', 0);
    const told = Array.from({ length: 10 }, (_, index) => ({
      ...HETZNER,
      agent: `agent-${index}`,
      accepted: 0,
      refused: 1 + index,
      lastAt: at(1),
    }));
    await source.addUsage([
      row(id, hash, { callers: told }),
      row(id, hash, { hour: HOUR + 24, callers: told }),
      row(id, current, { hour: HOUR + 24, callers: told }),
    ]);
    await source.addUsage([row(id, hash, { hour: HOUR + 24, callers: told.slice(0, 3) })]);
    const kept = (await callersOf(id)).filter((each) => each.hash === hash);
    // On the day of the end calls may still have been accepted.
    expect(kept.filter(({ day }) => day === DAY)).toHaveLength(10);
    expect(
      kept
        .filter(({ day }) => day === DAY + 1)
        .map(({ agent, network, refused }) => [network === ALL_OTHERS.network ? 'others' : agent, refused]),
    ).toEqual([
      ['others', 1 + 2 + 3 + 4 + 5 + 6 + 7 + 1 + 2 + 3],
      ['agent-7', 8],
      ['agent-8', 9],
      ['agent-9', 10],
    ]);
    expect((await callersOf(id)).filter((each) => each.hash === current)).toHaveLength(10);
  });

  it('refused calls are kept by reason; the database knows which secret is retired', async () => {
    const { id, hash, rotate } = await given();
    const second = await rotate('now', 0);
    const third = await rotate('1h', 1);
    const reasonsOf = () =>
      db
        .select({ hour: refusalReasons.hour, reason: refusalReasons.reason, calls: refusalReasons.calls })
        .from(refusalReasons)
        .where(eq(refusalReasons.tokenId, id))
        .orderBy(refusalReasons.hour, refusalReasons.reason);
    await source.addUsage([
      row(id, hash, { refused: 3, reasons: { inactive: 3 } }),
      // Its time has passed, and the upkeep has not retired it yet.
      row(id, second, { refused: 4, reasons: { expired: 4 } }),
      row(id, third, {
        refused: 12,
        reasons: { inactive: 1, network: 2, origin: 1, plan: 3, access: 4, paused: 1 },
      }),
      row(id, third, { hour: HOUR + 1, refused: 1, reasons: { expired: 1 } }),
      row('gone', newHash(), { refused: 1, reasons: { inactive: 1 } }),
    ]);
    await source.addUsage([row(id, third, { refused: 1, reasons: { inactive: 1 } })]);
    expect((await reasonsOf()).map(({ hour, reason, calls }) => [hour - HOUR, reason, calls])).toEqual([
      [0, 'access', 4],
      [0, 'inactive', 2],
      [0, 'network', 2],
      [0, 'origin', 1],
      [0, 'paused', 1],
      [0, 'plan', 3],
      [0, 'retired', 7],
      [1, 'expired', 1],
    ]);
    // The end of the token comes before that of the secret.
    await db
      .update(tokens)
      .set({ expiresAt: at(30) })
      .where(eq(tokens.id, id));
    await source.addUsage([row(id, second, { hour: HOUR + 2, refused: 1, reasons: { expired: 1 } })]);
    expect((await reasonsOf()).at(-1)).toEqual({ hour: HOUR + 2, reason: 'expired', calls: 1 });
    await db
      .delete(organisations)
      .where(
        eq(
          organisations.id,
          (await db.select().from(tokens).where(eq(tokens.id, id)))[0]?.organisationId ?? '',
        ),
      );
    expect(await reasonsOf()).toEqual([]);
  });
}
