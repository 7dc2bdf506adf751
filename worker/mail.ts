// What all mails of the product share: their HTML, and what the log may say of one that was not sent.

/** A text as HTML shows it, between tags. */
export function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

/** The body of a mail in HTML. `content`: HTML as well. */
export function htmlMail(content: string): string {
  return `<!doctype html><html lang="en"><body style="font:16px/1.5 system-ui,sans-serif;color:#18181b">
${content}
</body></html>`;
}

/** A link that looks like a button. `url` is one of ours, without a quote. */
export function htmlButton(url: string, label: string): string {
  return `<p><a href="${url}" style="display:inline-block;padding:10px 18px;border-radius:8px;background:#4f46e5;color:#fff;font-weight:600;text-decoration:none">${label}</a></p>`;
}

/** Why the mail was sent, below all else. `text` is HTML. */
export function htmlFootnote(text: string): string {
  return `<p style="color:#52525b">${text}</p>`;
}

/** The code of Cloudflare's Email Sending, such as E_SENDER_NOT_VERIFIED. The message of the error names addresses. */
export function mailCodeOf(error: unknown): string {
  const code: unknown =
    typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^E_[A-Z_]{1,40}$/.test(code) ? code : 'other';
}
