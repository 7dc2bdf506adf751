// The mails about ending tokens that wait to be sent. A mail is taken before it is sent. If the Worker dies in between, that mail
// is lost: it would otherwise be sent twice. The event of the warning stays, and so do the later warnings.
import { and, asc, eq, exists, gt, isNotNull, lte, sql } from 'drizzle-orm';
import type { Db } from '../database.ts';
import { expiryMails, expiryWarnings, organisations, tokens } from '../tables.ts';

/** A token whose end is near; `expiresAt` in RFC 3339, UTC, milliseconds. */
export type EndingToken = {
  id: string;
  name: string | null;
  preview: string;
  active: boolean;
  expiresAt: string;
};

/** A mail to one member; `run` is the run that gave the warnings. Times as above. */
export type WaitingMail = {
  organisationId: string;
  email: string;
  run: string;
  queuedAt: string;
  dueAt: string;
  /** How often it was tried and failed. */
  tries: number;
  organisationName: string;
  /** By their end. Empty if nothing is left to warn of: each end was moved, or the organisation left Enterprise. */
  tokens: EndingToken[];
};

/** The mail that has waited longest of those that are due at the instant `at`, or null. */
export async function findWaitingMail(db: Db, at: string): Promise<WaitingMail | null> {
  const mail = db
    .select()
    .from(expiryMails)
    .where(and(isNotNull(expiryMails.dueAt), lte(expiryMails.dueAt, at)))
    .orderBy(asc(expiryMails.dueAt))
    .limit(1)
    .as('mail');
  const warning = db
    .select({ one: sql`1` })
    .from(expiryWarnings)
    .where(
      and(
        eq(expiryWarnings.tokenId, tokens.id),
        eq(expiryWarnings.expiresAt, tokens.expiresAt),
        eq(expiryWarnings.givenBy, mail.run),
      ),
    );
  const rows = await db
    .select({
      organisationId: mail.organisationId,
      email: mail.email,
      run: mail.run,
      queuedAt: mail.queuedAt,
      dueAt: mail.dueAt,
      tries: mail.tries,
      organisationName: sql<string | null>`${organisations.name}`.as('organisation_name'),
      token: {
        id: sql<string | null>`${tokens.id}`.as('token_id'),
        name: sql<string | null>`${tokens.name}`.as('token_name'),
        preview: tokens.preview,
        active: tokens.active,
        expiresAt: tokens.expiresAt,
      },
    })
    .from(mail)
    .leftJoin(
      organisations,
      and(eq(organisations.id, mail.organisationId), eq(organisations.plan, 'enterprise')),
    )
    .leftJoin(
      tokens,
      and(eq(tokens.organisationId, organisations.id), gt(tokens.expiresAt, at), exists(warning)),
    );
  const [first] = rows;
  if (first?.dueAt == null) return null;
  const { organisationId, email, run, queuedAt, dueAt, tries, organisationName } = first;
  const ending = rows.flatMap(({ token }) =>
    token?.id == null || token.expiresAt === null
      ? []
      : [{ ...token, id: token.id, expiresAt: token.expiresAt }],
  );
  return {
    organisationId,
    email,
    run,
    queuedAt,
    dueAt,
    tries,
    organisationName: organisationName ?? '',
    tokens: ending.toSorted((a, b) => (a.expiresAt < b.expiresAt ? -1 : 1)),
  };
}

function isMail({ organisationId, email, run }: WaitingMail) {
  return and(
    eq(expiryMails.organisationId, organisationId),
    eq(expiryMails.email, email),
    eq(expiryMails.run, run),
  );
}

/** Takes the mail, so that no other run takes it. False if another run was first, or the member was removed. */
export async function takeMail(db: Db, mail: WaitingMail): Promise<boolean> {
  const taken = await db
    .update(expiryMails)
    .set({ dueAt: null })
    .where(and(isMail(mail), eq(expiryMails.dueAt, mail.dueAt)))
    .returning({ run: expiryMails.run });
  return taken.length > 0;
}

/** Lets a mail that was taken and not sent wait until `dueAt` (RFC 3339). */
export async function postponeMail(db: Db, mail: WaitingMail, dueAt: string): Promise<void> {
  await db
    .update(expiryMails)
    .set({ dueAt, tries: mail.tries + 1 })
    .where(isMail(mail));
}

/** Removes a mail that was sent, or is not to be sent any more. */
export async function removeMail(db: Db, mail: WaitingMail): Promise<void> {
  await db.delete(expiryMails).where(isMail(mail));
}
