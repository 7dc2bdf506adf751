// What all mails of the product share: how they show names and times, their HTML, and what the log may say of one that was not sent.

const DATE = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'long',
  year: 'numeric',
  timeZone: 'UTC',
});
const TIME = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  timeZone: 'UTC',
});

/** For example "on 3 July 2026 at 12:00:00 UTC", of an instant in RFC 3339. */
export function onDate(instant: string): string {
  const date = new Date(instant);
  return `on ${DATE.format(date)} at ${TIME.format(date)} UTC`;
}

/** What no line may hold. Names cannot have it either, except in a row that was written at the SQL prompt. */
const HIDDEN = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu;
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

/**
 * The name of a token or an organisation in a line of a mail. A name that is written from right to left is isolated (U+2068, U+2069),
 * so that the words and numbers around it keep their order.
 */
export function nameInMail(name: string): string {
  const shown = name.replaceAll(HIDDEN, ' ');
  return RIGHT_TO_LEFT.test(shown) ? `\u2068${shown}\u2069` : shown;
}

/** For example "Zapier (9pAbc***)", or the mask alone. */
export function tokenInMail(name: string | null, preview: string): string {
  const mask = `${preview}***`;
  return name === null ? mask : `${nameInMail(name)} (${mask})`;
}

/** A mail that lists things. All fields are text; `url` is one of ours, without a quote. */
export type ListMail = {
  subject: string;
  /** Above the list. */
  lead: string;
  lines: string[];
  /** Below the list. */
  advice: string;
  url: string;
  /** Of the link. */
  label: string;
  /** Why the reader gets it. */
  reason: string;
};

/** The mail as text and as HTML. */
export function listMail({ subject, lead, lines, advice, url, label, reason }: ListMail): {
  subject: string;
  text: string;
  html: string;
} {
  return {
    subject,
    text: [lead, '', ...lines.map((line) => `- ${line}`), '', advice, '', url, '', reason, ''].join('\r\n'),
    html: htmlMail(
      [
        `<p>${escapeHtml(lead)}</p>`,
        `<ul>${lines.map((line) => `<li>${escapeHtml(line)}</li>`).join('')}</ul>`,
        `<p>${escapeHtml(advice)}</p>`,
        htmlButton(url, label),
        htmlFootnote(escapeHtml(reason)),
      ].join('\n'),
    ),
  };
}

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
