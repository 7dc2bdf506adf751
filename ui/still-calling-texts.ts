// The words about calls with tokens and values that have ended. They are loaded with the Activity screen.
import type { StillCalling } from './api.ts';
import { formatAgo, formatCount } from './format.ts';
import { asIs } from './text.tsx';

type Caller = StillCalling['callers'][number];

const calls = (count: number): string => (count === 1 ? '1 call' : `${formatCount(count)} calls`);

export const words = {
  title: 'Still calling',
  lead: 'Refused calls of the last 7 days with deleted tokens and replaced values. Who calls is approximate.',
  unknown: 'Unknown: it could not be loaded. That does not mean that nobody calls.',
  more: (count: number) => `Show ${count} more`,
  ended: ({ kind, endedAt, endedBy }: StillCalling, now: number = Date.now()) => {
    const when = formatAgo(endedAt, now);
    if (kind === 'retired') return `Replaced value, ended ${when}`;
    return `Deleted ${when}${endedBy === null ? '' : ` by ${asIs(endedBy)}`}`;
  },
  /** Days are those of UTC, as everywhere. */
  calls: ({ today, yesterday, lastAt }: StillCalling, now: number = Date.now()) =>
    today + yesterday === 0
      ? `Last call ${formatAgo(lastAt, now)}`
      : today === 0
        ? `${calls(yesterday)} yesterday`
        : yesterday === 0
          ? `${calls(today)} today`
          : `${calls(today)} today, ${formatCount(yesterday)} yesterday`,
  /** "Hetzner Online (DE), python-requests". */
  caller: ({ network, country, agent }: Caller) =>
    `${network === null ? 'unknown network' : asIs(network.name)}${country === null ? '' : ` (${country})`}, ${asIs(agent)}`,
  /** The link to the page of a token without a name. */
  toToken: 'Unnamed token',
  /** On the page of a token, about a value of it. */
  see: 'Who calls',
};
