// The mails about events, for any events and runs: what is lost, late or doubled. Run on every kind of database.
import { and, eq, gte, isNull, lte } from 'drizzle-orm';
import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { NEW_BROWSER } from '../activity/events.ts';
import type { Action } from '../activity/events.ts';
import type { Db } from '../database.ts';
import type { Fault } from '../test/faults.ts';
import { insertOrganisation } from '../test/rows.ts';
import { events, mails, members, notices } from '../tables.ts';
import { MAILS_OF_A_RUN, sendMails } from './mailing.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Later than anything else that the suites of one database write. */
const START = Date.parse('2060-01-01T12:00:00.000Z');
const iso = (ms: number) => new Date(ms).toISOString();

type Sent = { to: string; subject: string; text: string; at: number };
type Kind = Extract<Action, 'token.created' | 'token.deleted' | 'sign-in' | 'token.renamed'>;

/**
 * `openWith` opens the database with a fault of one of the `kinds`, or without; it is called before the first test as well. `numRuns`:
 * how many schedules are tried.
 */
export function describeMails(
  openWith: (fault: Fault | null) => Promise<Db>,
  kinds: readonly Fault['kind'][],
  numRuns: number,
): void {
  let db: Db;
  /** Each test begins a year after the one before. */
  let now = START;
  let addresses = 0;
  beforeAll(async () => {
    db = await openWith(null);
  });

  /** Runs at `now`; a run that fails is over. */
  async function run(sent: Sent[], fault: Fault | null = null, most = MAILS_OF_A_RUN): Promise<void> {
    const own = {
      mailer: {
        send: (mail: Omit<Sent, 'at'>) => {
          sent.push({ ...mail, at: now });
          return Promise.resolve();
        },
      },
      openDatabase: () => openWith(fault),
      settings: { origins: { all: ['https://zone.example'] }, productName: '9Pic' },
    };
    // Of the settings it reads these alone.
    await sendMails(own as unknown as Parameters<typeof sendMails>[0], now, most).catch((error: unknown) => {
      if (fault === null) throw error;
    });
  }

  /** Begins a new time, in which nothing of the time before is mailed. */
  async function given(emails: string[]) {
    now += 365 * DAY;
    await run([]);
    return insertOrganisation(db, 'enterprise', emails);
  }

  /** Puts an event on record in these organisations, as one statement does, and answers the address that names it. */
  async function happens(organisations: string[], kind: Kind, actor: string, at = now): Promise<string> {
    addresses++;
    const ip = `10.${addresses >> 16}.${(addresses >> 8) & 255}.${addresses & 255}`;
    const requestId = crypto.randomUUID();
    const detail = kind === 'sign-in' ? `link${NEW_BROWSER}` : null;
    await db.insert(events).values(
      organisations.map((organisationId) => ({
        at: iso(at),
        organisationId,
        actor,
        action: kind,
        preview: kind === 'sign-in' ? null : '9pAbc',
        requestId,
        ip,
        detail,
      })),
    );
    return ip;
  }

  /** The addresses of the events that a mail tells of. */
  const toldIn = ({ text }: Sent) =>
    [...text.matchAll(/network address ([\d.]+),/g)].map(([, ip = '']) => ip);
  const person = () => `${crypto.randomUUID()}@example.com`;

  describe('the mails about events', () => {
    it('tell what comes within a minute of the last one together, for each organisation and kind', async () => {
      const [ann, bob] = [person(), person()];
      const acme = await given([ann]);
      const other = await insertOrganisation(db, 'enterprise', [bob]);
      const sent: Sent[] = [];
      const first = await happens([acme], 'token.created', ann);
      await run(sent);
      expect(sent.map((mail) => [mail.to, toldIn(mail)])).toEqual([[ann, [first]]]);
      now += 20 * SECOND;
      const second = await happens([acme], 'token.created', ann);
      const ofAnotherKind = await happens([acme], 'token.deleted', ann);
      const ofAnother = await happens([other], 'token.created', bob);
      await run(sent);
      expect(
        sent
          .splice(1)
          .map((mail) => [mail.to, toldIn(mail)])
          .toSorted(),
      ).toEqual(
        [
          [ann, [ofAnotherKind]],
          [bob, [ofAnother]],
        ].toSorted(),
      );
      now += 39 * SECOND;
      const third = await happens([acme], 'token.created', ann);
      await run(sent);
      expect(sent).toHaveLength(1);
      now += SECOND + 100;
      await run(sent);
      expect(sent.slice(1).map((mail) => [mail.to, toldIn(mail)])).toEqual([[ann, [second, third]]]);
    });

    it('go to all members of a large organisation, some at a time, and keep no other organisation waiting', async () => {
      const many = Array.from({ length: 50 }, person).toSorted();
      const large = await given(many);
      const ann = person();
      const small = await insertOrganisation(db, 'enterprise', [ann]);
      const ip = await happens([large], 'token.created', 'a@example.com');
      await happens([small], 'token.created', ann);
      const sent: Sent[] = [];
      const most = { ...MAILS_OF_A_RUN, mails: 30 };
      await run(sent, null, most);
      expect(sent).toHaveLength(30);
      expect(sent.map(({ to }) => to)).toContain(ann);
      // What comes before all are told is told by one mail afterwards.
      now += 2 * MINUTE;
      const later = [await happens([large], 'token.created', 'a@example.com')];
      await run(sent, null, { ...most, mails: 10 });
      now += 2 * MINUTE;
      later.push(await happens([large], 'token.created', 'a@example.com'));
      await run(sent);
      const toMany = sent.filter(({ to }) => to !== ann);
      expect(
        toMany
          .slice(0, 50)
          .map(({ to }) => to)
          .toSorted(),
      ).toEqual(many);
      expect(new Set(toMany.slice(0, 50).flatMap(toldIn))).toEqual(new Set([ip]));
      expect(
        toMany
          .slice(50)
          .map(({ to }) => to)
          .toSorted(),
      ).toEqual(many);
      expect(toMany.slice(50).map(toldIn)).toEqual(many.map(() => later));
    });

    it('name twenty events, and say how many more there are', async () => {
      const ann = person();
      const acme = await given([ann]);
      for (let count = 0; count < 25; count++) await happens([acme], 'token.deleted', ann);
      const sent: Sent[] = [];
      await run(sent);
      expect(sent.map(({ subject }) => subject)).toEqual(['9Pic: 25 API tokens were deleted']);
      expect(sent.flatMap(toldIn)).toHaveLength(20);
      expect(sent[0]?.text).toContain('- and 5 more, which the activity shows\r\n');
    });

    it('tell nothing that is older than a day, nor what happened to another organisation of the same id', async () => {
      const ann = person();
      const acme = await given([ann]);
      await happens([acme], 'token.created', ann, now - DAY - 1);
      await happens([acme], 'token.deleted', ann);
      await db.insert(events).values({
        at: iso(now),
        organisationId: acme,
        actor: 'operator',
        action: 'organisation.deleted',
        requestId: 'r',
      });
      const sent: Sent[] = [];
      await run(sent);
      expect(sent).toEqual([]);
      const ip = await happens([acme], 'token.created', ann);
      await run(sent);
      expect(sent.flatMap(toldIn)).toEqual([ip]);
    });

    it('that cannot be written keep no other waiting: the time of an event that was written at the SQL prompt is none', async () => {
      const [ann, bob] = [person(), person()];
      const acme = await given([ann]);
      const other = await insertOrganisation(db, 'enterprise', [bob]);
      await db.insert(events).values({
        at: 'yesterday',
        organisationId: acme,
        actor: ann,
        action: 'token.created',
        preview: '9pAbc',
        requestId: 'r',
      });
      const ip = await happens([other], 'token.created', bob);
      const sent: Sent[] = [];
      await run(sent);
      expect(sent.map((mail) => [mail.to, toldIn(mail)])).toEqual([[bob, [ip]]]);
      expect(await db.select().from(mails)).toEqual([]);
    });

    const step = fc.constantFrom(1, 20 * SECOND, MINUTE - 1, MINUTE, 5 * MINUTE, HOUR);
    const fault = fc.record({ at: fc.integer({ min: 0, max: 14 }), kind: fc.constantFrom(...kinds) });
    const deed = fc.oneof(
      {
        weight: 3,
        arbitrary: fc.record({
          do: fc.constant('happen' as const),
          kind: fc.constantFrom<Kind>('token.created', 'token.deleted', 'sign-in', 'token.renamed'),
          where: fc.integer({ min: 0, max: 2 }),
        }),
      },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('run' as const), step }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('fail' as const), step, fault }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('both' as const), step, fault }) },
    );

    it('tell each member of each event once, for any events and for runs that are lost, late, doubled or fail', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(deed, { minLength: 5, maxLength: 16 }), async (deeds) => {
          const people = [person(), person(), person()] as const;
          const organisations = [
            await given([...people]),
            await insertOrganisation(db, 'enterprise', [people[0]]),
            await insertOrganisation(db, 'enterprise', [people[1], people[2]]),
          ] as const;
          const membersOf = [[...people], [people[0]], [people[1], people[2]]];
          const expected: { ip: string; email: string; key: string; at: number }[] = [];
          const sent: Sent[] = [];
          let unanswered = 0;
          for (const each of deeds) {
            if (each.do === 'happen') {
              const actor = people[each.where] ?? people[0];
              if (each.kind === 'sign-in') {
                const theirs = organisations.filter((_, index) => membersOf[index]?.includes(actor));
                const ip = await happens(theirs.toSorted(), each.kind, actor);
                expected.push({ ip, email: actor, key: `${each.kind} ${actor}`, at: now });
                continue;
              }
              const organisation = organisations[each.where] ?? organisations[0];
              const ip = await happens([organisation], each.kind, actor);
              if (each.kind === 'token.renamed') continue;
              for (const email of membersOf[each.where] ?? [])
                expected.push({ ip, email, key: `${each.kind} ${organisation}`, at: now });
              continue;
            }
            now += each.step;
            if (each.do === 'run') await run(sent);
            else {
              if (each.fault.kind === 'unanswered') unanswered++;
              await Promise.all([run(sent, each.fault), ...(each.do === 'both' ? [run(sent)] : [])]);
            }
          }
          for (let count = 0; count < 3; count++) {
            now += MINUTE + SECOND;
            await run(sent);
          }
          const told = sent.flatMap((mail) => toldIn(mail).map((ip) => `${ip} ${mail.to}`));
          expect(new Set(told).size).toBe(told.length);
          const missing = expected.filter(({ ip, email }) => !told.includes(`${ip} ${email}`));
          expect(told).toHaveLength(expected.length - missing.length);
          // A mail is lost only where it was taken and the answer of the database was lost.
          expect(unanswered === 0 ? missing : []).toEqual([]);
          for (const { ip, email } of missing) {
            const left = await db
              .select({ email: mails.email })
              .from(mails)
              .innerJoin(notices, eq(notices.id, mails.noticeId))
              .innerJoin(
                events,
                and(gte(events.id, notices.firstEvent), lte(events.id, notices.lastEvent), eq(events.ip, ip)),
              )
              .where(and(eq(mails.email, email), isNull(mails.dueAt)));
            expect(left.length).toBeGreaterThan(0);
          }
          // Of one organisation and kind, a member gets the nth mail no earlier than n minutes after the first event, counted from 0.
          const series = new Map<string, number[]>();
          const begun = new Map<string, number>();
          for (const mail of sent) {
            const [ip] = toldIn(mail);
            const first = expected.find((each) => each.ip === ip);
            const key = `${mail.to} ${first?.key}`;
            begun.set(key, begun.get(key) ?? first?.at ?? 0);
            series.set(key, [...(series.get(key) ?? []), mail.at]);
          }
          for (const [key, times] of series)
            for (const [index, at] of times.entries())
              expect(at).toBeGreaterThanOrEqual((begun.get(key) ?? 0) + index * MINUTE);
          for (const organisation of organisations)
            await db.delete(members).where(eq(members.organisationId, organisation));
        }),
        { numRuns },
      );
    });
  });
}
