// Sends sign-in links: by the EMAIL binding, or in local mode to the console and in the answer. Without a mailer there are no sign-in
// links. A link is a credential: nothing else may print or store it.
import type { Call } from '../http/call.ts';

export type Mailer =
  | { kind: 'local' }
  | { kind: 'email'; send(to: string, link: string, asker: string): Promise<void> };

/** The mailer of this deployment for this call, or null. */
export function openMailer({ isLocal, deployment }: Call): Mailer | null {
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
  const name = product.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
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
    html: `<!doctype html><html lang="en"><body style="font:16px/1.5 system-ui,sans-serif;color:#18181b">
<p>Sign in to ${name} Developer Zone:</p>
<p><a href="${link}" style="display:inline-block;padding:10px 18px;border-radius:8px;background:#4f46e5;color:#fff;font-weight:600;text-decoration:none">Sign in</a></p>
<p>The link works once, for 10 minutes, in the browser that asked for it.</p>
<p>It was asked for with ${asker}.</p>
<p style="color:#52525b">If that was not you, ignore this message: the link does not work in another browser.</p>
</body></html>`,
  };
}

/** The code of Cloudflare's Email Sending, such as E_SENDER_NOT_VERIFIED. The message of the error names addresses. */
export function mailCodeOf(error: unknown): string {
  const code: unknown =
    typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^E_[A-Z_]{1,40}$/.test(code) ? code : 'other';
}
