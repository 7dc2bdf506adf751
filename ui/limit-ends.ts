// When a token ends, from what a person chooses. Days are those of the reader's calendar and zone. Pure.
import type { Ending } from './draft.ts';

/** The instant that the choice means, counted from `now`; null for never, and for a date that is none yet. */
export function endOf(ending: Ending, date: string, asIs: string | null, now = new Date()): string | null {
  switch (ending) {
    case 'as-is':
      return asIs;
    case 'never':
      return null;
    case '30':
    case '90':
      return inDays(now, Number(ending));
    case 'year':
      return inAYear(now);
    case 'date':
      return endOfDay(date);
  }
}

/** The same time of the day, so many days later. */
function inDays(now: Date, days: number): string {
  const then = new Date(now);
  then.setDate(then.getDate() + days);
  return then.toISOString();
}

/** The same date and time a year later; after 29 February, on 28 February. */
function inAYear(now: Date): string {
  const then = new Date(now);
  then.setFullYear(then.getFullYear() + 1);
  if (then.getMonth() !== now.getMonth()) then.setDate(0);
  return then.toISOString();
}

/** The last second of the day. `date`: as a field for dates has it, 2027-03-14. Null for anything else. */
export function endOfDay(date: string): string | null {
  const [year = 0, month = 0, day = 0] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(date)?.slice(1).map(Number) ?? [];
  const start = new Date(2000, 0, 1);
  start.setFullYear(year, month - 1, day);
  // 31 February would be a day in March.
  if (dayOf(start) !== date) return null;
  // The beginning of the next day: on the day of a change of the clocks, the last hour may come twice or not at all.
  const next = new Date(start);
  next.setDate(day + 1);
  return new Date(next.getTime() - 1000).toISOString();
}

/** The reader's day, as a field for dates has it. */
export function dayOf(at: Date): string {
  const [year, month, day] = [at.getFullYear(), at.getMonth() + 1, at.getDate()];
  return [String(year).padStart(4, '0'), ...[month, day].map((part) => String(part).padStart(2, '0'))].join(
    '-',
  );
}
