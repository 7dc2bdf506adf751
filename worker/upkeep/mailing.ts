// Tells members by mail: looks at the new events, queues the mails, and sends those that are due. Each step goes on where an earlier
// run stopped.
import type { Db } from '../database.ts';
import type { Deployment } from '../deployment/deployment.ts';
import { logFailure } from '../http/log.ts';
import { mailCodeOf } from '../mail.ts';
import { storageFailureOf } from '../storage-failure.ts';
import { listEndingTokens } from '../token/expiry.ts';
import { expiryMail } from './expiry-mail.ts';
import { findWaitingMail, isKind, postponeMail, removeMail, takeMail } from './mails.ts';
import type { Notice, WaitingMail } from './mails.ts';
import { noticeMail } from './notice-mail.ts';
import { NOTICE_MS, noteEvents, passEvents, queueMails, readTold } from './notices.ts';

/** What mailing needs of the deployment. */
export type Mailing = Pick<Deployment, 'mailer'> & {
  openDatabase(): Promise<Db>;
  settings: Pick<Deployment['settings'], 'origins' | 'productName'>;
};

/**
 * A run looks at so many pages of events, queues so many times, and sends so many mails at most, with three statements for each mail.
 * Cloudflare ends a run at 1,000 statements, and on the free plan at 50. A run begins no further mail after `ms`.
 */
export type MailLimits = { pages: number; turns: number; mails: number; ms: number };
export const MAILS_OF_A_RUN: MailLimits = { pages: 20, turns: 100, mails: 100, ms: 5 * 60 * 1000 };
/** The change itself has statements too, and Cloudflare gives what runs after an answer 30 seconds. */
export const MAILS_AFTER_A_CHANGE: MailLimits = { pages: 1, turns: 3, mails: 5, ms: 10 * 1000 };

/** A mail that failed is tried again after this time, then after twice as long, and so on. */
const RETRY_MS = 10 * 60 * 1000;
/** No other mail would be sent either, and sign-in links need the same quota. */
const QUOTA_CODES = new Set(['E_RATE_LIMIT_EXCEEDED', 'E_DAILY_LIMIT_EXCEEDED']);

type Words = { subject: string; text: string; html: string };

/** The mailer and the address of the dashboard, or null where one of them is missing: then no mail is queued and none is sent. */
function mailingOf({ mailer, settings }: Pick<Mailing, 'mailer' | 'settings'>) {
  const [origin] = settings.origins.all;
  return mailer === null || origin === undefined ? null : { mailer, origin };
}

/** Whether this deployment can mail. */
export function canMail(own: Pick<Mailing, 'mailer' | 'settings'>): boolean {
  return mailingOf(own) !== null;
}

/** Sends the mails that are due at `now` (ms), and answers how many were sent. A mail that fails does not stop the others. */
export async function sendMails(own: Mailing, now: number, most = MAILS_OF_A_RUN): Promise<number> {
  const mailing = mailingOf(own);
  const db = await own.openDatabase();
  if (mailing === null) {
    await passEvents(db);
    return 0;
  }
  const { productName } = own.settings;
  const until = Date.now() + most.ms;
  const words = new Map<number, Words | null>();
  const wordsOf = async (notice: Notice): Promise<Words | null> => {
    const known = words.get(notice.id);
    if (known !== undefined) return known;
    const made = await write(db, notice, { productName, origin: mailing.origin, now }).catch(
      (error: unknown) => {
        if (storageFailureOf(error) !== null) throw error;
        // A fault of ours, or a row from the SQL prompt that nothing can be said of. It must not stop the other mails.
        logFailure('mail-not-sent', 'other');
        return null;
      },
    );
    words.set(notice.id, made);
    return made;
  };
  let sent = 0;
  let tried = 0;
  let turns = 0;
  try {
    for (let page = 0; page < most.pages; page++)
      if (!(await noteEvents(db, new Date(now).toISOString()))) break;
    while (tried < most.mails && Date.now() < until) {
      // Each turn is a little later than the one before, so that a notice goes behind all others.
      const at = new Date(now + turns + 1).toISOString();
      const mail = await findWaitingMail(db, at);
      if (mail === null) {
        if (turns++ < most.turns && (await queueMails(db, at))) continue;
        break;
      }
      tried++;
      const lastTry = Date.parse(mail.notice.begunAt) + NOTICE_MS;
      // Before the mail is taken: a mail that was taken is lost if anything fails before it is sent.
      const said = now > lastTry ? null : await wordsOf(mail.notice);
      if (!(await takeMail(db, mail))) continue;
      if (said === null) {
        await removeMail(db, mail);
        continue;
      }
      const code = await codeOfSending(() => mailing.mailer.send({ to: mail.email, ...said }));
      await settle(db, mail, code, { now, lastTry });
      if (code === null) sent++;
      else logFailure('mail-not-sent', code);
      if (code !== null && QUOTA_CODES.has(code)) break;
    }
  } catch (error) {
    // The statements of this run are used up: the next run goes on.
    if (storageFailureOf(error) !== 'query-limit') throw error;
  }
  return sent;
}

/** Removes a mail that was sent, or lets it wait for the next try. */
async function settle(
  db: Db,
  mail: WaitingMail,
  code: string | null,
  { now, lastTry }: { now: number; lastTry: number },
): Promise<void> {
  const next = now + RETRY_MS * 2 ** mail.tries;
  if (code === null || next > lastTry) await removeMail(db, mail);
  else await postponeMail(db, mail, new Date(next).toISOString());
}

/** The words of the mails of this notice, or null if nothing is left to tell. Rejects if they cannot be written. */
async function write(
  db: Db,
  notice: Notice,
  { productName, origin, now }: { productName: string; origin: string; now: number },
): Promise<Words | null> {
  const { kind } = notice;
  if (!isKind(kind)) return null;
  if (kind === 'token.expiring') {
    const tokens = await listEndingTokens(db, notice, new Date(now).toISOString());
    return tokens.length === 0 ? null : expiryMail(notice, tokens, { productName, origin, now });
  }
  const events = await readTold(db, notice, new Date(now).toISOString());
  return events.length === 0 ? null : noticeMail({ ...notice, kind }, events, { productName, origin });
}

/** Null if the mail was sent. */
async function codeOfSending(send: () => Promise<unknown>): Promise<string | null> {
  try {
    await send();
    return null;
  } catch (error) {
    return mailCodeOf(error);
  }
}
