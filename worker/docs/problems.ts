// What each problem means and what to do about it: the page that the `type` of every problem points to.
import { PROBLEMS } from '../problem.ts';
import type { Slug } from '../problem.ts';
import type { Block } from './blocks.ts';

const ADVICE: Readonly<Record<Slug, string>> = {
  'authentication-required':
    'The request carries no credential, or one of another scheme. Send `Authorization: Bearer <token>`. A token in the query string, a cookie or a body is never read.',
  'malformed-credential':
    'The credential header is broken: sent twice, empty, quoted, or holding a comma or a tab. `Authorization` and `X-API-Key` with different values are refused too. Send one token in one header.',
  'invalid-token':
    'The token is unknown, inactive or deleted. The answer does not say which. Ask a member of your organisation to look at it in the Developer Zone: an inactive token can be switched on again, a deleted one cannot come back.',
  'enterprise-plan-required':
    'The token is good, but its organisation is no longer on the Enterprise plan. The same token works again once the plan is back.',
  'verification-unavailable':
    'The token could not be checked just now. It may well be good, so keep it, wait for the seconds in `Retry-After`, and send the request again.',
  'sign-in-required': 'The dashboard session is missing or has ended. Sign in again.',
  'another-member':
    'The page shows one member, and another one is signed in to this browser meanwhile. Nothing was changed; the page loads again.',
  'sign-in-link-invalid':
    'A sign-in link works once, for ten minutes, in the browser that asked for it. Ask for a new one.',
  'organisation-not-found':
    'There is no such organisation, or you are not a member of it. Check the id; membership is managed by the platform.',
  'token-limit-reached':
    'An organisation may hold 10 tokens, active or inactive. Delete one that is no longer used, then create the new one.',
  'token-not-found':
    'There is no such token in this organisation. It may have been deleted; reload the list.',
  'stale-version':
    'A newer `version` of this organisation was applied before this one arrived. Nothing was changed and nothing needs to be sent again.',
  'invalid-body':
    'The body or a path parameter does not fit; `detail` names the field. Unknown fields are refused as well. Nothing was changed.',
  'cross-site-request':
    'A dashboard request came from another site, or a link was opened that is not one to open. Only our own pages may ask there; programs use a token and `/v1`.',
  'https-required':
    'The call came over http, where others can read its credential. Call the address of `detail`, and replace the credential that was sent.',
  'misdirected-request':
    'The call came to a host that this deployment does not answer at. Check the address. The operator names its addresses in `ORIGINS`.',
  'too-many-requests':
    'Too many attempts in a minute or in a day; `detail` says what is counted. Wait for the seconds in `Retry-After`. Tokens can be switched off and deleted whatever the limit of the day.',
  'not-found': 'Nothing answers at this path. Check the spelling and the method.',
  'method-not-allowed': 'The path exists, but not for this method. `Allow` lists the methods that it takes.',
  'payload-too-large': 'A JSON body may be at most 16 KiB. Send less.',
  'not-forwardable':
    'The call cannot be handed to the API behind this one: `detail` says whether it is the path, an upgrade, a body of a GET, or a body that broke off.',
  'upstream-unreachable':
    'The token was accepted, but the API behind this one could not be reached. Try again later; a write may or may not have been applied.',
  'upstream-refused':
    'The token was accepted, but the API behind this one refused the edge: it answered 407, or 401 without a challenge. Whoever operates it has to compare `UPSTREAM_SECRET` on both sides.',
  'upstream-timeout':
    'The token was accepted, but the API behind this one did not answer in time. A write may or may not have been applied.',
  misconfigured: 'A setting of this deployment is wrong; `detail` names it. Its operator has to correct it.',
  'storage-unavailable':
    'The database did not answer. Wait for the seconds in `Retry-After` and repeat the call; repeating is safe.',
  unexpected:
    'A fault on our side. Repeat the call; if it goes on, report the `requestId`, with which we find the request.',
};

export function problemBlocks(): Block[] {
  // PROBLEMS is a literal with the slugs as its only keys.
  const slugs = Object.keys(PROBLEMS) as Slug[];
  return [
    {
      text: 'Every refusal is JSON of type `application/problem+json` ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)). Decide by `status`, or by the part of `type` after `#`; `title` and `detail` are for people. Quote `requestId` when you report one. A browser that goes to an address (`Sec-Fetch-Mode: navigate`) gets the same as a page.',
    },
    ...slugs.flatMap((slug): Block[] => [
      { heading: PROBLEMS[slug].title, id: slug },
      { text: `\`${PROBLEMS[slug].status}\` \`${slug}\`` },
      { text: ADVICE[slug] },
    ]),
  ];
}
