// Sends sign-in links: by the EMAIL binding, or in local mode to the console and in the answer. Without a mailer there are no sign-in
// links. A link is a credential: nothing else may print or store it.
import type { Call } from '../http/call.ts';
import { escapeHtml, htmlButton, htmlFootnote, htmlMail } from '../mail.ts';

export type LinkMailer =
  | { kind: 'local' }
  | { kind: 'email'; send(to: string, link: string, asker: string): Promise<void> };

/** The mailer of this deployment for this call, or null. */
export function openMailer({ isLocal, deployment }: Call): LinkMailer | null {
  if (isLocal) return { kind: 'local' };
  const { mailer, settings } = deployment;
  const { productName: product } = settings;
  if (mailer === null) return null;
  return {
    kind: 'email',
    async send(to, link, asker) {
      await mailer.send({ to, subject: `Sign in to ${product}`, ...linkMail(product, link, asker) });
    },
  };
}

/** `asker` (asker.ts) holds words of ours and an address: nothing that HTML would read. */
function linkMail(product: string, link: string, asker: string): { text: string; html: string } {
  return {
    text: [
      `Sign in to ${product} Developer Zone with this link:`,
      '',
      link,
      '',
      'It works once, for 10 minutes, in the browser that asked for it.',
      `It was asked for with ${asker}.`,
      'If that was not you, ignore this message: the link does not work in another browser.',
      '',
    ].join('\r\n'),
    html: htmlMail(
      [
        `<p>Sign in to ${escapeHtml(product)} Developer Zone:</p>`,
        htmlButton(link, 'Sign in'),
        '<p>The link works once, for 10 minutes, in the browser that asked for it.</p>',
        `<p>It was asked for with ${asker}.</p>`,
        htmlFootnote('If that was not you, ignore this message: the link does not work in another browser.'),
      ].join('\n'),
    ),
  };
}
