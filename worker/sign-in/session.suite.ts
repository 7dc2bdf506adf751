// What the database keeps of signing in: links, identities, sessions, daily counts. Run on every kind of
// database.
import { and, eq } from 'drizzle-orm';
import { beforeAll, expect, it } from 'vitest';
import type { Cause } from '../activity/events.ts';
import { listEvents } from '../activity/store.ts';
import { DAILY_LIMITS, countDaily } from '../daily-limit.ts';
import type { Db } from '../database.ts';
import { removeMember } from '../organisation/members.ts';
import { dailyCounts, events as eventRows, signIns } from '../tables.ts';
import { insertOrganisation } from '../test/rows.ts';
import { randomValue } from '../random.ts';
import { signInAs } from './identity.ts';
import { createLinkCode, knownClient, readLinkCode, redeemLinkCode } from './link-code.ts';
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
    redeemLinkCode(
      db,
      code,
      { code: by, session: undefined, newSession: randomValue(), isKnown: true },
      cause,
      at,
    );
  const ask = async (email: string, client = 'client', at = now) => {
    const code = randomValue();
    return { code, ...(await createLinkCode(db, { email, code, browser, client }, at)) };
  };

  it('redeems a link once, in the browser that asked, within ten minutes, and only for a member', async () => {
    const { email, cause, organisation } = await newMember();
    const { code, ...created } = await ask(email);
    expect(created).toEqual({ ok: true, known: true });
    // A stranger's row is written as well, and opens nothing.
    const stranger = await ask(`x${email}`);
    expect(stranger).toMatchObject({ ok: true, known: false });
    const rowsOf = db
      .select()
      .from(signIns)
      .where(eq(signIns.email, `x${email}`));
    expect(await rowsOf).toHaveLength(1);
    expect(await readLinkCode(db, stranger.code, browser, now)).toBeNull();
    expect(await readLinkCode(db, code, browser, now)).toEqual({ email });
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

  it('keeps three unused codes of one client, six of one address, three more of clients without an address, and does not count used or expired ones', async () => {
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
    // The six places of the others are theirs, although a known browser has asked first.
    const last = later + 10 * MINUTE;
    expect(await times(3, knownClient(email), last)).toEqual([true, true, true]);
    for (const client of ['one', 'two']) expect(await times(3, client, last)).toEqual([true, true, true]);
    expect(await times(2, 'three', last)).toEqual([true, false]);
  });

  it('counts by the day, exactly, and writes nothing over the limit', async () => {
    const subject = crypto.randomUUID();
    const most = DAILY_LIMITS.creation;
    const midnight = Math.ceil(now / DAY) * DAY;
    const all = await Promise.all(
      Array.from({ length: most + 5 }, () =>
        countDaily(db, { kind: 'creation', subject, now: midnight - HOUR }),
      ),
    );
    expect(all.filter(({ ok }) => ok)).toHaveLength(most);
    expect(all.find(({ ok }) => !ok)).toEqual({ ok: false, retryAfter: 3600 });
    expect(await countDaily(db, { kind: 'change', subject, now: midnight - HOUR })).toEqual({ ok: true });
    expect(await countDaily(db, { kind: 'creation', subject: `x${subject}`, now: midnight - HOUR })).toEqual({
      ok: true,
    });
    const [row] = await db.select().from(dailyCounts).where(eq(dailyCounts.subject, subject));
    expect(row).toBeDefined();
    expect(await countDaily(db, { kind: 'creation', subject, now: midnight })).toEqual({ ok: true });
    // Each midnight of two that follow each other.
    for (const end of [midnight, midnight + DAY]) {
      const another = crypto.randomUUID();
      expect(await countDaily(db, { kind: 'link', subject: another, now: end - HOUR, most: 1 })).toEqual({
        ok: true,
      });
      expect(await countDaily(db, { kind: 'link', subject: another, now: end - HOUR, most: 1 })).toEqual({
        ok: false,
        retryAfter: 3600,
      });
    }
  });

  it('binds an address to its first subject', async () => {
    const { email, cause } = await newMember();
    const claim = (subject: string, address = email) =>
      signInAs(
        db,
        'oidc',
        { issuer: 'https://issuer.example', email: address, subject },
        { session: undefined, newSession: randomValue(), isKnown: true },
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
    const stranger = await newMember();
    const { code } = await ask(stranger.email);
    await redeem(code, browser, stranger.cause);
    const [theirs] = await listSessions(db, stranger.email, now);
    const all = await listSessions(db, email, now);
    expect(all.map(({ createdAt }) => createdAt - now)).toEqual([2, 1, 0]);
    const [newest, second, oldest] = all.map(({ id }) => id);
    // Another member's id ends nothing.
    expect(await endSessionById(db, email, theirs?.id ?? '', cause)).toBe(false);
    expect(await endSessionById(db, email, second ?? '', cause)).toBe(true);
    expect(await endSessionById(db, email, second ?? '', cause)).toBe(false);
    expect((await listSessions(db, email, now)).map(({ id }) => id)).toEqual([newest, oldest]);
    for (let count = 0; count < 2; count++) await endSessionsOf(db, email, cause);
    expect(await listSessions(db, email, now)).toEqual([]);
    expect(await listSessions(db, stranger.email, now)).toHaveLength(1);
    const { events } = await listEvents(db, organisation, { action: 'sign-out' });
    expect(events.map(({ detail }) => detail)).toEqual(['everywhere', 'one session', null]);
  });
  it('forgets a session exactly two hours after it was seen last, and twelve hours after it began', async () => {
    const { email, cause } = await newMember();
    const { code } = await ask(email);
    const cookie = /=([^;]+)/.exec((await redeem(code, browser, cause)) ?? '')?.[1] ?? '';
    expect(await readSession(db, randomValue(), now)).toBeNull();
    const seenAt = async () => (await listSessions(db, email, now))[0]?.seenAt;
    // Reading is written down once a minute, and not at all for requests that no person asked for.
    await readSession(db, cookie, now + MINUTE);
    await readSession(db, cookie, now + MINUTE + 1, true);
    expect(await seenAt()).toBe(now);
    await readSession(db, cookie, now + MINUTE + 1);
    expect(await seenAt()).toBe(now + MINUTE + 1);
    const idle = now + MINUTE + 1 + 2 * HOUR;
    expect(await listSessions(db, email, idle - 1)).toHaveLength(1);
    expect(await listSessions(db, email, idle)).toEqual([]);
    expect(await readSession(db, cookie, idle)).toBeNull();
    const end = now + 12 * HOUR;
    for (let at = idle - 1; at < end; at += HOUR) expect(await readSession(db, cookie, at)).not.toBeNull();
    expect(await readSession(db, cookie, end - 1)).not.toBeNull();
    expect(await listSessions(db, email, end - 1)).toHaveLength(1);
    expect(await readSession(db, cookie, end)).toBeNull();
    expect(await listSessions(db, email, end)).toEqual([]);
  });

  it('ends the session that the browser sent with a successful sign-in, and no other session', async () => {
    const [{ email, cause }, stranger] = [await newMember(), await newMember()];
    const start = async (who: { email: string; cause: Cause }, session?: string) => {
      const { code } = await ask(who.email);
      const bringing = { code: browser, session, newSession: randomValue(), isKnown: true };
      return /=([^;]+)/.exec((await redeemLinkCode(db, code, bringing, who.cause, now)) ?? '')?.[1] ?? '';
    };
    const [theirs, first] = [await start(stranger), await start({ email, cause })];
    const failing = { code: browser, session: first, newSession: randomValue(), isKnown: true };
    expect(await redeemLinkCode(db, randomValue(), failing, cause, now)).toBeNull();
    expect(await readSession(db, first, now)).not.toBeNull();
    const second = await start({ email, cause }, first);
    expect(await readSession(db, first, now)).toBeNull();
    expect(await readSession(db, second, now)).not.toBeNull();
    expect(await readSession(db, theirs, now)).not.toBeNull();
  });

  it('does not affect the links of others when one is redeemed', async () => {
    const [{ email, cause }, stranger] = [await newMember(), await newMember()];
    const [mine, theirs] = [await ask(email), await ask(stranger.email)];
    expect(await redeem(mine.code, browser, cause)).not.toBeNull();
    expect(await redeem(theirs.code, browser, stranger.cause)).not.toBeNull();
  });

  it('records an event of a member of very many organisations in the first hundred, by id', async () => {
    const email = `${crypto.randomUUID()}@example.com`;
    const made: string[] = [];
    for (let count = 0; count < 102; count++) made.push(await insertOrganisation(db, 'pro', [email]));
    const first = made.toSorted().slice(0, 100);
    const cause = {
      actor: email,
      requestId: email,
      ip: null,
      userAgent: null,
      at: new Date(now).toISOString(),
    };
    const { code } = await ask(email);
    await redeem(code, browser, cause);
    await endSessionsOf(db, email, cause);
    for (const action of ['sign-in', 'sign-out']) {
      const rows = await db
        .select({ organisation: eventRows.organisationId })
        .from(eventRows)
        .where(and(eq(eventRows.requestId, email), eq(eventRows.action, action)));
      expect(rows.map(({ organisation }) => organisation ?? '').toSorted()).toEqual(first);
    }
  });

  it('compares a subject by issuer and address, and refuses a former member', async () => {
    const [{ email, organisation, cause }, other] = [await newMember(), await newMember()];
    const [a, b] = ['https://a.example', 'https://b.example'];
    const claim = (issuer: string, address: string, name: string) =>
      signInAs(
        db,
        'oidc',
        { issuer, email: address, subject: `${name}-${email}` },
        { session: undefined, newSession: randomValue(), isKnown: true },
        cause,
        now,
      );
    const failed = { ok: false, reason: 'sign-in-failed' };
    expect(await claim(a, email, '1')).toMatchObject({ ok: true });
    // Another issuer's subjects are other people, whatever they are called.
    expect(await claim(b, email, '2')).toMatchObject({ ok: true });
    expect(await claim(b, email, '1')).toEqual(failed);
    expect(await claim(a, email, '2')).toEqual(failed);
    // The subject turns up under another member's address.
    expect(await claim(a, other.email, '1')).toEqual(failed);
    expect(await listSessions(db, other.email, now)).toEqual([]);
    await removeMember(db, organisation, email, cause);
    expect(await claim(a, email, '1')).toEqual({ ok: false, reason: 'unknown-member' });
    expect(await listSessions(db, email, now)).toEqual([]);
  });
}
