// The words of the mail about tokens that end soon. Pure. It names tokens by name and mask, and holds no secret and no link that
// signs in.
import { listMail, nameInMail, onDate, tokenInMail } from '../mail.ts';
import type { EndingToken } from '../token/expiry.ts';
import type { Notice } from './mails.ts';

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;

/** The mail at the instant `now` (ms). `origin`: of the dashboard, such as https://zone.example. */
export function expiryMail(
  { organisationId, organisationName }: Pick<Notice, 'organisationId' | 'organisationName'>,
  tokens: readonly EndingToken[],
  { productName, origin, now }: { productName: string; origin: string; now: number },
): { subject: string; text: string; html: string } {
  const [first] = tokens;
  const isOne = tokens.length === 1 && first !== undefined;
  const what = isOne
    ? `an API token expires ${timeLeft(first, now)}`
    : `${tokens.length} API tokens expire soon`;
  const name = nameInMail(organisationName);
  return listMail({
    subject: `${productName}: ${what}`,
    lead: isOne ? `This API token of ${name} expires soon:` : `These API tokens of ${name} expire soon:`,
    lines: tokens.map((token) => lineOf(token, now)),
    advice:
      'From then on every call with it is refused. If it is still needed, give it a later end in the Developer Zone before then.',
    url: `${origin}/developer-zone?organisation=${encodeURIComponent(organisationId)}`,
    label: 'Open the Developer Zone',
    reason: `You get this message because you are a member of ${name}.`,
  });
}

/** For example "Zapier (9pAbc***): in 7 days, on 3 July 2026 at 12:00:00 UTC". */
function lineOf(token: EndingToken, now: number): string {
  const { name, preview, active, expiresAt } = token;
  const state = active ? '' : ' (it is switched off now)';
  return `${tokenInMail(name, preview)}: ${timeLeft(token, now)}, ${onDate(expiresAt)}${state}`;
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
