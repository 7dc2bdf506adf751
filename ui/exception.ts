// What is unusual about a token. A row shows at most one such fact, the most serious. Normal facts are on the page of the token.
import type { Series, Token } from './api.ts';
import { DAY_MS, formatBrief, formatCount, formatIn, formatWhen } from './format.ts';
import { texts } from './texts.ts';
import { isExpired, lastUseOf } from './tokens.ts';
import { sum } from './totals.ts';

export type Exception = { tone: 'bad' | 'warn' | 'quiet'; text: string };

const UNUSED_DAYS = 90;
const SOON_DAYS = 14;

/** The most serious first. Each answers null if it does not apply. */
const RANKED: ((token: Token, calls: Series | undefined, now: number) => Exception | null)[] = [
  ({ exposed }, _, now) =>
    exposed === null
      ? null
      : { tone: 'bad', text: texts.tokens.exposed(formatWhen(exposed.at, now), exposed.by === 'url') },
  (token, _, now) => {
    const { expiresAt, active } = token;
    if (expiresAt === null) return null;
    const left = Date.parse(expiresAt) - now;
    if (isExpired(token)) {
      const when = formatBrief(expiresAt, now);
      return { tone: 'warn', text: active ? texts.tokens.ended(when) : texts.tokens.expiredWhen(when) };
    }
    return left < SOON_DAYS * DAY_MS
      ? { tone: 'warn', text: texts.tokens.expires(formatIn(expiresAt, now)) }
      : null;
  },
  ({ retiring }) => (retiring === null ? null : { tone: 'warn', text: texts.tokens.twoValues }),
  (token, calls) => {
    if (token.active || calls === undefined) return null;
    // Calls of the hours up to the last accepted one may have been refused for another reason.
    const since = calls.accepted.findLastIndex((count) => count > 0) + 1;
    const refused = sum(calls.refused.slice(since));
    return refused === 0 ? null : { tone: 'warn', text: texts.tokens.stillCalled(formatCount(refused)) };
  },
  (token, _, now) => {
    const days = Math.floor((now - Date.parse(lastUseOf(token) ?? token.createdAt)) / DAY_MS);
    return days < UNUSED_DAYS ? null : { tone: 'quiet', text: texts.tokens.unused(days) };
  },
];

/** `calls`: those of the last 24 hours, if they are known. */
export function exceptionOf(
  token: Token,
  calls: Series | undefined,
  now: number = Date.now(),
): Exception | null {
  for (const find of RANKED) {
    const found = find(token, calls, now);
    if (found !== null) return found;
  }
  return null;
}
