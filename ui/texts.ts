// The words on the screen, except those of parts that load later (*-texts.ts). British spelling, sentence case.
import type { Failure } from '../worker/sign-in/redirect.ts';
import type { Plan } from './api.ts';
import { asIs } from './text.tsx';

export const texts = {
  skip: 'Skip to content',
  developerZone: 'Developer Zone',
  activity: 'Activity',
  scriptFailed: (screen: string) => `Couldn’t load ${screen}`,
  dialog: {
    loading: 'Loading…',
    failed: 'Couldn’t load the dialog',
    unchanged: 'Nothing was changed.',
  },
  activityFailed: 'Couldn’t load the activity',
  sessions: 'Sessions',
  token: 'Token',
  navigation: 'Main',
  menu: 'Menu',
  closeMenu: 'Close menu',
  organisation: 'Organisation',
  selectOrganisation: 'Select an organisation',
  planRequiredTip: 'Enterprise plan required',
  locked: '(locked)',
  findOrganisation: 'Find an organisation',
  found: (count: number, total: number) => `${count} of ${total}`,
  moreOrganisations: (count: number) => `And ${count} more: type a part of the name.`,
  signOut: 'Sign out',
  theme: { label: 'Theme', system: 'System theme', light: 'Light theme', dark: 'Dark theme' },
  newTab: '(opens in a new tab)',
  dismiss: 'Dismiss',
  tryAgain: 'Try again',
  cancel: 'Cancel',
  lead: (name: string) =>
    `Create and manage API tokens for ${asIs(name)}. Use a separate token for each integration, so that you can deactivate one without breaking the others.`,
  none: {
    title: 'Select an organisation',
    body: 'Choose an organisation from the sidebar to manage its API tokens.',
    nobodyTitle: 'No organisation yet',
    nobody: 'You do not belong to any organisation yet. Only the operator can add you.',
    unknown: 'You are not a member of that organisation. Choose another from the sidebar.',
  },
  plan: {
    title: 'Enterprise Plan Required',
    body: (name: string, plan: string) =>
      `${asIs(name)} is on the ${plan} plan. Developer Zone is available on the Enterprise plan.`,
    below: (name: string) =>
      `${asIs(name)} is not on the Enterprise plan. Developer Zone is available on the Enterprise plan.`,
    contact: (product: string) => `Contact ${product} to upgrade`,
    other: 'Not on Enterprise',
    names: {
      trial: 'Trial',
      'pay-as-you-go': 'Pay As You Go',
      pro: 'Pro',
      enterprise: 'Enterprise',
    } satisfies Record<Plan, string>,
  },
  tokens: {
    title: 'Admin API Tokens',
    inUse: (count: number, limit: number) => `${count} of ${limit} tokens used`,
    documentation: 'API documentation',
    create: 'Create Token',
    columns: ['Token', 'Status', 'Created By', 'Created At', 'Actions'],
    loading: 'Loading tokens',
    emptyTitle: 'No API tokens yet',
    emptyBody:
      'Create a token to let a website, a partner app or an internal tool read your organisation’s data through the API. Use a separate token for each integration.',
    emptyAction: 'Create your first token',
    limit: (limit: number) =>
      `You’ve reached the limit of ${limit} tokens. Delete an existing token to create a new one.`,
    failedTitle: 'Couldn’t load tokens',
    failedBody: 'Your tokens keep working.',
    stale: 'This list may be out of date: it could not be loaded again.',
    active: 'Active',
    inactive: 'Inactive',
    expired: 'Expired',
    activating: 'Activating…',
    deactivating: 'Deactivating…',
    switchName: (label: string) => `Token ${label} active`,
    deleteName: (label: string) => `Delete token ${label}`,
    notFound: 'There is no such token any more.',
    unnamed: 'Add a name',
    toToken: (mask: string) => `to token ${mask}`,
    neverUsed: 'never used',
    used: (when: string) => `used ${when}`,
    callsHead: 'Calls, 24 hours',
    exposed: (when: string, inUrl: boolean) => `${inUrl ? 'Sent in a URL' : 'Found in public'} ${when}`,
    stillCalled: (calls: string) => `Still called: ${calls} refused`,
    ended: (when: string) => `Ended ${when}`,
    expiredWhen: (when: string) => `Expired ${when}`,
    expires: (when: string) => `Expires ${when}`,
    twoValues: 'Two values live',
    unused: (days: number) => `Unused for ${days} days`,
    offMeans: 'Off means refused everywhere, usually within a second. On again, the same value works.',
    calls: (accepted: string, refused: string) =>
      `Last 24 hours: ${accepted} accepted, ${refused} refused calls`,
    callsUnknown: 'Calls of the last 24 hours: unknown',
    callsADay: (calls: string) => `${calls} calls a day`,
  },
  /** The strip above the table. */
  alarm: {
    placePaused: (since: string, product: string) =>
      `${asIs(product)} paused this organisation on ${since}. All its calls are refused.`,
    contact: (product: string) => `Contact ${product}`,
    /** `paused`: whether it was switched off because of that. Otherwise it was off before. */
    exposed: (label: string, inUrl: boolean, when: string, paused: boolean) =>
      `${asIs(label)} was ${inUrl ? 'sent in a URL' : 'found in public'}${
        paused ? ` and paused ${when}. Nobody can use it now.` : ` ${when}. It is inactive.`
      }`,
    more: (count: number) => (count === 0 ? '' : ` ${count} more below.`),
    replace: 'Replace it…',
    together: (count: number, when: string, by: string) =>
      `${count === 1 ? '1 token was paused' : `${count} tokens were paused together`} ${when} by ${asIs(by)}.`,
    resume: (count: number) => (count === 1 ? 'Resume it' : 'Resume them'),
    resuming: 'Resuming…',
  },
  pauseAll: 'Pause all tokens…',
  callsPaused: 'paused',
  more: 'More',
  toggle: {
    deactivated: (at: string) => `Refused since ${at}`,
    stopped: (calls: number, text: string) =>
      calls === 1 ? '1 call a day stops.' : `${text} calls a day stop.`,
    activated: (at: string) => `Accepted since ${at}`,
    stillExpired: 'Switched on, still expired',
    undo: 'Undo',
    failed: (label: string, active: boolean) =>
      active
        ? `Couldn’t deactivate ${asIs(label)}. It is still active.`
        : `Couldn’t activate ${asIs(label)}. It is still inactive.`,
    gone: (label: string) => `Token ${asIs(label)} was deleted meanwhile.`,
    slow: 'A region is slow to confirm. The switch settles when every place agrees, ten seconds at most.',
  },
  signIn: {
    title: 'Sign in',
    lead: (product: string) => `to ${product} Developer Zone`,
    email: 'Email',
    send: 'Send sign-in link',
    sending: 'Sending…',
    or: 'or',
    sso: (name: string) => `Continue with ${name}`,
    sentTitle: 'Check your inbox',
    sentBody: (email: string) =>
      `If ${asIs(email)} belongs to an organisation, a link is on its way. It works once, for 10 minutes, in this browser.`,
    localLink: 'Open the sign-in link',
    localNote: 'Local mode: there is no mail, so here is the link itself.',
    resend: 'Send again',
    resendIn: (seconds: number) => `Send again in ${seconds} s`,
    other: 'Use another address',
    redeeming: 'Signing you in…',
    invalid:
      'This link was used already, is older than 10 minutes, or was opened in another browser. Ask for a new one.',
    ended: 'Your session has ended. Sign in again to continue.',
    signedOut: 'You are signed out.',
    badAddress: 'Enter an email address, like you@example.com.',
    closed: 'This deployment has no way to sign in yet: its operator sets up email or single sign-on.',
    errors: {
      'unknown-member': 'That account belongs to no organisation here. Only the operator can add it.',
      'email-not-verified': 'Your provider has not verified that email address.',
      'sign-in-expired':
        'That sign-in was used already, took longer than 10 minutes, or began in another browser.',
      'provider-unavailable': 'Your sign-in provider cannot be reached. Try again in a minute.',
      'sign-in-failed': 'Signing in did not work. Try again.',
      'too-many-requests': 'Too many sign-ins from here. Wait a minute and try again.',
      'storage-unavailable': 'Signing in is not possible right now. Try again in a minute.',
    } satisfies Record<Failure, string> as Record<string, string>,
  },
  offline: 'Your browser says that it is offline. What you see may be out of date.',
  refreshed: (at: string) => `Updated at ${at}`,
  from: (organisation: string, text: string) => `${asIs(organisation)}: ${text}`,
  anotherMember: (email: string) =>
    `You are signed in as ${asIs(email)} now. What was under way as the other member was not done.`,
  noAnswer: 'No answer came. Check your connection.',
  unsure: (label: string) => `Couldn’t confirm the change of ${asIs(label)}.`,
  valueChanged: 'Its value was replaced a moment ago. Look at the token’s page, then try again.',
  wait: (seconds: number) => `Too many requests. Wait ${seconds} s and try again.`,
  unexpected: 'Something went wrong on our side.',
  refused: 'The request was refused.',
  requestId: 'Request',
  copyRequestId: 'Copy the request id',
  copiedRequestId: 'Request id copied',
  selectedRequestId: 'The request id is selected: copy it by hand.',
};
