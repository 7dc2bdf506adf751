// The codes of one-time links. A code is in the fragment of the URL, and its hash is in the database. Only the browser that asked for
// the link can redeem the code, once, within ten minutes.
import { and, eq, exists, gt, ne, or, sql } from 'drizzle-orm';
import type { SQL } from 'drizzle-orm';
import type { Cause } from '../activity/events.ts';
import { batch } from '../database.ts';
import type { Db } from '../database.ts';
import { sha256Hex } from '../random.ts';
import { members, signIns } from '../tables.ts';
import { COOKIE_ATTRIBUTES } from './cookie.ts';
import { beginSession } from './session.ts';
import type { Browser } from './session.ts';

export const SIGN_IN_MS = 10 * 60 * 1000;
export const BROWSER_COOKIE = '__Host-sign-in';

/** A value that only this browser holds. */
export function browserCookie(value: string): string {
  return `${BROWSER_COOKIE}=${value}; Max-Age=${SIGN_IN_MS / 1000}; ${COOKIE_ATTRIBUTES}`;
}

/** How many unused links may exist at a time for an address: of one client, of all clients, and more of clients that have none. */
const LIVE_PER_CLIENT = 3;
const LIVE_PER_ADDRESS = 6;
const LIVE_FIRST_LINKS = 3;

/**
 * All browsers that have signed in with this address before count as one client, under this name. Other clients are known by their
 * network (`clientKey`). No network has this name.
 */
export function knownClient(email: string): string {
  return `known:${email}`;
}

/**
 * Stores the code for ten minutes, and answers whether the address is a member of anything. A row is written for a stranger as
 * well, by the same statements: neither answer nor time tells who is a member. An address has a few unused codes at a time, so
 * that a person's mailbox is not flooded. A new code never replaces an unused one, which may be the member's own.
 *
 * A stranger who asks for a member's address must not lock the member out. So a known client counts its own codes alone, and some
 * places are kept for clients that have no code, so that two other clients cannot use up all places.
 */
export async function createLinkCode(
  db: Db,
  asked: { email: string; code: string; browser: string; client: string },
  now: number,
): Promise<{ ok: true; known: boolean } | { ok: false; reason: 'too-many-links' }> {
  const { email, client } = asked;
  const live = and(eq(signIns.email, email), gt(signIns.expiresAt, now));
  const ofThisClient = and(live, eq(signIns.client, client));
  const ofStrangers = and(live, ne(signIns.client, knownClient(email)));
  const fewerThan = (most: number, where: SQL | undefined) =>
    sql`(${db
      .select({ count: sql`count(*)` })
      .from(signIns)
      .where(where)}) < ${most}`;
  const hasPlace =
    client === knownClient(email)
      ? undefined
      : or(
          fewerThan(LIVE_PER_ADDRESS, ofStrangers),
          and(fewerThan(1, ofThisClient), fewerThan(LIVE_PER_ADDRESS + LIVE_FIRST_LINKS, ofStrangers)),
        );
  const { stored, known } = await batch(db, {
    stored: db
      .insert(signIns)
      .select(
        db
          .select({
            hash: sql`${sha256Hex(asked.code)}`.as('hash'),
            browserHash: sql`${sha256Hex(asked.browser)}`.as('browser_hash'),
            email: sql`${email}`.as('email'),
            nonce: sql`NULL`.as('nonce'),
            codeVerifier: sql`NULL`.as('code_verifier'),
            returnTo: sql`NULL`.as('return_to'),
            expiresAt: sql`${now + SIGN_IN_MS}`.as('expires_at'),
            client: sql`${client}`.as('client'),
          })
          .from(sql`(SELECT 1)`)
          .where(and(fewerThan(LIVE_PER_CLIENT, ofThisClient), hasPlace)),
      )
      .returning({ hash: signIns.hash }),
    known: db
      .select({ one: sql`1` })
      .from(members)
      .where(eq(members.email, email))
      .limit(1),
  });
  if (stored.length === 0) return { ok: false, reason: 'too-many-links' };
  return { ok: true, known: known.length > 0 };
}

/** The member whose code it is. Null if the code has ended, belongs to another browser, or to a person without an organisation. */
export async function readLinkCode(
  db: Db,
  code: string,
  browser: string,
  now: number,
): Promise<{ email: string | null } | null> {
  const [row] = await db
    .select({ email: signIns.email })
    .from(signIns)
    .where(redeemable(db, code, browser, now));
  return row ?? null;
}

function redeemable(db: Db, code: string, browser: string, now: number) {
  return and(
    eq(signIns.hash, sha256Hex(code)),
    eq(signIns.browserHash, sha256Hex(browser)),
    gt(signIns.expiresAt, now),
    exists(
      db
        .select({ one: sql`1` })
        .from(members)
        .where(eq(members.email, signIns.email)),
    ),
  );
}

/**
 * Redeems a code for a session: one batch, so that two redemptions cannot both win, and a code is never used up without
 * a session. The `Set-Cookie` value, or null.
 */
export async function redeemLinkCode(
  db: Db,
  code: string,
  browser: { code: string } & Browser,
  cause: Omit<Cause, 'actor'>,
  now: number,
): Promise<string | null> {
  const isRedeemable = redeemable(db, code, browser.code, now);
  const granted = db.select({ email: signIns.email }).from(signIns).where(isRedeemable);
  const { statements, cookie } = beginSession(db, granted, 'link', browser, cause, now);
  const { redeemed } = await batch(db, {
    ...statements,
    redeemed: db.delete(signIns).where(isRedeemable).returning({ hash: signIns.hash }),
  });
  return redeemed.length > 0 ? cookie : null;
}
