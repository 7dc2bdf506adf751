// The member behind a dashboard request: opaque sessions, 32 random bytes in the cookie and their SHA-256 in the
// database, read with every request. No session is ever extended past twelve hours, or past two idle ones.
import { and, desc, eq, gt, ne } from 'drizzle-orm';
import type { MiddlewareHandler } from 'hono';
import { getCookie } from 'hono/cookie';
import { recordForMember } from '../activity/store.ts';
import type { Cause } from '../activity/events.ts';
import { openDatabase } from '../database.ts';
import type { Db } from '../database.ts';
import type { Env } from '../env.ts';
import { Problem } from '../problem.ts';
import { randomValue, sha256Hex } from '../random.ts';
import { sessions } from '../tables.ts';

export type Session = {
  hash: string;
  id: string;
  email: string;
  method: 'link' | 'oidc';
  createdAt: number;
  seenAt: number;
  userAgent: string | null;
};
export type AdminEnv = { Bindings: Env; Variables: { session: Session; db: Db } };

export const SESSION_COOKIE = '__Host-session';
const IDLE_MS = 2 * 60 * 60 * 1000;
const ABSOLUTE_MS = 12 * 60 * 60 * 1000;
/** A session that was seen less than this ago is not written again: reading stays reading. */
const SEEN_EVERY_MS = 60 * 1000;
const COOKIE_ATTRIBUTES = 'Path=/; Secure; HttpOnly; SameSite=Lax';

/** The session that the cookie names, or null: unknown, idle for two hours, or twelve hours old. */
export async function readSession(db: Db, cookie: string | undefined, now: number): Promise<Session | null> {
  if (cookie === undefined || !/^[\w-]{43}$/.test(cookie)) return null;
  const [row] = await db
    .select()
    .from(sessions)
    .where(
      and(
        eq(sessions.hash, sha256Hex(cookie)),
        gt(sessions.expiresAt, now),
        gt(sessions.seenAt, now - IDLE_MS),
      ),
    );
  if (row === undefined) return null;
  if (row.seenAt < now - SEEN_EVERY_MS) {
    await db.update(sessions).set({ seenAt: now }).where(eq(sessions.hash, row.hash));
  }
  const { expiresAt: _, ...session } = row;
  return session;
}

/** Sets `session` and `db`, or refuses with `sign-in-required`. */
export const requireSession: MiddlewareHandler<AdminEnv> = async (c, next) => {
  const db = await openDatabase(c.env);
  const session = await readSession(db, getCookie(c, SESSION_COOKIE), Date.now());
  if (session === null) throw new Problem('sign-in-required');
  c.set('session', session);
  c.set('db', db);
  await next();
};

/**
 * Begins a session under a new id, ends the one whose cookie the browser brought, and records the sign-in: one batch.
 * Answers the `Set-Cookie` value.
 */
export async function startSession(
  db: Db,
  member: { email: string; method: 'link' | 'oidc' },
  previousCookie: string | undefined,
  cause: Cause,
  now: number,
): Promise<string> {
  const cookie = randomValue();
  await db.batch([
    db.delete(sessions).where(eq(sessions.hash, sha256Hex(previousCookie ?? ''))),
    db.insert(sessions).values({
      hash: sha256Hex(cookie),
      id: crypto.randomUUID(),
      email: member.email,
      method: member.method,
      createdAt: now,
      seenAt: now,
      expiresAt: now + ABSOLUTE_MS,
      userAgent: cause.userAgent,
    }),
    recordForMember(db, 'sign-in', cause, member.email, member.method),
  ]);
  return `${SESSION_COOKIE}=${cookie}; Max-Age=${ABSOLUTE_MS / 1000}; ${COOKIE_ATTRIBUTES}`;
}

export const CLEARED_SESSION_COOKIE = `${SESSION_COOKIE}=; Max-Age=0; ${COOKIE_ATTRIBUTES}`;

/** Ends this session; the record says who left. */
export async function endSession(db: Db, session: Session, cause: Cause): Promise<void> {
  await db.batch([
    db.delete(sessions).where(eq(sessions.hash, session.hash)),
    recordForMember(db, 'sign-out', cause, session.email, null),
  ]);
}

/** Ends every session of the member, or every one but `except`. */
export async function endSessionsOf(db: Db, email: string, cause: Cause, except?: string): Promise<void> {
  const mine = eq(sessions.email, email);
  await db.batch([
    db.delete(sessions).where(except === undefined ? mine : and(mine, ne(sessions.hash, except))),
    recordForMember(db, 'sign-out', cause, email, 'everywhere'),
  ]);
}

/** Ends one session of the member's own by its public id; false where there is none. */
export async function endSessionById(db: Db, email: string, id: string, cause: Cause): Promise<boolean> {
  const mine = and(eq(sessions.id, id), eq(sessions.email, email));
  // Asked first, so that an id of nobody's leaves no trace in the record.
  const found = await db.select({ id: sessions.id }).from(sessions).where(mine);
  if (found.length === 0) return false;
  await db.batch([
    db.delete(sessions).where(mine),
    recordForMember(db, 'sign-out', cause, email, 'one session'),
  ]);
  return true;
}

/** The member's sessions that still count, newest first. */
export function listSessions(db: Db, email: string, now: number) {
  return db
    .select()
    .from(sessions)
    .where(and(eq(sessions.email, email), gt(sessions.expiresAt, now), gt(sessions.seenAt, now - IDLE_MS)))
    .orderBy(desc(sessions.createdAt))
    .limit(100);
}
