// The words for pausing all tokens together. They are loaded with the page of a token.
import { formatCount } from './format.ts';
import { asIs } from './text.tsx';

const tokens = (count: number): string => (count === 1 ? '1 token' : `${count} tokens`);

export const words = {
  title: (name: string) => `Pause all tokens of ${asIs(name)}?`,
  body: 'Calls with these tokens are refused, usually within a second. Their values stay the same, and “Resume” brings back exactly these tokens.',
  none: 'No token is active any more.',
  sum: (calls: string) => `In the last 24 hours: ${calls}.`,
  unknown: 'How often they were called is unknown.',
  calls: (count: number) =>
    count === 0 ? 'no calls' : count === 1 ? '1 call' : `${formatCount(count)} calls`,
  confirm: (count: number) => `Pause ${tokens(count)}`,
  busy: 'Pausing…',
  failed: 'Not paused: the tokens work as before.',
  unsure: 'Couldn’t confirm the pause. The list shows what is paused.',
  done: (count: number, at: string) => `${tokens(count)} paused. Refused everywhere since ${at}.`,
  /** The answer was lost, and the list has no active token. */
  found: 'No token is active any more.',
  resumed: (count: number, at: string) => `${tokens(count)} resumed. Accepted since ${at}.`,
  resumedBefore: 'The tokens were resumed already.',
  notResumed: 'Not resumed: the tokens are still paused.',
  resumeUnsure: 'Couldn’t confirm that the tokens were resumed. The list shows which are active.',
  staysPaused: (label: string) => ` ${asIs(label)} stays paused: it was exposed.`,
  stayPaused: (count: number) => ` ${tokens(count)} stay paused: they were exposed.`,
};
