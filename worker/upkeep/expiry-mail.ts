// The words of the mail about tokens that end soon. Pure. It names tokens by name and mask, and holds no secret and no link that
// signs in.
import { escapeHtml, htmlButton, htmlFootnote, htmlMail } from '../mail.ts';
import type { EndingToken, WaitingMail } from '../token/expiry-mails.ts';

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;

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

/** The mail at the instant `now` (ms). `origin`: of the dashboard, such as https://zone.example. */
export function expiryMail(
  {
    organisationId,
    organisationName,
    tokens,
  }: Pick<WaitingMail, 'organisationId' | 'organisationName' | 'tokens'>,
  { productName, origin, now }: { productName: string; origin: string; now: number },
): { subject: string; text: string; html: string } {
  const url = `${origin}/developer-zone?organisation=${encodeURIComponent(organisationId)}`;
  const [first] = tokens;
  const isOne = tokens.length === 1 && first !== undefined;
  const what = isOne
    ? `an API token expires ${timeLeft(first, now)}`
    : `${tokens.length} API tokens expire soon`;
  const subject = `${productName}: ${what}`;
  const lead = isOne
    ? `This API token of ${organisationName} expires soon:`
    : `These API tokens of ${organisationName} expire soon:`;
  const lines = tokens.map((token) => lineOf(token, now));
  const effect =
    'From then on every call with it is refused. If it is still needed, give it a later end in the Developer Zone before then.';
  const reason = `You get this message because you are a member of ${organisationName}.`;
  return {
    subject,
    text: [lead, '', ...lines.map((line) => `- ${line}`), '', effect, '', url, '', reason, ''].join('\r\n'),
    html: htmlMail(
      [
        `<p>${escapeHtml(lead)}</p>`,
        `<ul>${lines.map((line) => `<li>${escapeHtml(line)}</li>`).join('')}</ul>`,
        `<p>${effect}</p>`,
        htmlButton(url, 'Open the Developer Zone'),
        htmlFootnote(escapeHtml(reason)),
      ].join('\n'),
    ),
  };
}

/** For example "Zapier (9pAbc***): in 7 days, on 3 July 2026 at 12:00:00 UTC". */
function lineOf(token: EndingToken, now: number): string {
  const { name, preview, active, expiresAt } = token;
  const mask = `${preview}***`;
  const end = new Date(expiresAt);
  const state = active ? '' : ' (it is switched off now)';
  return `${name === null ? mask : `${name} (${mask})`}: ${timeLeft(token, now)}, on ${DATE.format(end)} at ${TIME.format(end)} UTC${state}`;
}

function timeLeft({ expiresAt }: EndingToken, now: number): string {
  const ms = Date.parse(expiresAt) - now;
  // A run comes some minutes after the time of the warning.
  const days = Math.round(ms / DAY_MS);
  if (ms > DAY_MS - HOUR_MS) return `in ${counted(days, 'day')}`;
  return ms < HOUR_MS ? 'in less than an hour' : `in ${counted(Math.round(ms / HOUR_MS), 'hour')}`;
}

function counted(count: number, unit: string): string {
  return count === 1 ? `1 ${unit}` : `${count} ${unit}s`;
}
