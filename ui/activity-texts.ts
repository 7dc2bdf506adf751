// The words of the Activity screen. They are loaded with it.
import type { NEW_BROWSER } from '../worker/activity/events.ts';
import type { Action } from './api.ts';
import { formatEnd } from './format.ts';
import { asIs } from './text.tsx';

export const log = {
  title: 'Activity',
  lead: (name: string) => `Who did what to the API tokens of ${asIs(name)}.`,
  filterAction: 'Action',
  filterActor: 'Person',
  allActions: 'All actions',
  filterToken: 'Token',
  allPeople: 'Everybody',
  morePeople: 'More people: put the address into the URL as actor=…',
  allTokens: 'All tokens',
  onlyToken: 'Only this token',
  signIns: 'Sign-ins',
  onlySignIns: 'Only sign-ins among these events.',
  exportAs: 'Export as',
  csv: 'CSV',
  jsonl: 'JSON Lines',
  empty: 'Nothing here yet.',
  noMatch: 'Nothing matches.',
  noMatchYet: 'Nothing matches among the newest events of this token.',
  more: 'Show older',
  moreBusy: 'Loading…',
  loading: 'Loading activity',
  /** In the filter. */
  actions: {
    'sign-in': 'Signed in',
    'sign-out': 'Signed out',
    'token.created': 'Created a token',
    'token.activated': 'Switched a token on',
    'token.deactivated': 'Switched a token off',
    'token.renamed': 'Renamed a token',
    'token.rotated': 'Replaced the value of a token',
    'token.retired': 'Ended the old value of a token',
    'token.expiry-changed': 'Changed the end of a token',
    'token.narrowed': 'Narrowed what a token may do',
    'token.networks-changed': 'Changed the networks of a token',
    'token.origins-changed': 'Changed the websites of a token',
    'token.expiring': 'Warned that a token expires',
    'token.deleted': 'Deleted a token',
    'token.limit-refused': 'Was refused a token over the limit',
    'token.exposed': 'Exposed a token, or reported one',
    'access.refused': 'Was refused what is not theirs',
    'organisation.created': 'Created the organisation',
    'organisation.renamed': 'Renamed the organisation',
    'organisation.paused': 'Paused the organisation',
    'organisation.resumed': 'Resumed the organisation',
    'plan.changed': 'Changed the plan',
    'plan.change-ignored': 'Sent an outdated plan, ignored',
    'member.added': 'Added a member',
    'member.removed': 'Removed a member',
  } satisfies Record<Action, string>,
  /** After the person. The token stands at the dots. The detail ends a sentence whose last character is a space, and no other. */
  sentences: {
    'sign-in': 'signed in',
    'sign-out': 'signed out',
    'token.created': 'created …',
    'token.activated': 'switched on …',
    'token.deactivated': 'switched off …',
    'token.renamed': 'renamed … to ',
    'token.rotated': 'replaced the value of …',
    'token.retired': 'ended the old value of …',
    'token.expiry-changed': 'changed the end of … to ',
    'token.narrowed': 'limited … to ',
    'token.networks-changed': 'limited … to calls from ',
    'token.origins-changed': 'limited … in browsers to ',
    'token.expiring': 'warned that … expires in ',
    'token.deleted': 'deleted …',
    'token.limit-refused': 'was refused a token over the limit',
    'token.exposed': 'sent … in a URL',
    'access.refused': 'was refused what is not theirs: ',
    'organisation.created': 'created the organisation ',
    'organisation.renamed': 'renamed the organisation: ',
    'organisation.paused': 'paused the organisation: all its calls are refused',
    'organisation.resumed': 'resumed the organisation: its calls are accepted again',
    'plan.changed': 'changed the plan: ',
    'plan.change-ignored': 'sent an outdated plan, which was ignored: ',
    'member.added': 'added ',
    'member.removed': 'removed ',
  } satisfies Record<Action, string> as Record<string, string>,
  /** Other sentences of an action, by the detail that they replace. */
  special: {
    'token.renamed': new Map([[null, 'removed the name of …']]),
    'token.expiry-changed': new Map([['never', 'removed the end of …']]),
    'token.networks-changed': new Map([['any', 'let … be called from any network']]),
    'token.origins-changed': new Map([['any', 'let … be called from any website']]),
    'token.activated': new Map([['all', 'switched on … again, with all that were paused together']]),
    'token.deactivated': new Map([
      ['all', 'switched off … together with all others'],
      ['exposed', 'switched off … because it was exposed'],
    ]),
    'token.retired': new Map([['exposed', 'ended the old value of … because it was exposed']]),
    'token.exposed': new Map([
      ['report', 'reported … as found in public'],
      ['github', 'reported … as found in a public repository'],
    ]),
  } satisfies Partial<Record<Action, Map<string | null, string>>> as Record<
    string,
    Map<string | null, string>
  >,
  /** `report: <URL>` and `github: <URL>`. */
  seenAt: 'reported … as found in public at ',
  newBrowser: 'signed in from a new browser',
  days: (count: string) => (count === '1' ? '1 day' : `${count} days`),
};

/** The sentence of an event, with a place for the token, and its detail as a person reads it. Null for no detail. */
export function inWords({ action, detail }: { action: string; detail: string | null }): {
  text: string;
  detail: string | null;
} {
  const special = log.special[action]?.get(detail);
  if (special !== undefined) return { text: special, detail: null };
  if (action === 'token.exposed') {
    const address = /^(?:report|github): (.+)$/s.exec(detail ?? '')?.[1];
    if (address !== undefined) return { text: log.seenAt, detail: address };
  }
  if (action === 'sign-in' && detail?.endsWith(', new browser' satisfies typeof NEW_BROWSER) === true)
    return { text: log.newBrowser, detail: null };
  const text = log.sentences[action] ?? `${action} `;
  if (detail === null || !text.endsWith(' ')) return { text, detail: null };
  if (action === 'token.expiry-changed') return { text, detail: formatEnd(detail) };
  return { text, detail: action === 'token.expiring' ? log.days(detail) : detail };
}
