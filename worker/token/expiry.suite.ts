// The warnings before the end of a token, and the mails that wait: the statements alone, and what the database plans by itself. Run
// on every kind of database.
import { and, asc, eq, isNull } from 'drizzle-orm';
import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Cause } from '../activity/events.ts';
import type { Db } from '../database.ts';
import { removeMember } from '../organisation/members.ts';
import { UNLIMITED, insertOrganisation, insertToken } from '../test/rows.ts';
import { events, expiryMails, expiryWarnings, mails, organisations, tokens } from '../tables.ts';
import { findWaitingMail, postponeMail, removeMail, takeMail } from '../upkeep/mails.ts';
import { noteEvents, queueMails } from '../upkeep/notices.ts';
import { giveWarnings, isAnyWarningDue, listEndingTokens } from './expiry.ts';
import { updateToken } from './change.ts';
import { addToken, removeToken } from './store.ts';
import { sha256Hex } from '../random.ts';
import type { Place } from './guards.ts';
import type { TokenHash } from './secret.ts';

const email = 'owner@example.com';
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Later than anything else that the suites of one database write. */
const START = Date.parse('2040-01-01T12:00:00.000Z');
const iso = (ms: number) => new Date(ms).toISOString();
const causeAt = (ms: number, actor = 'system'): Cause => ({
  actor,
  requestId: crypto.randomUUID(),
  ip: null,
  userAgent: null,
  at: iso(ms),
});

/** `open` is called before the first test. */
export function describeExpiry(open: () => Promise<Db>): void {
  let db: Db;
  beforeAll(async () => {
    db = await open();
  });

  /** One run, whose batches settle `most` warnings each. */
  async function run(now: number, most = 50): Promise<number> {
    const cause = causeAt(now);
    let sum = 0;
    while (await isAnyWarningDue(db, cause.at)) sum += await giveWarnings(db, cause, most);
    return sum;
  }

  /** The same, which then queues the mails. */
  async function runWithMail(now: number, most = 50): Promise<number> {
    const sum = await run(now, most);
    while (await noteEvents(db, iso(now)));
    while (await queueMails(db, iso(now)));
    return sum;
  }

  /** A token of an organisation of its own, with an end that was set `setBefore` ms before it. */
  async function given(setBefore = 60 * DAY, emails = [email]) {
    const organisationId = await insertOrganisation(db, 'enterprise', emails);
    const place: Place = { organisationId, email };
    const { id } = await insertToken(db, organisationId);
    const setEnd = async (end: number | null, now: number) => {
      const change = { expiresAt: end === null ? null : iso(end) };
      const updated = await updateToken(db, place, id, change, causeAt(now, email));
      if (!updated.ok) throw new Error(updated.reason);
      // The database notes when the end was set, by its own clock.
      await db
        .update(expiryWarnings)
        .set({ setAt: iso(now) })
        .where(and(eq(expiryWarnings.tokenId, id), isNull(expiryWarnings.givenBy)));
    };
    const end = START + setBefore;
    await setEnd(end, START);
    const recorded = () =>
      db
        .select({ at: events.at, days: events.detail })
        .from(events)
        .where(and(eq(events.organisationId, organisationId), eq(events.action, 'token.expiring')))
        .orderBy(asc(events.id));
    return {
      place,
      id,
      end,
      setEnd,
      recorded,
      days: async () => (await recorded()).map(({ days }) => days),
      planned: async () =>
        (
          await db
            .select({ days: expiryWarnings.days })
            .from(expiryWarnings)
            .where(and(eq(expiryWarnings.tokenId, id), isNull(expiryWarnings.givenBy)))
            .orderBy(asc(expiryWarnings.dueAt))
        ).map(({ days }) => days),
      waiting: () =>
        db
          .select({ email: mails.email })
          .from(mails)
          .where(eq(mails.organisationId, organisationId))
          .orderBy(asc(mails.email)),
    };
  }

  describe('the warnings of a token that ends', () => {
    it.each([
      ['before the first one is due', 60 * DAY, 30 * DAY + 1, []],
      ['when the first one is due', 60 * DAY, 30 * DAY, ['30']],
      ['a day late', 60 * DAY, 29 * DAY, ['30']],
      ['so late that two are due', 60 * DAY, 7 * DAY, ['7']],
      ['so late that all three are due', 60 * DAY, 20 * HOUR, ['1']],
      ['in the last millisecond', 60 * DAY, 1, ['1']],
      ['at the end', 60 * DAY, 0, []],
      ['after the end', 60 * DAY, -DAY, []],
      ['with an end that was set 30 days before', 30 * DAY, 30 * DAY, []],
      ['with an end that was set 20 days before', 20 * DAY, 20 * DAY - 1, []],
      ['with an end that was set 20 days before, 7 days before it', 20 * DAY, 7 * DAY, ['7']],
      ['with an end that was set 20 hours before', 20 * HOUR, 10 * HOUR, []],
    ])('are those that are due, and the latest of them alone: a run %s', async (_, set, left, expected) => {
      const { end, days, planned } = await given(set);
      await run(end - left);
      expect(await days()).toEqual(expected);
      // Nothing waits that was due.
      expect((await planned()).every((each) => each * DAY < left)).toBe(true);
    });

    it('are one event each, of the system, with the mask', async () => {
      const { place, id, end, days } = await given();
      for (let left = 61 * DAY; left > -DAY; left -= 12 * HOUR) await run(end - left);
      expect(await days()).toEqual(['30', '7', '1']);
      const [row] = await db.select().from(tokens).where(eq(tokens.id, id));
      const [event] = await db
        .select()
        .from(events)
        .where(and(eq(events.tokenId, id), eq(events.action, 'token.expiring')))
        .limit(1);
      expect(event).toMatchObject({
        organisationId: place.organisationId,
        actor: 'system',
        preview: row?.preview,
        at: iso(end - 30 * DAY),
        detail: '30',
      });
    });

    it('are those of the new end when the end is moved, and none when it is removed', async () => {
      const { end, setEnd, days, planned } = await given();
      await run(end - 5 * DAY);
      expect(await days()).toEqual(['7']);
      const now = end - 5 * DAY + 1;
      await setEnd(now + 60 * DAY, now);
      expect(await planned()).toEqual([30, 7, 1]);
      await run(now + 30 * DAY);
      expect(await days()).toEqual(['7', '30']);
      await setEnd(null, now + 31 * DAY);
      expect(await planned()).toEqual([]);
    });

    it('are not given again when the end is moved away and back', async () => {
      const { end, setEnd, days } = await given();
      await run(end - 30 * DAY);
      await setEnd(end + 100 * DAY, end - 29 * DAY);
      await setEnd(end, end - 28 * DAY);
      await run(end - 28 * DAY);
      expect(await days()).toEqual(['30']);
      await run(end - 7 * DAY);
      expect(await days()).toEqual(['30', '7']);
      // The database's clock was behind that of the run.
      await setEnd(null, end - 7 * DAY);
      await setEnd(end, end - 8 * DAY);
      await run(end - 7 * DAY + 1);
      expect(await days()).toEqual(['30', '7']);
    });

    it('are planned with a token that is made with an end', async () => {
      const organisationId = await insertOrganisation(db);
      const id = crypto.randomUUID();
      const token = {
        ...UNLIMITED,
        name: null,
        expiresAt: iso(START),
        id,
        hash: sha256Hex(id) as TokenHash,
        preview: '9w000',
      };
      await addToken(db, { organisationId, email }, token, causeAt(START - 60 * DAY, email), null);
      const planned = await db.select().from(expiryWarnings).where(eq(expiryWarnings.tokenId, id));
      expect(planned.map(({ days, dueAt }) => [days, dueAt])).toEqual(
        [1, 7, 30].map((days) => [days, iso(START - days * DAY)]),
      );
    });

    it('are given for a token that is switched off: it may be on again', async () => {
      const { place, id, end, days } = await given();
      await updateToken(db, place, id, { active: false }, causeAt(START, email));
      await run(end - 30 * DAY);
      expect(await days()).toEqual(['30']);
    });

    it('are not given to an organisation that is not on Enterprise; after an upgrade the later ones are', async () => {
      const { place, end, days, waiting } = await given();
      const put = (plan: 'pro' | 'enterprise') =>
        db.update(organisations).set({ plan }).where(eq(organisations.id, place.organisationId));
      await put('pro');
      await runWithMail(end - 30 * DAY);
      await put('enterprise');
      await runWithMail(end - 29 * DAY);
      expect(await days()).toEqual([]);
      expect(await waiting()).toEqual([]);
      await runWithMail(end - 7 * DAY);
      expect(await days()).toEqual(['7']);
    });

    it('are given once by runs at the same time, each with one mail to each member', async () => {
      const { end, days, waiting } = await given(60 * DAY, [email, 'second@example.com']);
      const now = end - 30 * DAY;
      const sums = await Promise.all([runWithMail(now), runWithMail(now), runWithMail(now)]);
      expect(sums.reduce((a, b) => a + b)).toBeGreaterThan(0);
      expect(await days()).toEqual(['30']);
      expect(await waiting()).toEqual([{ email }, { email: 'second@example.com' }]);
      expect(await runWithMail(now + HOUR)).toBe(0);
      expect(await waiting()).toHaveLength(2);
    });

    it('are settled in small batches as in large ones', async () => {
      const late = await Promise.all([given(), given(), given(20 * HOUR)]);
      const { end } = late[0];
      await run(end - 6 * DAY, 1);
      expect(await Promise.all(late.map(({ days }) => days()))).toEqual([['7'], ['7'], []]);
    });

    it('are deleted with their token', async () => {
      const { place, id, end } = await given();
      await run(end - 30 * DAY);
      await removeToken(db, place, id, causeAt(START, email));
      expect(await db.select().from(expiryWarnings).where(eq(expiryWarnings.tokenId, id))).toEqual([]);
    });

    // Moves and runs, each after the time that the step says; steps and ends lie on the edges.
    const step = fc.constantFrom(1, HOUR, DAY, 6 * DAY, 7 * DAY, 23 * DAY);
    const left = fc.constantFrom(HOUR, DAY, DAY + 1, 5 * DAY, 7 * DAY, 8 * DAY, 30 * DAY, 31 * DAY, 60 * DAY);
    const deed = fc.oneof(
      { weight: 3, arbitrary: fc.record({ step, kind: fc.constant('run' as const) }) },
      { weight: 1, arbitrary: fc.record({ step, kind: fc.constant('move' as const), left }) },
      { weight: 1, arbitrary: fc.record({ step, kind: fc.constant('back' as const) }) },
    );

    it('are given at most once, and exactly once if a run comes in its time, for any moves and runs', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(deed, { minLength: 4, maxLength: 14 }), async (deeds) => {
          const { end: first, setEnd, recorded } = await given();
          /** Each span in which the token had one end. */
          const spans = [{ end: first, from: START, until: Infinity }];
          const runs: number[] = [];
          let now = START;
          for (const each of deeds) {
            now += each.step;
            if (each.kind === 'run') {
              await run(now);
              runs.push(now);
              continue;
            }
            const end = each.kind === 'back' ? first : now + each.left;
            const last = spans.at(-1);
            if (last === undefined || last.end === end || end <= now) continue;
            last.until = now;
            spans.push({ end, from: now, until: Infinity });
            await setEnd(end, now);
          }
          const expected = new Map<string, { at: string; days: string }>();
          for (const { end, from, until } of spans)
            for (const [days, next] of [
              [30, 7],
              [7, 1],
              [1, 0],
            ] as const) {
              const due = end - days * DAY;
              const before = Math.min(end - next * DAY, until);
              const at = runs.find((each) => each >= due && each < before && each > from);
              const key = `${end} ${days}`;
              if (due > from && at !== undefined && !expected.has(key))
                expected.set(key, { at: iso(at), days: String(days) });
            }
          expect(await recorded()).toEqual([...expected.values()].toSorted((a, b) => (a.at < b.at ? -1 : 1)));
        }),
        { numRuns: 25 },
      );
    });
  });

  describe('the mails about tokens that end', () => {
    /** The mail of this organisation that is due. Others may wait in the same database, and are removed. */
    async function waitingFor(organisationId: string, now: number) {
      for (;;) {
        const mail = await findWaitingMail(db, iso(now));
        if (mail === null || mail.notice.organisationId === organisationId) return mail;
        await removeMail(db, mail);
      }
    }

    it('are one for all tokens of the organisation of which a run warns, by their end', async () => {
      const { place, id, end, waiting } = await given();
      const second = await insertToken(db, place.organisationId, false);
      await db
        .update(tokens)
        .set({ expiresAt: iso(end - 23 * DAY), name: 'Zapier' })
        .where(eq(tokens.id, second.id));
      // Of no warning of this run.
      await insertToken(db, place.organisationId);
      const now = end - 30 * DAY;
      await runWithMail(now, 1);
      expect(await waiting()).toEqual([{ email }]);
      const mail = await waitingFor(place.organisationId, now);
      expect(mail).toMatchObject({
        email,
        tries: 0,
        notice: { begunAt: iso(now), events: 2, organisationName: place.organisationId },
      });
      if (mail === null) throw new Error('no mail waits');
      expect(await listEndingTokens(db, mail.notice, iso(now))).toEqual([
        expect.objectContaining({
          id: second.id,
          name: 'Zapier',
          active: false,
          expiresAt: iso(end - 23 * DAY),
        }),
        expect.objectContaining({ id, name: null, active: true, expiresAt: iso(end) }),
      ]);
    });

    it('are taken by one run only, and wait again if they were not sent', async () => {
      const { place, end } = await given();
      const now = end - 30 * DAY;
      await runWithMail(now);
      const mail = await waitingFor(place.organisationId, now);
      if (mail === null) throw new Error('no mail waits');
      const taken = await Promise.all([takeMail(db, mail), takeMail(db, mail)]);
      expect(taken.toSorted()).toEqual([false, true]);
      expect(await waitingFor(place.organisationId, now + DAY)).toBeNull();
      await postponeMail(db, mail, iso(now + HOUR));
      expect(await waitingFor(place.organisationId, now + HOUR - 1)).toBeNull();
      expect(await waitingFor(place.organisationId, now + HOUR)).toMatchObject({ email, tries: 1 });
      // What was read before it waited again takes nothing.
      expect(await takeMail(db, mail)).toBe(false);
      await removeMail(db, mail);
      expect(await waitingFor(place.organisationId, now + DAY)).toBeNull();
    });

    it('name no token whose end was moved, that was deleted, or whose organisation left Enterprise', async () => {
      const moved = await given();
      const deleted = await given();
      const left = await given();
      const now = moved.end - 30 * DAY;
      await runWithMail(now);
      await moved.setEnd(moved.end + DAY, now + 1);
      await removeToken(db, deleted.place, deleted.id, causeAt(now, email));
      await db
        .update(organisations)
        .set({ plan: 'pro' })
        .where(eq(organisations.id, left.place.organisationId));
      const named = new Map<string, unknown>();
      for (;;) {
        const mail = await findWaitingMail(db, iso(now + 1));
        if (mail === null) break;
        named.set(mail.notice.organisationId, await listEndingTokens(db, mail.notice, iso(now + 1)));
        await removeMail(db, mail);
      }
      expect([moved, deleted, left].map(({ place }) => named.get(place.organisationId))).toEqual([
        [],
        [],
        [],
      ]);
    });

    it('are not queued by the release before, whose warnings the present one mails', async () => {
      const { place } = await given();
      await db.insert(expiryMails).values({
        organisationId: place.organisationId,
        email,
        run: 'run',
        queuedAt: iso(START),
        dueAt: iso(START),
        tries: 0,
      });
      expect(await db.select().from(expiryMails)).toEqual([]);
    });

    it('are deleted with their member', async () => {
      const { place, end, waiting } = await given(60 * DAY, [email, 'gone@example.com']);
      await runWithMail(end - 30 * DAY);
      await removeMember(db, place.organisationId, 'gone@example.com', causeAt(START, 'operator'));
      expect(await waiting()).toEqual([{ email }]);
    });
  });
}
