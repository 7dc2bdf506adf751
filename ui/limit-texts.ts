// The words of what a token may do, fetched together with its page.
import type { Ending, List } from './draft.ts';
import { asIs } from './text.tsx';

export const ENDINGS: Record<Exclude<Ending, 'as-is'>, string> = {
  never: 'Never',
  '30': 'In 30 days',
  '90': 'In 90 days',
  year: 'In 1 year',
  date: 'On a date…',
};

type ListWords = {
  label: string;
  /** Where the list is empty. */
  any: string;
  /** `most`: how many entries there may be. */
  hint: (most: number) => string;
  placeholder: string;
  title: (label: string) => string;
  edit: string;
  /** The receipts: fewer calls pass than before, others pass, or all. */
  narrowed: (at: string) => string;
  changed: (at: string) => string;
  freed: (at: string) => string;
};

export const LISTS: Record<List, ListWords> = {
  paths: {
    label: 'Only these paths',
    any: 'All',
    hint: (most) => `One on each line, ${most} at most. What is below a path belongs to it.`,
    placeholder: '/v1/events',
    title: (label) => `Paths of ${asIs(label)}`,
    edit: 'Edit paths',
    narrowed: (at) => `Other paths refused since ${at}`,
    changed: (at) => `Other paths refused since ${at}`,
    freed: (at) => `All paths since ${at}`,
  },
  networks: {
    label: 'Networks',
    any: 'Any',
    hint: (most) => `Addresses or networks, one on each line, ${most} at most.`,
    placeholder: '203.0.113.0/24',
    title: (label) => `Networks of ${asIs(label)}`,
    edit: 'Edit networks',
    narrowed: (at) => `Refused elsewhere since ${at}`,
    changed: (at) => `New networks since ${at}`,
    freed: (at) => `Any network since ${at}`,
  },
  origins: {
    label: 'Websites',
    any: 'Any',
    hint: (most) =>
      `One on each line, ${most} at most. This restrains browsers only: a program may call without naming a website.`,
    placeholder: 'https://shop.example',
    title: (label) => `Websites of ${asIs(label)}`,
    edit: 'Edit websites',
    narrowed: (at) => `Refused on others since ${at}`,
    changed: (at) => `New websites since ${at}`,
    freed: (at) => `Any website since ${at}`,
  },
};

export const words = {
  title: 'What it may do',
  access: 'Access',
  paths: 'Paths',
  expires: 'Expires',
  date: 'Date',
  exact: (at: string) => `Exactly: ${at}.`,
  endOfDay: (at: string) => `The end of that day in your time zone: ${at}.`,
  asItIs: (at: string) => `As it is: ${at}`,
  noDate: 'The token works until the end of that day in your time zone.',
  browsersOnly: 'This limit restrains browsers only.',
  edit: 'Edit',
  editEnd: 'Edit the end',
  refused: 'Refused',
  andMore: (when: string, count: number) => `${when}, and ${count} more`,
  add: 'Add',
  addName: (address: string) => `Add ${address} to the networks`,
  narrow: 'Narrow',
  narrowAccess: 'Narrow the access',
  narrowTitle: (label: string) => `Make ${asIs(label)} read only?`,
  narrowBody:
    'Calls that write are refused from then on. This cannot be undone: a token can only be narrowed. What needs to write later needs another token.',
  narrowConfirm: 'Make it read only',
  pathsOnce:
    'Paths can only be narrowed: take some away, or write longer ones. What is refused today stays refused.',
  empty: 'Empty: any.',
  emptyPaths: 'Empty: all paths. Once it has paths, it cannot have all again.',
  endTitle: (label: string) => `When ${asIs(label)} ends`,
  endBody: 'From that instant on, every call with it is refused. It can be given a new end later.',
  newEndTitle: (label: string) => `Give ${asIs(label)} a new end`,
  newEndBody: 'The same value works again at once.',
  newEndBodyInactive: 'The token is inactive: the same value works again once it is switched on.',
  newEnd: 'Give it a new end…',
  expired: (at: string) =>
    `It ended on ${at}, and every call with it is refused. With a new end the same value works again.`,
  save: 'Save',
  saving: 'Saving…',
  failed: 'Not saved.',
  readOnlySince: (at: string) => `Read only since ${at}`,
  newEndSince: (at: string) => `New end since ${at}`,
  noEndSince: (at: string) => `No end since ${at}`,
  acceptedAgain: (at: string) => `Accepted again since ${at}`,
};
