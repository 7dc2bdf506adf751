// The subjects of a provider in the database, each with the address that it belongs to.
import { and, eq, exists, sql } from 'drizzle-orm';
import type { Cause } from '../activity/events.ts';
import { batch } from '../database.ts';
import type { Db } from '../database.ts';
import { identities, members } from '../tables.ts';
import type { MethodName } from './names.ts';
import { beginSession } from './session.ts';
import type { Browser } from './session.ts';

export type Identity = { issuer: string; email: string; subject: string };
type Refused = { ok: false; reason: 'unknown-member' | 'sign-in-failed' };

/**
 * Whether `signInAs` would let them in now, without a write. A refused sign-in must not be counted: a person with another subject
 * and the member's address could use up the member's sign-ins.
 */
export async function judgeIdentity(
  db: Db,
  { issuer, email, subject }: Identity,
): Promise<{ ok: true } | Refused> {
  const { known, subjects, addresses } = await batch(db, {
    known: selectMember(db, email),
    subjects: db
      .select({ subject: identities.subject })
      .from(identities)
      .where(and(eq(identities.issuer, issuer), eq(identities.email, email))),
    addresses: db
      .select({ email: identities.email })
      .from(identities)
      .where(and(eq(identities.issuer, issuer), eq(identities.subject, subject))),
  });
  if (known.length === 0) return { ok: false, reason: 'unknown-member' };
  const isTheirs =
    subjects.every((bound) => bound.subject === subject) && addresses.every((bound) => bound.email === email);
  return isTheirs ? { ok: true } : { ok: false, reason: 'sign-in-failed' };
}

function selectMember(db: Db, email: string) {
  return db.select({ email: members.email }).from(members).where(eq(members.email, email)).limit(1);
}

/**
 * Lets the member in as this subject: the `Set-Cookie` value of a new session. The first use of an address binds it to
 * the subject. Later, another subject with this address, or this subject with another address, is refused. One batch: a
 * sign-in that is refused binds nothing.
 */
export async function signInAs(
  db: Db,
  method: MethodName,
  identity: Identity,
  browser: Browser,
  cause: Cause,
  now: number,
): Promise<{ ok: true; cookie: string } | Refused> {
  const { issuer, email, subject } = identity;
  const member = selectMember(db, email);
  const bound = db
    .select({ subject: identities.subject })
    .from(identities)
    .where(and(eq(identities.issuer, issuer), eq(identities.email, email), eq(identities.subject, subject)));
  const granted = db
    .select({ email: sql`${email}`.as('email') })
    .from(sql`(SELECT 1)`)
    .where(and(exists(member), exists(bound)));
  const { statements, cookie } = beginSession(db, granted, method, browser, cause, now);
  const { known, isBound } = await batch(db, {
    binding: db
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
    known: member,
    isBound: bound,
    ...statements,
  });
  if (known.length === 0) return { ok: false, reason: 'unknown-member' };
  return isBound.length > 0 ? { ok: true, cookie } : { ok: false, reason: 'sign-in-failed' };
}
