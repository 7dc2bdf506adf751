// Dates and numbers. A date that stands alone is in the reader's locale and zone, in the Gregorian calendar. A date or a number in a
// sentence is in the language of the sentence.

const day = new Intl.DateTimeFormat(undefined, {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  calendar: 'gregory',
});
const full = new Intl.DateTimeFormat(undefined, {
  dateStyle: 'full',
  timeStyle: 'long',
  calendar: 'gregory',
});
const weekday = new Intl.DateTimeFormat(undefined, {
  weekday: 'long',
  day: 'numeric',
  month: 'long',
  year: 'numeric',
  calendar: 'gregory',
});
const minute = new Intl.DateTimeFormat(undefined, {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  calendar: 'gregory',
});
const end = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  timeZoneName: 'short',
});
const hourOfDay = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const clock = new Intl.DateTimeFormat('en', { timeStyle: 'medium', hourCycle: 'h23' });
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const count = new Intl.NumberFormat('en');
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });
const dayOfYear = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const dayAndYear = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });
const utcDay = new Intl.DateTimeFormat(undefined, {
  day: 'numeric',
  month: 'short',
  timeZone: 'UTC',
  calendar: 'gregory',
});
export const DAY_MS = 86_400_000;
const STEPS: [unit: Intl.RelativeTimeFormatUnit, seconds: number][] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
];

export const formatDay = (at: string): string => day.format(new Date(at));
export const formatFull = (at: string): string => full.format(new Date(at));
/** Without seconds, which a list does not need. The export has them. */
export const formatMinute = (at: string): string => minute.format(new Date(at));
export const formatHour = (at: string): string => hourOfDay.format(new Date(at));
export const formatClock = (at: string | number): string => clock.format(new Date(at));
export const formatCount = (value: number): string => count.format(value);
/** "23 Nov": a day in UTC. */
export const formatUtcDay = (at: number): string => utcDay.format(at);
/** "2.9k", for a column of numbers. */
export const formatCompact = (value: number): string => compact.format(value).replace('K', 'k');

/** "3 hours ago", in the largest unit that fits. */
export function formatAgo(at: string, now: number = Date.now()): string {
  const seconds = (new Date(at).getTime() - now) / 1000;
  const [unit, size] = STEPS.find(([, length]) => Math.abs(seconds) >= length) ?? ['second', 1];
  return relative.format(Math.trunc(Math.min(0, seconds) / size), unit);
}

/** Short, for a table: "3 min ago", "yesterday", "26 Aug". */
export function formatBrief(at: string, now: number = Date.now()): string {
  const then = new Date(at);
  const seconds = Math.max(0, Math.trunc((now - then.getTime()) / 1000));
  if (seconds < 5) return 'just now';
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.trunc(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.trunc(seconds / 3600)} h ago`;
  const days = Math.trunc(seconds / 86_400);
  if (days < 31) return days === 1 ? 'yesterday' : `${days} days ago`;
  return formatDate(then, now);
}

/** "26 Aug", with the year if it is another. */
const formatDate = (then: Date, now: number): string =>
  (then.getFullYear() === new Date(now).getFullYear() ? dayOfYear : dayAndYear).format(then);

/** "14 Mar 2027, 23:59 CET", for a sentence: an instant at which something ends, with the reader's zone. */
export const formatEnd = (at: string): string => end.format(new Date(at));

/** "at 14:02" today, else "on 26 Nov", for a sentence: when something happened. */
export function formatWhen(at: string, now: number = Date.now()): string {
  const then = new Date(at);
  return then.toDateString() === new Date(now).toDateString()
    ? `at ${clock.format(then).slice(0, 5)}`
    : `on ${formatDate(then, now)}`;
}

/** How long it is until then: "in 5 hours", "tomorrow", "in 6 days". Days are those of the reader's calendar. */
export function formatIn(at: string, now: number = Date.now()): string {
  const minutes = Math.floor((Date.parse(at) - now) / 60_000);
  if (minutes < 1) return 'in less than a minute';
  if (minutes < 60) return relative.format(minutes, 'minute');
  if (minutes < 24 * 60) return relative.format(Math.floor(minutes / 60), 'hour');
  const midnight = (time: string | number): number => new Date(time).setHours(0, 0, 0, 0);
  // A day of the reader's zone may have 23 or 25 hours.
  return relative.format(Math.max(1, Math.round((midnight(at) - midnight(now)) / DAY_MS)), 'day');
}

/** "Today", "Yesterday", or the whole date. */
export function formatDayName(at: string, now: number = Date.now()): string {
  const date = weekday.format(new Date(at));
  if (date === weekday.format(now)) return 'Today';
  const yesterday = new Date(now);
  yesterday.setDate(yesterday.getDate() - 1);
  return date === weekday.format(yesterday) ? 'Yesterday' : date;
}
