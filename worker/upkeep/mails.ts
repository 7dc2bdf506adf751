// The mails that wait to be sent: one for each notice and member. A mail is taken before it is sent. If the Worker dies in between,
// that mail is lost: it would otherwise be sent twice. The events that it tells of stay in the activity.
import { and, asc, eq, isNotNull, lte } from 'drizzle-orm';
import type { Action } from '../activity/events.ts';
import type { Db } from '../database.ts';
import { mails, notices, organisations } from '../tables.ts';

/** The actions that every member of the organisation is told of. */
export const TOLD = [
  'token.created',
  'token.rotated',
  'token.deleted',
  'token.exposed',
  'token.expiring',
  'token.limit-refused',
] as const satisfies readonly Action[];
/** Only the member who signed in is told of it, where it was a browser that is new to them. */
export const SIGN_IN = 'sign-in' satisfies Action;

/** The actions that have mails. */
export type Kind = (typeof TOLD)[number] | typeof SIGN_IN;

/** Another release may have begun a notice of a kind that this one does not know. */
export function isKind(kind: string): kind is Kind {
  return kind === SIGN_IN || TOLD.some((known) => known === kind);
}

/** What a mail tells of: the events of one action in one organisation, from the first to the last. */
export type Notice = {
  id: number;
  organisationId: string;
  organisationName: string;
  /** The action of the events (`isKind`). */
  kind: string;
  /** The only member who is told. Empty: every member. */
  recipient: string;
  firstEvent: number;
  lastEvent: number;
  /** How many events there are. */
  events: number;
  /** RFC 3339, as are all times here. */
  begunAt: string;
};

/** A mail to one member. */
export type WaitingMail = {
  email: string;
  dueAt: string;
  /** How often it was tried and failed. */
  tries: number;
  notice: Notice;
};

/** The mail that has waited longest of those that are due at the instant `at`, or null. */
export async function findWaitingMail(db: Db, at: string): Promise<WaitingMail | null> {
  const [row] = await db
    .select({
      email: mails.email,
      dueAt: mails.dueAt,
      tries: mails.tries,
      notice: {
        id: notices.id,
        organisationId: notices.organisationId,
        organisationName: organisations.name,
        kind: notices.kind,
        recipient: notices.recipient,
        firstEvent: notices.firstEvent,
        lastEvent: notices.lastEvent,
        events: notices.events,
        begunAt: notices.begunAt,
      },
    })
    .from(mails)
    .innerJoin(notices, eq(notices.id, mails.noticeId))
    .innerJoin(organisations, eq(organisations.id, notices.organisationId))
    .where(and(isNotNull(mails.dueAt), lte(mails.dueAt, at)))
    .orderBy(asc(mails.dueAt))
    .limit(1);
  return row === undefined || row.dueAt === null ? null : { ...row, dueAt: row.dueAt };
}

function isMail({ email, notice }: WaitingMail) {
  return and(eq(mails.noticeId, notice.id), eq(mails.email, email));
}

/** Takes the mail, so that no other run takes it. False if another run was first, or the member was removed. */
export async function takeMail(db: Db, mail: WaitingMail): Promise<boolean> {
  const taken = await db
    .update(mails)
    .set({ dueAt: null })
    .where(and(isMail(mail), eq(mails.dueAt, mail.dueAt)))
    .returning({ email: mails.email });
  return taken.length > 0;
}

/** Lets a mail that was taken and not sent wait until `dueAt` (RFC 3339). */
export async function postponeMail(db: Db, mail: WaitingMail, dueAt: string): Promise<void> {
  await db
    .update(mails)
    .set({ dueAt, tries: mail.tries + 1 })
    .where(isMail(mail));
}

/** Removes a mail that was sent, or is not to be sent any more. */
export async function removeMail(db: Db, mail: WaitingMail): Promise<void> {
  await db.delete(mails).where(isMail(mail));
}
