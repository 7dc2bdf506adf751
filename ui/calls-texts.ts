// The words about the calls of a token: who calls, why calls were refused, and what a change will stop. They are loaded with the page
// of a token.
import type { CallsOfToken } from './api.ts';
import { formatCount } from './format.ts';
import { asIs } from './text.tsx';

const list = new Intl.ListFormat('en-GB');
const regions = new Intl.DisplayNames(['en-GB'], { type: 'region', fallback: 'code' });

const calls = (count: number): string => `${formatCount(count)} ${count === 1 ? 'call' : 'calls'}`;
const were = (count: number): string => (count === 1 ? 'was' : 'were');

/** Why calls were refused, after their number. */
const REASONS: Record<string, string> = {
  inactive: 'while the token was inactive',
  expired: 'after the token had expired',
  retired: 'with a value that was replaced',
  plan: 'while the organisation was not on the Enterprise plan',
  access: 'to something that the token may not do',
  network: 'from networks that are not in the list',
  origin: 'from websites that are not in the list',
  paused: 'while the organisation was paused',
} satisfies Record<CallsOfToken['reasons'][number]['reason'], string>;

export const words = {
  title: 'Calls',
  period: 'Period',
  periods: { hours: '24 h', week: '7 d', month: '30 d' },
  periodNames: { hours: '24 hours', week: '7 days', month: '30 days' },
  accepted: 'Accepted',
  refused: 'Refused',
  hoursAgo: '24 hours ago',
  now: 'Now',
  today: 'Today',
  utc: 'Days are in UTC.',
  bar: (when: string, accepted: number, refused: number) =>
    refused === 0
      ? `${when}: ${formatCount(accepted)}`
      : `${when}: ${formatCount(accepted)}, and ${formatCount(refused)} refused`,
  chart: (most: string) => `Bars. The highest is ${most}.`,
  noBars: 'No calls.',
  failedTitle: 'The calls are unknown',
  failed: 'The counts could not be loaded. That does not mean that there were no calls.',
  stale: 'May be out of date: the counts could not be loaded again.',
  why: 'Refused in the last 24 hours',
  reason: (reason: string, count: number) => `${calls(count)} ${REASONS[reason] ?? 'for another reason'}`,

  who: 'Who calls',
  approximate: 'Last 30 days, by network. Shares are approximate.',
  loading: 'Loading…',
  none: 'No calls in 30 days',
  notKnownWho: 'Who made these calls is not known.',
  unknownWho: 'Unknown: the counts could not be loaded.',
  columns: ['Network', 'Client', 'Calls', 'Last'],
  noNetwork: 'Unknown network',
  /** In a sentence. */
  aNetwork: 'an unknown network',
  country: (code: string) => regions.of(code) ?? code,
  alsoRefused: (count: number) => `${formatCount(count)} refused`,
  fresh: 'New',
  freshTitle: 'No calls before yesterday',
  others: 'Others',
  more: (count: number) => `Show ${count} more`,

  asking: 'Looking up who calls…',
  notKnown: 'Who calls it is unknown: the counts could not be loaded.',
  notKnownFrom: 'From where is unknown: the counts could not be loaded.',
  neverUsed: 'Never used.',
  notUsed: (span: string) => `Not used for ${span}.`,
  hours: (count: number) => (count === 1 ? '1 hour' : `${count} hours`),
  days: (count: number) => (count === 1 ? '1 day' : `${count} days`),
  notCounted: (when: string) => `Last used ${when}. The call is not counted yet.`,
  onlyRefused: (count: number) => `${calls(count)} ${were(count)} refused in the last 24 hours.`,
  moreRefused: (count: number) => `${formatCount(count)} more ${were(count)} refused.`,
  /** Without the full stop: the networks follow. */
  inDay: (count: number, last: string | null) =>
    `${calls(count)} in the last 24 hours${last === null ? '' : count === 1 ? `, ${last}` : `, the last one ${last}`}`,
  place: (name: string, country: string | null) =>
    country === null ? asIs(name) : `${asIs(name)} (${country})`,
  /** `others`: how many networks are not named, or `some`. */
  from: (places: string[], others: number | 'some') => {
    const rest =
      others === 0
        ? []
        : [others === 'some' ? 'others' : others === 1 ? '1 other network' : `${others} other networks`];
    return `, from ${list.format([...places, ...rest])}`;
  },

  ofValue: (today: number, week: number) =>
    week === 0 ? 'No calls in 7 days.' : `${calls(today)} today, ${formatCount(week)} in 7 days.`,
  valueUnknown: 'Its calls are unknown.',
  wasCalled: (mask: string, today: number, week: number) =>
    week === 0
      ? `No calls with ${asIs(mask)} in 7 days.`
      : `${calls(today)} with ${asIs(mask)} today, ${formatCount(week)} in 7 days.`,
  valueNotKnown: (mask: string) =>
    `The calls with ${asIs(mask)} are unknown: the counts could not be loaded.`,
  methodNotKnown: 'How many of them write is not counted.',
  pathNotKnown: 'Which paths they ask for is not counted.',
  browsers: (count: number) =>
    count === 0
      ? 'No browser was seen among them, and only browsers name a website.'
      : `About ${formatCount(count)} of them came from browsers. From which websites is not counted.`,

  andMore: (count: number) => (count === 1 ? 'and 1 more network' : `and ${count} more networks`),
  addressesNotKept:
    'Addresses are not kept, so this page cannot tell which calls your list would refuse. Once it is saved, this page shows refused addresses for 24 hours, each with a button that adds it.',
};
