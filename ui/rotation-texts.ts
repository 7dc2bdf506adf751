// The words for replacing the value of a token. They are loaded with its page. Members read "value" for "secret".
import type { Retire, Token } from './api.ts';
import { formatAgo } from './format.ts';
import { asIs } from './text.tsx';

type Retiring = NonNullable<Token['retiring']>;

/** The time of an end, in British order, with the reader's time zone. */
const moment = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
  timeZoneName: 'short',
});
/** "5 Dec, 14:00 CET", for a sentence. */
const formatMoment = (at: string): string => moment.format(new Date(at));

/** When the old value ends. The order is that of the dialog, and the first choice is the default. */
export const CHOICES: Record<Retire, { label: string; hint?: string }> = {
  'when-silent': {
    label: 'When it has not been used for an hour',
    hint: 'And the new value has been used. After 7 days at the latest.',
  },
  now: {
    label: 'Now',
    hint: 'For a value that leaked. Whatever uses it is refused until it has the new value.',
  },
  '1h': { label: 'In 1 hour' },
  '24h': { label: 'In 24 hours' },
  '7d': { label: 'In 7 days' },
};

export const words = {
  open: 'Rotate…',
  title: (label: string) => `Rotate ${asIs(label)}?`,
  body: 'The token gets a new value, which is shown only once. Its place among your tokens stays the same.',
  active: 'The new value works at once.',
  inactive: 'The token is inactive and stays inactive: no value of it works until you activate it.',
  exposed:
    'It was paused because it was exposed. If the old value ends now, the new one works at once. Otherwise the token stays paused.',
  expired: 'The token has expired: no value of it works until you give it a new end.',
  endsNow: (mask: string) =>
    `${asIs(mask)} from the last rotation has not ended yet. It is refused as soon as you rotate: a token has two values at most.`,
  legend: (mask: string) => `When the old value ${asIs(mask)} ends`,
  confirm: 'Rotate',
  busy: 'Rotating…',
  failed: 'Not rotated.',
  unsure: 'It may have been rotated. Trying again makes no second value.',
  lostTitle: 'Rotated, but not shown',
  lost: (mask: string) =>
    `The token has the new value ${asIs(mask)}, but the answer with it was lost on the way, and it cannot be shown again.`,
  lostOldWorks: (mask: string) =>
    `${asIs(mask)} has not ended yet. Rotating again gives you a value, and ends ${asIs(mask)} at once.`,
  lostOldEnded: 'The old value is refused. Rotate again to get a value.',
  close: 'Close',
  again: 'Rotate again…',
  replaced: (at: string) => `New value since ${at}`,
  ended: (at: string) => `Old value refused since ${at}`,
  both: 'Two values are live',
  bothInactive: 'Two values',
  current: 'Current',
  old: 'Old',
  used: (at: string) => `Last used ${formatAgo(at)}.`,
  never: 'Not used yet.',
  refusedWhileOff: 'Both are refused while the token is inactive.',
  refusedWhileExpired: 'Both are refused, because the token has expired.',
  ends: ({ until, retiresAt }: Retiring) =>
    until === 'time'
      ? `Refused from ${formatMoment(retiresAt)}.`
      : `Refused when it has not been used for an hour and the new value has been used, on ${formatMoment(retiresAt)} at the latest.`,
  endNow: 'End old value now',
  endTitle: (mask: string) => `End the old value ${asIs(mask)}?`,
  end: 'End now',
  endBody: (mask: string) =>
    `Any service still using this value will immediately lose access to the API, and it never works again. ${asIs(mask)} is not changed.`,
  ending: 'Ending…',
  notEnded: (mask: string) => `Couldn’t end ${asIs(mask)}. It is unchanged.`,
  history: 'Values that have ended',
  refusedSince: (at: string) => `Refused since ${formatMoment(at)}`,
  offMeansBoth:
    'Off means that both values are refused everywhere, usually within a second. On again, both work, unless the old one has ended meanwhile.',
};
