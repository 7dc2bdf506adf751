// Sign-in by a one-time link: the code travels in the URL's fragment, its hash waits in the database, and only the
// browser that asked can redeem it, once, within ten minutes.
import { and, eq, exists, gt, sql } from 'drizzle-orm';
import type { Cause } from '../activity/events.ts';
import type { Db } from '../database.ts';
import { randomValue, sha256Hex } from '../random.ts';
import { members, signIns } from '../tables.ts';
import { beginSession } from './session.ts';

export const SIGN_IN_MS = 10 * 60 * 1000;
const BROWSER_COOKIE = '__Host-sign-in';

/** A value that only this browser holds: `SameSite=Lax` so that it comes along when an identity provider sends it back. */
export function browserCookie(value: string): string {
  return `${BROWSER_COOKIE}=${value}; Max-Age=${SIGN_IN_MS / 1000}; Path=/; Secure; HttpOnly; SameSite=Lax`;
}
export const BROWSER_COOKIE_NAME = BROWSER_COOKIE;

/**
 * Stores a code for the address if it is a member of anything, and answers the code and whether it was stored. For a
 * stranger the same work is done and nothing is kept, so that neither answer nor time tells who is known.
 */
export async function createLinkCode(
  db: Db,
  email: string,
  browser: string,
  now: number,
): Promise<{ code: string; known: boolean }> {
  const code = randomValue();
  const stored = await db
    .insert(signIns)
    .select(
      db
        .select({
          hash: sql`${sha256Hex(code)}`.as('hash'),
          browserHash: sql`${sha256Hex(browser)}`.as('browser_hash'),
          email: sql`${email}`.as('email'),
          nonce: sql`NULL`.as('nonce'),
          codeVerifier: sql`NULL`.as('code_verifier'),
          returnTo: sql`NULL`.as('return_to'),
          expiresAt: sql`${now + SIGN_IN_MS}`.as('expires_at'),
        })
        .from(members)
        .where(eq(members.email, email))
        .limit(1),
    )
    .returning({ hash: signIns.hash });
  return { code, known: stored.length > 0 };
}

/**
 * Redeems a code for a session: one batch, so that two redemptions cannot both win, and a code is never used up without
 * a session. The `Set-Cookie` value, or null.
 */
export async function redeemLinkCode(
  db: Db,
  code: string,
  browser: { code: string | undefined; session: string | undefined },
  cause: Omit<Cause, 'actor'>,
  now: number,
): Promise<string | null> {
  if (browser.code === undefined) return null;
  const redeemable = and(
    eq(signIns.hash, sha256Hex(code)),
    eq(signIns.browserHash, sha256Hex(browser.code)),
    gt(signIns.expiresAt, now),
    exists(
      db
        .select({ one: sql`1` })
        .from(members)
        .where(eq(members.email, signIns.email)),
    ),
  );
  const granted = db.select({ email: signIns.email }).from(signIns).where(redeemable);
  const { statements, isBegun, cookie } = beginSession(db, granted, 'link', browser.session, cause, now);
  const [, , , redeemed] = await db.batch([
    ...statements,
    db.delete(signIns).where(and(redeemable, isBegun)).returning({ hash: signIns.hash }),
  ]);
  return redeemed.length > 0 ? cookie : null;
}
