// The instants that people and programs send: the end of a token, the beginning of a list. Both are read by this one rule.
import { check, pipe, string, transform } from 'valibot';

// RFC 3339 section 5.6, without leap seconds.
const INSTANT =
  /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/i;
/** An instant may be so far away: after it no date is written with four digits. */
const LAST_YEAR = 9999;

/** The instant in ms since 1970, or null: of a day that does not exist as well. */
export function readInstant(text: string): number | null {
  const parts = INSTANT.exec(text)?.slice(1).map(Number);
  if (parts === undefined) return null;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts;
  const local = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  const isReal =
    year > 0 &&
    local.getUTCMonth() === month - 1 &&
    local.getUTCDate() === day &&
    hour < 24 &&
    minute < 60 &&
    second < 60;
  const instant = Date.parse(text.toUpperCase());
  return isReal && new Date(instant).getUTCFullYear() <= LAST_YEAR ? instant : null;
}

export function isInstant(text: string): boolean {
  return readInstant(text) !== null;
}

/** An instant in the form in which times are kept (UTC, milliseconds), so that they can be compared as text. */
export const instantLike = (example: string) =>
  pipe(
    string('not a string'),
    check(isInstant, `not an instant such as ${example}`),
    transform((text) => new Date(readInstant(text) ?? Number.NaN).toISOString()),
  );
