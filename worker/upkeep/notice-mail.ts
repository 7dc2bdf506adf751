// The words of the mails about events: tokens that were created, replaced, deleted or exposed, a token that was refused, and a sign-in.
// Pure. They name people by address, tokens by name and mask, and clients in words of ours. They hold no secret, no link that signs
// in, and no text of a caller.
import { NEW_BROWSER } from '../activity/events.ts';
import { listMail, nameInMail, onDate, tokenInMail } from '../mail.ts';
import type { ListMail } from '../mail.ts';
import { askerOf, networkOf } from '../sign-in/asker.ts';
import { IN_MAIL, METHOD_NAMES } from '../sign-in/names.ts';
import type { Kind, Notice } from './mails.ts';

/** An event that a mail tells of. */
export type ToldEvent = {
  at: string;
  actor: string;
  tokenId: string | null;
  preview: string | null;
  ip: string | null;
  userAgent: string | null;
  detail: string | null;
  /** The name of the token, where it is still known. */
  tokenName: string | null;
  /** Whether the token works now. Null if there is no such token any more. */
  tokenActive: boolean | null;
  /** Of the value that begins with the preview, now: a value that was replaced is retiring, or has ended. */
  value: 'current' | 'retiring' | 'ended';
};

/** The mail about ends has its own words (expiry-mail.ts). */
type ToldNotice = Pick<Notice, 'organisationId' | 'events'> & { kind: Exclude<Kind, 'token.expiring'> };

type Words = {
  subject: string;
  lead: string;
  line(event: ToldEvent): string;
  advice: string;
  /** Where the link leads, below the origin. */
  path: string;
  label: string;
};

/** The mail about these events of the notice, oldest first: some of them, if they are many. `origin`: of the dashboard. */
export function noticeMail(
  notice: ToldNotice & Pick<Notice, 'organisationName'>,
  events: readonly ToldEvent[],
  { productName, origin }: { productName: string; origin: string },
): { subject: string; text: string; html: string } {
  const name = nameInMail(notice.organisationName);
  const { subject, lead, line, advice, path, label } = wordsOf(notice, name, events);
  const more = notice.events - events.length;
  const reason =
    notice.kind === 'sign-in'
      ? 'You get this message because somebody signed in with your address.'
      : `You get this message because you are a member of ${name}.`;
  const mail: ListMail = {
    subject: `${productName}: ${subject}`,
    lead,
    lines: [...events.map(line), ...(more > 0 ? [`and ${more} more, which the activity shows`] : [])],
    advice,
    url: origin + path,
    label,
    reason,
  };
  return listMail(mail);
}

function wordsOf(
  { kind, organisationId, events: count }: ToldNotice,
  name: string,
  events: readonly ToldEvent[],
): Words {
  const isOne = count === 1;
  const query = `?organisation=${encodeURIComponent(organisationId)}`;
  const tokenId = isOne ? (events[0]?.tokenId ?? null) : null;
  const tokens = { path: `/developer-zone${query}`, label: 'Open the Developer Zone' };
  const token =
    tokenId === null
      ? tokens
      : { path: `/developer-zone/tokens/${encodeURIComponent(tokenId)}${query}`, label: 'Open the token' };
  const activity = { path: `/activity${query}`, label: 'Open the activity' };
  switch (kind) {
    case 'token.created':
      return {
        subject: isOne ? 'an API token was created' : `${count} API tokens were created`,
        lead: isOne ? `An API token of ${name} was created:` : `API tokens of ${name} were created:`,
        line: (event) => `${tokenOf(event)}, ${doneBy(event)}`,
        advice:
          'If it should not exist, delete it in the Developer Zone: from then on every call with it is refused.',
        ...token,
      };
    case 'token.rotated':
      return {
        subject: isOne ? 'an API token has a new value' : `${count} times an API token got a new value`,
        lead: isOne
          ? `The value of an API token of ${name} was replaced:`
          : `Values of API tokens of ${name} were replaced:`,
        line: (event) => `${tokenOf(event)}, ${doneBy(event)}`,
        advice:
          'If this was not meant, replace the value again and let the old value end at once, or switch the token off in the Developer Zone.',
        ...token,
      };
    case 'token.deleted':
      return {
        subject: isOne ? 'an API token was deleted' : `${count} API tokens were deleted`,
        lead: isOne ? `An API token of ${name} was deleted:` : `API tokens of ${name} were deleted:`,
        line: (event) => `${tokenOf(event)}, ${doneBy(event)}`,
        advice:
          'Every call with it is refused, and it cannot be brought back. Programs that still need it must get another token.',
        ...activity,
      };
    case 'token.exposed':
      return {
        subject: isOne ? 'an API token is exposed' : `${count} API tokens are exposed`,
        lead: isOne
          ? `The value of an API token of ${name} was seen where others can read it:`
          : `The values of API tokens of ${name} were seen where others can read them:`,
        line: (event) => `${tokenOf(event)}: ${exposureOf(event)}, ${onDate(event.at)}${stateOf(event)}`,
        advice:
          events.length === count && events.every(({ value }) => value === 'ended')
            ? 'Nothing needs to be replaced: what was seen is refused. Programs that still send an old value need the current one.'
            : 'Open the token in the Developer Zone and choose “Replace it”: the old value ends at once, and your programs need the new one. If the value is harmless, “Resume anyway” switches a paused token on again as it is. If the token is not needed any more, delete it.',
        ...token,
      };
    case 'token.limit-refused':
      return {
        subject: 'no further API token can be created',
        lead: `${name} has as many API tokens as an organisation can have. Another one was refused:`,
        line: doneBy,
        advice: 'Delete a token that is not needed any more in the Developer Zone, then create the new one.',
        ...tokens,
      };
    case 'sign-in':
      return {
        subject: 'you signed in with a new browser',
        lead: 'You signed in with a browser that is new to your address:',
        line: ({ at, ip, userAgent, detail }) =>
          `${askerOf({ address: ip, agent: userAgent })}${methodOf(detail)}, ${onDate(at)}`,
        advice:
          'If that was not you, end the session in the Developer Zone, and change the password of your mailbox or of your single sign-on.',
        path: '/sessions',
        label: 'Open your sessions',
      };
  }
}

function tokenOf({ tokenName, preview, tokenId }: ToldEvent): string {
  return tokenInMail(tokenName, preview ?? tokenId ?? '');
}

/** For example "by ann@example.com with Firefox on Windows, at the network address 203.0.113.7, on 3 July 2026 at 12:00:00 UTC". */
function doneBy({ actor, at, ip, userAgent }: ToldEvent): string {
  // Members are not shown where the operator works.
  if (!actor.includes('@')) return `by the operator, ${onDate(at)}`;
  return `by ${actor} with ${askerOf({ address: ip, agent: userAgent })}, ${onDate(at)}`;
}

/** How it became known. The address of a page that somebody reported is a stranger's text: only the activity shows it. */
function exposureOf({ detail, ip }: ToldEvent): string {
  if (/^github\b/.test(detail ?? '')) return 'GitHub found it in public';
  if (/^report\b/.test(detail ?? '')) return 'somebody has found and reported it';
  return `it was sent in the address (URL) of a call, from ${networkOf(ip)}`;
}

function stateOf({ tokenActive, value }: ToldEvent): string {
  if (tokenActive === null) return ' (it is deleted by now)';
  if (value === 'ended') return ' (this value was replaced, and is refused)';
  if (value === 'retiring' && tokenActive) return ' (this value was replaced, and works until it ends)';
  return tokenActive ? ' (it still works)' : ' (it is switched off now)';
}

/** Nothing for a method that this release does not know. */
function methodOf(detail: string | null): string {
  const name = METHOD_NAMES.find((known) => detail === known + NEW_BROWSER);
  return name === undefined ? '' : `, ${IN_MAIL[name]}`;
}
