// What the database keeps of signing in: links, round trips, identities, sessions. Run on every database that may be the
// truth.
import { beforeAll, expect, it } from 'vitest';
import type { Cause } from '../activity/events.ts';
import { listEvents } from '../activity/store.ts';
import type { Db } from '../database.ts';
import { insertOrganisation } from '../test/rows.ts';
import { keepRoundTrip, signInAs, takeRoundTrip } from './identity.ts';
import { createLinkCode, redeemLinkCode } from './link.ts';
import { endSession, endSessionById, endSessionsOf, listSessions, readSession } from './session.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
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
    redeemLinkCode(db, code, { code: by, session: undefined }, cause, at);

  it('redeems a link once, in the browser that asked, within ten minutes, for a member alone', async () => {
    const { email, cause, organisation } = await newMember();
    const { code, known } = await createLinkCode(db, email, browser, now);
    expect(known).toBe(true);
    expect((await createLinkCode(db, `x${email}`, browser, now)).known).toBe(false);
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

  it('takes a round trip once, and binds an address to its first subject', async () => {
    const { email, cause } = await newMember();
    const trip = { state: crypto.randomUUID(), nonce: 'n', codeVerifier: 'v', returnTo: '/' };
    await keepRoundTrip(db, trip, browser, now);
    expect(await takeRoundTrip(db, trip.state, browser, now)).toEqual(trip);
    expect(await takeRoundTrip(db, trip.state, browser, now)).toBeNull();
    const claim = (subject: string, address = email) =>
      signInAs(db, { issuer: 'https://issuer.example', email: address, subject }, undefined, cause, now);
    expect(await claim(`1-${email}`)).toMatchObject({ ok: true });
    expect(await claim(`1-${email}`)).toMatchObject({ ok: true });
    expect(await claim(`2-${email}`)).toEqual({ ok: false, reason: 'sign-in-failed' });
    expect(await claim('3', `x${email}`)).toEqual({ ok: false, reason: 'unknown-member' });
    expect(await listSessions(db, email, now)).toHaveLength(2);
  });

  it('keeps a session until it ends, idles for two hours, or is twelve hours old', async () => {
    const { email, cause, organisation } = await newMember();
    const start = async (at: number): Promise<string> => {
      const { code } = await createLinkCode(db, email, browser, at);
      return /=([^;]+)/.exec((await redeem(code, browser, cause, at)) ?? '')?.[1] ?? '';
    };
    const cookie = await start(now);
    const session = await readSession(db, cookie, now + HOUR);
    expect(session).toMatchObject({ email, method: 'link', createdAt: now, userAgent: 'a' });
    // Reading it an hour later has moved its last sight.
    expect(await readSession(db, cookie, now + 2.5 * HOUR)).not.toBeNull();
    expect(await readSession(db, cookie, now + 5 * HOUR)).toBeNull();
    if (session === null) return;
    await endSession(db, session, cause);
    expect(await readSession(db, cookie, now)).toBeNull();
    for (let count = 0; count < 3; count++) await start(now + count);
    const [newest, second] = await listSessions(db, email, now);
    expect(await endSessionById(db, email, second?.id ?? '', cause)).toBe(true);
    expect(await endSessionById(db, email, second?.id ?? '', cause)).toBe(false);
    await endSessionsOf(db, email, cause, newest?.hash);
    expect((await listSessions(db, email, now)).map(({ id }) => id)).toEqual([newest?.id]);
    const { events } = await listEvents(db, organisation, { action: 'sign-out' });
    expect(events.map(({ detail }) => detail)).toEqual(['everywhere', 'one session', null]);
  });
}
