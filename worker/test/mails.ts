// What the Worker mails in a test, through the local form of Cloudflare's send_email binding.
import { env } from 'cloudflare:workers';
import type { Env } from '../deployment/env.ts';

/** The object form of a message: the only one that the product sends. */
export type Mail = { from: string; to: string; subject: string; text: string; html: string };

/** `EMAIL`: the binding for the deployment of a test. `mails` holds what it was given, and `outcomes` what came of it. */
export function recordMails(): { EMAIL: SendEmail; mails: Mail[]; outcomes: Promise<unknown>[] } {
  const { EMAIL: binding } = env as Env;
  if (binding === undefined) throw new Error('the tests have no send_email binding');
  const mails: Mail[] = [];
  const outcomes: Promise<unknown>[] = [];
  const send = (mail: Mail) => {
    mails.push(mail);
    const sent = binding.send(mail);
    outcomes.push(sent);
    return sent;
  };
  // Messages of the product alone go through it.
  return { EMAIL: { send } as SendEmail, mails, outcomes };
}
