import { expect, it } from 'vitest';
import { ACTIONS } from '../worker/activity/events.ts';
import { inWords, log } from './activity-texts.ts';

it('has words for every action that members may see and for no other, in the filter and as a sentence', () => {
  const actions = [...ACTIONS].toSorted();
  expect(Object.keys(log.actions).toSorted()).toEqual(actions);
  expect(Object.keys(log.sentences).toSorted()).toEqual(actions);
});

/** The sentence about a token, with its name in place of the dots. */
function said(action: string, detail: string | null): string {
  const { text, detail: shown } = inWords({ action, detail });
  return text.replace('…', 'Kiosk') + (shown ?? '');
}

it.each([
  ['token.expiry-changed', '2027-03-14T22:59:59.000Z', 'changed the end of Kiosk to 14 Mar 2027, 22:59 UTC'],
  ['token.expiry-changed', 'never', 'removed the end of Kiosk'],
  ['token.narrowed', 'read only; /v1/a, /v1/b', 'limited Kiosk to read only; /v1/a, /v1/b'],
  [
    'token.networks-changed',
    '203.0.113.0/24, 2001:db8::/32',
    'limited Kiosk to calls from 203.0.113.0/24, 2001:db8::/32',
  ],
  ['token.networks-changed', 'any', 'let Kiosk be called from any network'],
  ['token.origins-changed', 'https://shop.example', 'limited Kiosk in browsers to https://shop.example'],
  ['token.origins-changed', 'any', 'let Kiosk be called from any website'],
  ['token.expiring', '7', 'warned that Kiosk expires in 7 days'],
  ['token.expiring', '1', 'warned that Kiosk expires in 1 day'],
  // Names that are the words for "none" elsewhere.
  ['token.renamed', 'any', 'renamed Kiosk to any'],
  ['token.renamed', 'never', 'renamed Kiosk to never'],
  ['token.renamed', null, 'removed the name of Kiosk'],
  ['token.created', 'Kiosk', 'created Kiosk'],
  ['token.activated', null, 'switched on Kiosk'],
  ['token.activated', 'all', 'switched on Kiosk again, with all that were paused together'],
  ['token.deactivated', 'all', 'switched off Kiosk together with all others'],
  ['token.deactivated', 'exposed', 'switched off Kiosk because it was exposed'],
  ['token.retired', 'exposed', 'ended the old value of Kiosk because it was exposed'],
  ['token.exposed', 'url', 'sent Kiosk in a URL'],
  ['token.exposed', 'report', 'reported Kiosk as found in public'],
  ['token.exposed', 'github', 'reported Kiosk as found in a public repository'],
  [
    'token.exposed',
    'report: https://a.example/x',
    'reported Kiosk as found in public at https://a.example/x',
  ],
  [
    'token.exposed',
    'github: https://b.example/y',
    'reported Kiosk as found in public at https://b.example/y',
  ],
  // Events of the release before have the name of the token as their detail.
  ['token.exposed', 'Kiosk: at the venue', 'sent Kiosk in a URL'],
  ['sign-in', 'link', 'signed in'],
  ['sign-in', 'oidc, new browser', 'signed in from a new browser'],
  ['organisation.paused', null, 'paused the organisation: all its calls are refused'],
  ['organisation.resumed', null, 'resumed the organisation: its calls are accepted again'],
])('says of %s with the detail %s: %s', (action, detail, sentence) => {
  expect(said(action, detail)).toBe(sentence);
});
