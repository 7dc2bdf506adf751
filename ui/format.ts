// Dates and numbers. What stands alone is in the reader's own locale and zone, in the calendar of the rest of the page; what
// stands in a sentence is in the language of the sentence.

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
const minute = new Intl.DateTimeFormat(undefined, {
  dateStyle: 'medium',
  timeStyle: 'short',
  calendar: 'gregory',
});
const clock = new Intl.DateTimeFormat('en', { timeStyle: 'medium', hourCycle: 'h23' });
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const count = new Intl.NumberFormat('en');
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
export const formatClock = (at: string | number): string => clock.format(new Date(at));
export const formatCount = (value: number): string => count.format(value);

/** "3 hours ago", in the largest unit that fits. */
export function formatAgo(at: string, now: number = Date.now()): string {
  const seconds = (new Date(at).getTime() - now) / 1000;
  const [unit, size] = STEPS.find(([, length]) => Math.abs(seconds) >= length) ?? ['second', 1];
  return relative.format(Math.trunc(Math.min(0, seconds) / size), unit);
}
