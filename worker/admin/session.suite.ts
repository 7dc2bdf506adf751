// What the database keeps of signing in: links, round trips, identities, sessions. Run on every database that may be the
// truth.
import { beforeAll, expect, it } from 'vitest';
import type { Cause } from '../activity/events.ts';
import { listEvents } from '../activity/store.ts';
import type { Db } from '../database.ts';
import { insertOrganisation } from '../test/rows.ts';
import { claimIdentity, keepRoundTrip, takeRoundTrip } from './identity.ts';
import { createLinkCode, redeemLinkCode } from './link.ts';
import {
  endSession,
  endSessionById,
  endSessionsOf,
  listSessions,
  readSession,
  startSession,
} from './session.ts';

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

  it('redeems a link once, in the browser that asked, within ten minutes, for a member alone', async () => {
    const { email } = await newMember();
    const { code, known } = await createLinkCode(db, email, browser, now);
    expect(known).toBe(true);
    expect((await createLinkCode(db, `x${email}`, browser, now)).known).toBe(false);
    expect(await redeemLinkCode(db, code, 'another', now)).toBeNull();
    expect(await redeemLinkCode(db, code, browser, now + 10 * MINUTE)).toBeNull();
    const both = await Promise.all([1, 2].map(() => redeemLinkCode(db, code, browser, now)));
    expect(both.toSorted()).toEqual([email, null].toSorted());
  });

  it('takes a round trip once, and binds an address to its first subject', async () => {
    const { email } = await newMember();
    const trip = { state: crypto.randomUUID(), nonce: 'n', codeVerifier: 'v', returnTo: '/' };
    await keepRoundTrip(db, trip, browser, now);
    expect(await takeRoundTrip(db, trip.state, browser, now)).toEqual(trip);
    expect(await takeRoundTrip(db, trip.state, browser, now)).toBeNull();
    const claim = (subject: string, address = email) =>
      claimIdentity(db, { issuer: 'https://issuer.example', email: address, subject }, now);
    expect(await claim(`1-${email}`)).toEqual({ ok: true });
    expect(await claim(`1-${email}`)).toEqual({ ok: true });
    expect(await claim(`2-${email}`)).toEqual({ ok: false, reason: 'sign-in-failed' });
    expect(await claim('3', `x${email}`)).toEqual({ ok: false, reason: 'unknown-member' });
  });

  it('keeps a session until it ends, idles for two hours, or is twelve hours old', async () => {
    const { email, cause, organisation } = await newMember();
    const start = async (at: number): Promise<string> => {
      const header = await startSession(db, { email, method: 'link' }, undefined, cause, at);
      return /=([^;]+)/.exec(header)?.[1] ?? '';
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
