// What the database keeps of single sign-on: round trips under way, and whose address the provider's subject is.
import { and, eq, exists, gt, isNotNull, sql } from 'drizzle-orm';
import type { Cause } from '../activity/events.ts';
import type { Db } from '../database.ts';
import { sha256Hex } from '../random.ts';
import { identities, members, signIns } from '../tables.ts';
import { SIGN_IN_MS } from './link.ts';
import { beginSession } from './session.ts';

export type RoundTrip = { state: string; nonce: string; codeVerifier: string; returnTo: string };

/** Keeps what the callback must meet, under the hash of the state, for ten minutes. */
export async function keepRoundTrip(db: Db, trip: RoundTrip, browser: string, now: number): Promise<void> {
  await db.insert(signIns).values({
    hash: sha256Hex(trip.state),
    browserHash: sha256Hex(browser),
    nonce: trip.nonce,
    codeVerifier: trip.codeVerifier,
    returnTo: trip.returnTo,
    expiresAt: now + SIGN_IN_MS,
  });
}

/** The round trip that this browser began with this state, once; null where it is over, taken, or another browser's. */
export async function takeRoundTrip(
  db: Db,
  state: string,
  browser: string | undefined,
  now: number,
): Promise<RoundTrip | null> {
  if (browser === undefined) return null;
  const [row] = await db
    .delete(signIns)
    .where(
      and(
        eq(signIns.hash, sha256Hex(state)),
        eq(signIns.browserHash, sha256Hex(browser)),
        gt(signIns.expiresAt, now),
        // A mailed link's code is no state.
        isNotNull(signIns.nonce),
      ),
    )
    .returning();
  if (row === undefined || row.nonce === null || row.codeVerifier === null || row.returnTo === null)
    return null;
  return { state, nonce: row.nonce, codeVerifier: row.codeVerifier, returnTo: row.returnTo };
}

/**
 * Lets the member in as this subject: the `Set-Cookie` value of a new session. The first use of an address binds it to
 * the subject: an address that the provider hands to somebody else later, or a subject that turns up under another
 * address, is refused. One batch: nobody is bound who does not come in.
 */
export async function signInAs(
  db: Db,
  identity: { issuer: string; email: string; subject: string },
  previousCookie: string | undefined,
  cause: Cause,
  now: number,
): Promise<{ ok: true; cookie: string } | { ok: false; reason: 'unknown-member' | 'sign-in-failed' }> {
  const { issuer, email, subject } = identity;
  const member = db.select({ email: members.email }).from(members).where(eq(members.email, email)).limit(1);
  const bound = db
    .select({ subject: identities.subject })
    .from(identities)
    .where(and(eq(identities.issuer, issuer), eq(identities.email, email), eq(identities.subject, subject)));
  const granted = db
    .select({ email: sql`${email}`.as('email') })
    .from(sql`(SELECT 1)`)
    .where(and(exists(member), exists(bound)));
  const { statements, cookie } = beginSession(db, granted, 'oidc', previousCookie, cause, now);
  const [, known, isBound] = await db.batch([
    db
      .insert(identities)
      .select(
        db
          .select({
            issuer: sql`${issuer}`.as('issuer'),
            email: sql`${email}`.as('email'),
            subject: sql`${subject}`.as('subject'),
            createdAt: sql`${new Date(now).toISOString()}`.as('created_at'),
          })
          .from(sql`(SELECT 1)`)
          .where(exists(member)),
      )
      .onConflictDoNothing(),
    member,
    bound,
    ...statements,
  ]);
  if (known.length === 0) return { ok: false, reason: 'unknown-member' };
  return isBound.length > 0 ? { ok: true, cookie } : { ok: false, reason: 'sign-in-failed' };
}
