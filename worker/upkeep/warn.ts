// Warns of tokens that end soon, every ten minutes: first the events, then the mails. Both go on where an earlier run stopped.
import type { Db } from '../database.ts';
import type { Deployment } from '../deployment/deployment.ts';
import { logFailure } from '../http/log.ts';
import { mailCodeOf } from '../mail.ts';
import { giveWarnings, isAnyWarningDue } from '../token/expiry.ts';
import { findWaitingMail, postponeMail, removeMail, takeMail } from '../token/expiry-mails.ts';
import { causeOfRun } from './cause.ts';
import { MAIL_MS } from './expired.ts';
import { expiryMail } from './expiry-mail.ts';

/** What warning needs of the deployment. */
export type Warning = Pick<Deployment, 'mailer'> & {
  openDatabase(): Promise<Db>;
  settings: Pick<Deployment['settings'], 'origins' | 'productName'>;
};

/** One batch settles so many warnings at most, and a run sends so many batches. */
const ROWS = 100;
const ROUNDS = 20;
/**
 * A run sends so many mails at most, with three statements each. Cloudflare ends a run at 1,000 statements, and on the free plan
 * at 50.
 */
const MAILS = 100;
/** A run begins no further mail after this time, in ms. */
const SENDING_MS = 5 * 60 * 1000;
/** A mail that failed is tried again after this time, then after twice as long, and so on. */
const RETRY_MS = 10 * 60 * 1000;
/** No other mail would be sent either, and sign-in links need the same quota. */
const QUOTA_CODES = new Set(['E_RATE_LIMIT_EXCEEDED', 'E_DAILY_LIMIT_EXCEEDED']);

/** The mailer and the address of the dashboard, or null where one of them is missing: then no mail is queued and none is sent. */
function mailingOf({ mailer, settings }: Warning) {
  const [origin] = settings.origins.all;
  return mailer === null || origin === undefined ? null : { mailer, origin };
}

/** Gives the warnings that are due at `now` (ms), and answers how many. A run that is lost or comes twice changes nothing about it. */
export async function warnOfEnds(own: Warning, now: number): Promise<number> {
  const db = await own.openDatabase();
  const cause = causeOfRun(now);
  const withMail = mailingOf(own) !== null;
  let sum = 0;
  for (let round = 0; round < ROUNDS && (await isAnyWarningDue(db, cause.at)); round++)
    sum += await giveWarnings(db, cause, ROWS, withMail);
  return sum;
}

/** Sends the mails that are due at `now` (ms), and answers how many were sent. A mail that fails does not keep the others. */
export async function sendExpiryMails(own: Warning, now: number): Promise<number> {
  const mailing = mailingOf(own);
  if (mailing === null) return 0;
  const { mailer, origin } = mailing;
  const { productName } = own.settings;
  const db = await own.openDatabase();
  const at = new Date(now).toISOString();
  const until = Date.now() + SENDING_MS;
  let sent = 0;
  for (let round = 0; round < MAILS && Date.now() < until; round++) {
    const mail = await findWaitingMail(db, at);
    if (mail === null) break;
    if (!(await takeMail(db, mail))) continue;
    const lastTry = Date.parse(mail.queuedAt) + MAIL_MS;
    if (mail.tokens.length === 0 || now > lastTry) {
      await removeMail(db, mail);
      continue;
    }
    const code = await codeOfSending(() =>
      mailer.send({ to: mail.email, ...expiryMail(mail, { productName, origin, now }) }),
    );
    const next = now + RETRY_MS * 2 ** mail.tries;
    if (code === null || next > lastTry) await removeMail(db, mail);
    else await postponeMail(db, mail, new Date(next).toISOString());
    if (code === null) sent++;
    else logFailure('mail-not-sent', code);
    if (code !== null && QUOTA_CODES.has(code)) break;
  }
  return sent;
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
