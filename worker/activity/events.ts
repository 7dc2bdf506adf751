// The words of the audit log. Append-only; never a secret, hash, session id or link code.

/** What may be in the activity of an organisation. */
export const ACTIONS = [
  'sign-in',
  'sign-out',
  'token.created',
  'token.activated',
  'token.deactivated',
  'token.renamed',
  'token.expiry-changed',
  // The end is 30, 7 or 1 days away.
  'token.expiring',
  // Access or paths became less.
  'token.narrowed',
  'token.networks-changed',
  'token.origins-changed',
  // Another secret took the place of the current one.
  'token.rotated',
  // A secret that was replaced has ended.
  'token.retired',
  'token.deleted',
  'token.limit-refused',
  // Others have seen a secret: it was reported, or sent in a URL, which logs, histories and Referer headers keep.
  'token.exposed',
  // A member asked for an organisation, or a token, that was never theirs.
  'access.refused',
  'organisation.created',
  'organisation.renamed',
  // The operator paused it, or ended the pause.
  'organisation.paused',
  'organisation.resumed',
  'plan.changed',
  // An event of the billing system that is older than the one applied last.
  'plan.change-ignored',
  'member.added',
  'member.removed',
] as const;
/** What no organisation's activity has: it has no organisation, or its organisation is gone. For the operator alone. */
type OperatorAction =
  | 'organisation.deleted'
  // The receiver of the webhook answered that it wants no more messages.
  | 'webhook.stopped'
  // The operator chose from which event on the webhook pushes.
  | 'webhook.moved';
export type Action = (typeof ACTIONS)[number] | OperatorAction;

/** The end of the detail of a `sign-in` by a browser in which this member has not signed in before, or not lately. */
export const NEW_BROWSER = ', new browser';

/** The actor of the operator's events. */
export const OPERATOR = 'operator';

/** How others got to know a secret: it was reported, GitHub found it, or it was sent in a URL. */
export const EXPOSED_BY = ['report', 'github', 'url'] as const;
export type ExposedBy = (typeof EXPOSED_BY)[number];
/** The actors of the events about it: strangers. */
export const EXPOSERS: Readonly<Record<ExposedBy, string>> = {
  report: 'reporter',
  github: 'github',
  url: 'caller',
};

/** Who made a change, through which request, and when (RFC 3339, milliseconds). */
export type Cause = {
  actor: string;
  requestId: string;
  ip: string | null;
  userAgent: string | null;
  at: string;
};
