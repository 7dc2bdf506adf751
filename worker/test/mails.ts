// What the Worker mails in a test.
import { env } from 'cloudflare:workers';
import type { Env } from '../deployment/env.ts';

/** The object form of a message: the only one that the product sends. */
export type Mail = { from: string; to: string; subject: string; text: string; html: string };

/** Sends through the local form of Cloudflare's send_email binding. */
async function sendByBinding(mail: Mail): Promise<unknown> {
  const { EMAIL: binding } = env as Env;
  if (binding === undefined) throw new Error('the tests have no send_email binding');
  return binding.send(mail);
}

/**
 * `EMAIL`: a binding for the deployment of a test, which does what `send` says. `mails` holds what it was given, and `outcomes` what
 * came of it.
 */
export function recordMails(send: (mail: Mail) => Promise<unknown> = sendByBinding) {
  const mails: Mail[] = [];
  const outcomes: Promise<unknown>[] = [];
  const EMAIL = {
    send(mail: Mail) {
      mails.push(mail);
      const sent = send(mail);
      outcomes.push(sent);
      return sent;
    },
  } as unknown as SendEmail;
  return { EMAIL, mails, outcomes };
}
