// Sends what waits in the database to people and machines. It runs after the answer of each change, so that what the change wrote
// is sent at once, and every minute, which sends the rest. A change only writes its event; it sends nothing itself.
import type { Deployment } from '../deployment/deployment.ts';
import { MAILS_AFTER_A_CHANGE, MAILS_OF_A_RUN, canMail, sendMails } from './mailing.ts';
import { pushToWebhook } from './webhook.ts';
import { doWorks } from './work.ts';
import type { Occasion, Sender, Work } from './work.ts';

/** In the order in which they run. Requests to the receiver have a time limit; the service that sends mails may not answer at all. */
const SENDERS: readonly Sender[] = [
  {
    failure: 'webhook-failed',
    isOn: ({ settings }) => settings.webhook !== null,
    send: pushToWebhook,
  },
  {
    failure: 'mailing-failed',
    isOn: canMail,
    send: (deployment, occasion) =>
      sendMails(deployment, Date.now(), occasion === 'change' ? MAILS_AFTER_A_CHANGE : MAILS_OF_A_RUN),
  },
];

/** The works that send what waits, of those that this deployment is set up for. */
export function pushes(deployment: Deployment, occasion: Occasion): Work[] {
  return SENDERS.filter(({ isOn }) => isOn(deployment)).map(({ failure, send }) => [
    failure,
    () => send(deployment, occasion),
  ]);
}

/** Sends what waits after a change. A failure is in the log; the next run of a minute goes on. */
export async function pushAfterChange(deployment: Deployment): Promise<void> {
  await doWorks(deployment, pushes(deployment, 'change'));
}
