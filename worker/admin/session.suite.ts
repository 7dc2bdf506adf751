// What the database keeps of signing in: links, identities, sessions, daily counts. Run on every kind of
// database.
import { eq } from 'drizzle-orm';
import { beforeAll, expect, it } from 'vitest';
import type { Cause } from '../activity/events.ts';
import { listEvents } from '../activity/store.ts';
import { DAILY_LIMITS, countDaily } from '../daily-limit.ts';
import type { Db } from '../database.ts';
import { dailyCounts } from '../tables.ts';
import { insertOrganisation } from '../test/rows.ts';
import { randomValue } from '../random.ts';
import { signInAs } from './identity.ts';
import { createLinkCode, knownClient, readLinkCode, redeemLinkCode } from './link.ts';
import { endSession, endSessionById, endSessionsOf, listSessions, readSession } from './session.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const now = Date.now();
const browser = 'b'.repeat(43);

/** `open` is called before the first test. */
export function describeSessions(open: () => Promise<Db>): void {
  let db: Db;
  beforeAll(async () => {
    db = await open();
  });

  const newMember = async (): Promise<{ email: string; organisation: string; cause: Cause }> => {
    const email = `${crypto.randomUUID()}@example.com`;
    const organisation = await insertOrganisation(db, 'enterprise', [email]);
    const at = new Date(now).toISOString();
    return { email, organisation, cause: { actor: email, requestId: 'r', ip: null, userAgent: 'a', at } };
  };

  const redeem = (code: string, by: string, cause: Cause, at = now): Promise<string | null> =>
    redeemLinkCode(db, code, { code: by, session: undefined, newSession: randomValue() }, cause, at);
  const ask = async (email: string, client = 'client', at = now) => {
    const code = randomValue();
    return { code, ...(await createLinkCode(db, { email, code, browser, client }, at)) };
  };

  it('redeems a link once, in the browser that asked, within ten minutes, for a member alone', async () => {
    const { email, cause, organisation } = await newMember();
    const { code, ...created } = await ask(email);
    expect(created).toEqual({ ok: true, known: true });
    // A stranger's row is written as well, and opens nothing.
    const stranger = await ask(`x${email}`);
    expect(stranger).toMatchObject({ ok: true, known: false });
    expect(await readLinkCode(db, stranger.code, browser, now)).toEqual({ email: `x${email}` });
    expect(await redeem(stranger.code, browser, cause)).toBeNull();
    expect(await readLinkCode(db, code, 'another', now)).toBeNull();
    expect(await redeem(code, 'another', cause)).toBeNull();
    expect(await redeem(code, browser, cause, now + 10 * MINUTE)).toBeNull();
    const both = await Promise.all([1, 2].map(() => redeem(code, browser, cause)));
    expect(both.filter((cookie) => cookie !== null)).toHaveLength(1);
    expect(await listSessions(db, email, now)).toHaveLength(1);
    const { events } = await listEvents(db, organisation, {});
    expect(events.map(({ action, actor, detail }) => [action, actor, detail])).toEqual([
      ['sign-in', email, 'link'],
    ]);
  });

  it('keeps three unused codes of one client, six of one address, three more of clients without one, and counts none that is used or over', async () => {
    const { email, cause } = await newMember();
    const times = async (count: number, client: string, at = now) => {
      const asked: boolean[] = [];
      for (let time = 0; time < count; time++) asked.push((await ask(email, client, at)).ok);
      return asked;
    };
    expect(await times(5, 'one')).toEqual([true, true, true, false, false]);
    expect(await times(2, 'two')).toEqual([true, true]);
    expect(await times(2, 'three')).toEqual([true, false]);
    expect(await times(1, 'two')).toEqual([false]);
    for (const client of ['four', 'five', 'six']) expect(await times(2, client)).toEqual([true, false]);
    expect(await times(1, 'seven')).toEqual([false]);
    // A browser that has signed in before neither needs their places nor takes one.
    expect(await times(4, knownClient(email))).toEqual([true, true, true, false]);
    // Ten minutes later they are over.
    const later = now + 10 * MINUTE;
    expect(await times(2, 'one', later)).toEqual([true, true]);
    const { code } = await ask(email, 'one', later);
    expect(await redeem(code, browser, cause, later)).not.toBeNull();
    expect(await times(2, 'one', later)).toEqual([true, false]);
  });

  it('counts by the day, exactly, and writes nothing over the limit', async () => {
    const subject = crypto.randomUUID();
    const most = DAILY_LIMITS.creation;
    const midnight = Math.ceil(now / DAY) * DAY;
    const all = await Promise.all(
      Array.from({ length: most + 5 }, () => countDaily(db, 'creation', subject, midnight - HOUR)),
    );
    expect(all.filter(({ ok }) => ok)).toHaveLength(most);
    expect(all.find(({ ok }) => !ok)).toEqual({ ok: false, retryAfter: 3600 });
    expect(await countDaily(db, 'change', subject, midnight - HOUR)).toEqual({ ok: true });
    expect(await countDaily(db, 'creation', `x${subject}`, midnight - HOUR)).toEqual({ ok: true });
    const [row] = await db.select().from(dailyCounts).where(eq(dailyCounts.subject, subject));
    expect(row).toBeDefined();
    expect(await countDaily(db, 'creation', subject, midnight)).toEqual({ ok: true });
  });

  it('binds an address to its first subject', async () => {
    const { email, cause } = await newMember();
    const claim = (subject: string, address = email) =>
      signInAs(
        db,
        { issuer: 'https://issuer.example', email: address, subject },
        { session: undefined, newSession: randomValue() },
        cause,
        now,
      );
    expect(await claim(`1-${email}`)).toMatchObject({ ok: true });
    expect(await claim(`1-${email}`)).toMatchObject({ ok: true });
    expect(await claim(`2-${email}`)).toEqual({ ok: false, reason: 'sign-in-failed' });
    expect(await claim('3', `x${email}`)).toEqual({ ok: false, reason: 'unknown-member' });
    expect(await listSessions(db, email, now)).toHaveLength(2);
  });

  it('keeps a session until it ends, idles for two hours, or is twelve hours old', async () => {
    const { email, cause, organisation } = await newMember();
    const start = async (at: number): Promise<string> => {
      const { code } = await ask(email, 'client', at);
      return /=([^;]+)/.exec((await redeem(code, browser, cause, at)) ?? '')?.[1] ?? '';
    };
    const cookie = await start(now);
    const session = await readSession(db, cookie, now + HOUR);
    expect(session).toMatchObject({ email, method: 'link', createdAt: now, userAgent: 'a' });
    // Reading it an hour later has moved its last sight.
    expect(await readSession(db, cookie, now + 2.5 * HOUR)).not.toBeNull();
    expect(await readSession(db, cookie, now + 5 * HOUR)).toBeNull();
    if (session === null) return;
    // Twice, as two calls do that were let in at the same time: the record grows by one.
    for (let count = 0; count < 2; count++) await endSession(db, session, cause);
    expect(await readSession(db, cookie, now)).toBeNull();
    for (let count = 0; count < 3; count++) await start(now + count);
    const [newest, second] = await listSessions(db, email, now);
    expect(await endSessionById(db, email, second?.id ?? '', cause)).toBe(true);
    expect(await endSessionById(db, email, second?.id ?? '', cause)).toBe(false);
    for (let count = 0; count < 2; count++) await endSessionsOf(db, email, cause, newest?.hash);
    expect((await listSessions(db, email, now)).map(({ id }) => id)).toEqual([newest?.id]);
    const { events } = await listEvents(db, organisation, { action: 'sign-out' });
    expect(events.map(({ detail }) => detail)).toEqual(['everywhere', 'one session', null]);
  });
}
