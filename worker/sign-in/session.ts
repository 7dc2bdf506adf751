// The member behind a dashboard request: opaque sessions, a random value with a mark in the cookie and its SHA-256 in the
// database, read with every request. No session is ever extended past twelve hours, or past two idle ones.
import { and, asc, desc, eq, exists, gt, sql } from 'drizzle-orm';
import type { SQL, SQLWrapper } from 'drizzle-orm';
import type { MiddlewareHandler } from 'hono';
import { ORGANISATIONS_OF_A_RECORD, eventColumns, recordForMember } from '../activity/store.ts';
import { NEW_BROWSER } from '../activity/events.ts';
import type { Cause } from '../activity/events.ts';
import { batch } from '../database.ts';
import type { Db } from '../database.ts';
import type { CallEnv } from '../http/call.ts';
import { limitClient } from '../http/limit.ts';
import { Problem } from '../http/problem.ts';
import { isMarked } from '../marked.ts';
import { sha256Hex } from '../random.ts';
import { events, members, sessions } from '../tables.ts';
import type { TagKeyRing } from '../token/secret.ts';
import { COOKIE_ATTRIBUTES, cookiesOf } from './cookie.ts';
import type { MethodName } from './names.ts';

export type Session = {
  hash: string;
  id: string;
  email: string;
  method: MethodName;
  createdAt: number;
  seenAt: number;
  userAgent: string | null;
};
export type AdminEnv = CallEnv & { Variables: { session: Session; db: Db } };

export const SESSION_COOKIE = '__Host-session';
const IDLE_MS = 2 * 60 * 60 * 1000;
const ABSOLUTE_MS = 12 * 60 * 60 * 1000;
/** A session that was seen less than this ago is not written again, so that most reads write nothing. */
const SEEN_EVERY_MS = 60 * 1000;

/**
 * The session that the cookie names, or null: unknown, idle for two hours, or twelve hours old. Reading it counts as use
 * unless it is `unattended`.
 */
export async function readSession(
  db: Db,
  cookie: string,
  now: number,
  unattended = false,
): Promise<Session | null> {
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
  if (!unattended && row.seenAt < now - SEEN_EVERY_MS) {
    await db.update(sessions).set({ seenAt: now }).where(eq(sessions.hash, row.hash));
  }
  const { expiresAt: _, ...session } = row;
  return session;
}

/**
 * Hashes of cookies whose session has ended. An ended session never comes back, so asking for it again costs no read of the
 * database. The oldest are forgotten first.
 */
const endedCookies = new Set<string>();
const ENDED_COOKIES = 1000;

/** The same, without a read of the database for a cookie that was made up, or whose session is known to have ended. */
export async function findSession(
  ring: TagKeyRing,
  db: Db,
  cookie: string | undefined,
  now: number,
  unattended = false,
): Promise<Session | null> {
  if (cookie === undefined || !isMarked(ring, 'session', cookie)) return null;
  const hash = sha256Hex(cookie);
  if (endedCookies.has(hash)) return null;
  const session = await readSession(db, cookie, now, unattended);
  if (session === null) {
    endedCookies.add(hash);
    for (const oldest of endedCookies) {
      if (endedCookies.size <= ENDED_COOKIES) break;
      endedCookies.delete(oldest);
    }
  }
  return session;
}

/**
 * Sets `session` and `db`, or refuses with `sign-in-required`; a made-up cookie counts against its client. `X-Member` is the address that an open page shows: with
 * another member signed in meanwhile, in another tab, it is refused with `another-member`. `X-Unattended` marks what a
 * page asks for by itself: such requests do not keep an unused session alive.
 */
export const requireSession: MiddlewareHandler<AdminEnv> = async (c, next) => {
  const { call } = c.env;
  const { settings, limiters } = call.deployment;
  const cookie = cookiesOf(c)[SESSION_COOKIE];
  if (cookie !== undefined && !isMarked(settings.tagKeys, 'session', cookie)) {
    await limitClient(call, limiters.failedLoginsPerClient);
  }
  const db = await call.deployment.openDatabase();
  const unattended = c.req.header('x-unattended') !== undefined;
  const session = await findSession(settings.tagKeys, db, cookie, Date.now(), unattended);
  if (session === null) throw new Problem('sign-in-required');
  const shown = c.req.header('x-member');
  if (shown !== undefined && shown !== session.email) throw new Problem('another-member');
  c.set('session', session);
  c.set('db', db);
  await next();
};

/** The browser in which a session begins. */
export type Browser = {
  /** The session that its cookie names. */
  session: string | undefined;
  /** A marked value for the new session. */
  newSession: string;
  /** Whether the member has signed in with it before (known-browser.ts). */
  isKnown: boolean;
};

/**
 * The statements that begin a session under a new id, end the session of the browser's cookie, and record the sign-in. They belong in
 * the batch that also uses up the grant, so that a sign-in happens as a whole or not at all. `granted` selects the address of the
 * member, in a column `email`. Without a row nothing is written. `cookie` is the `Set-Cookie`
 * value of the new session.
 */
export function beginSession(
  db: Db,
  granted: SQLWrapper,
  method: MethodName,
  { newSession: secret, session: previousCookie, isKnown }: Browser,
  cause: Omit<Cause, 'actor'>,
  now: number,
) {
  const hash = sha256Hex(secret);
  const begun = eq(sessions.hash, hash);
  const isBegun = exists(
    db
      .select({ one: sql`1` })
      .from(sessions)
      .where(begun),
  );
  const statements = {
    session: db.insert(sessions).select(
      db
        .select({
          hash: sql`${hash}`.as('hash'),
          id: sql`${crypto.randomUUID()}`.as('id'),
          email: sql`granted.email`.as('email'),
          method: sql`${method}`.as('method'),
          createdAt: sql`${now}`.as('created_at'),
          seenAt: sql`${now}`.as('seen_at'),
          expiresAt: sql`${now + ABSOLUTE_MS}`.as('expires_at'),
          userAgent: sql`${cause.userAgent}`.as('user_agent'),
        })
        .from(sql`${granted} AS granted`),
    ),
    previous: db.delete(sessions).where(and(eq(sessions.hash, sha256Hex(previousCookie ?? '')), isBegun)),
    event: db.insert(events).select(
      db
        .select(
          eventColumns(
            'sign-in',
            { ...cause, actor: sql`${members.email}` },
            {
              organisationId: sql`${members.organisationId}`,
              detail: isKnown ? method : method + NEW_BROWSER,
            },
          ),
        )
        .from(members)
        .innerJoin(sessions, eq(sessions.email, members.email))
        .where(begun)
        .orderBy(asc(members.organisationId))
        .limit(ORGANISATIONS_OF_A_RECORD),
    ),
  };
  const cookie = `${SESSION_COOKIE}=${secret}; Max-Age=${ABSOLUTE_MS / 1000}; ${COOKIE_ATTRIBUTES}`;
  return { statements, cookie };
}

export const CLEARED_SESSION_COOKIE = `${SESSION_COOKIE}=; Max-Age=0; ${COOKIE_ATTRIBUTES}`;

/** Ends this session. One event is recorded, even if several calls end the session at the same time. */
export async function endSession(db: Db, session: Session, cause: Cause): Promise<void> {
  await endWhere(db, eq(sessions.hash, session.hash), session.email, cause, null);
}

/** Ends every session of the member. */
export async function endSessionsOf(db: Db, email: string, cause: Cause): Promise<void> {
  await endWhere(db, eq(sessions.email, email), email, cause, 'everywhere');
}

/** Ends one session of the member by its public id. False if there is none; then nothing is recorded. */
export async function endSessionById(db: Db, email: string, id: string, cause: Cause): Promise<boolean> {
  return endWhere(db, and(eq(sessions.id, id), eq(sessions.email, email)), email, cause, 'one session');
}

/** Ends these sessions, and records it if there is one. */
async function endWhere(
  db: Db,
  these: SQL | undefined,
  email: string,
  cause: Cause,
  detail: string | null,
): Promise<boolean> {
  const found = db
    .select({ one: sql`1` })
    .from(sessions)
    .where(these);
  const { ended } = await batch(db, {
    event: recordForMember(db, 'sign-out', cause, email, detail, exists(found)),
    ended: db.delete(sessions).where(these).returning({ id: sessions.id }),
  });
  return ended.length > 0;
}

/** The member's sessions that have not ended, newest first. */
export function listSessions(db: Db, email: string, now: number) {
  return db
    .select()
    .from(sessions)
    .where(and(eq(sessions.email, email), gt(sessions.expiresAt, now), gt(sessions.seenAt, now - IDLE_MS)))
    .orderBy(desc(sessions.createdAt))
    .limit(100);
}
