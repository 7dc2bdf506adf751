// The text of /docs/operator, for the platform that owns the organisations.
import type { Block } from './blocks.ts';
import { endpointBlocks } from './endpoints.ts';
import { PATHS } from './openapi.ts';

export function operatorBlocks(origin: string): Block[] {
  return [
    {
      text: 'For billing and provisioning: who is a customer, on which plan, and with which people. Tokens are not made here: members make them in the [Developer Zone](/developer-zone).',
    },
    { heading: 'Authentication', id: 'authentication' },
    {
      text: 'The credential is the secret `OPERATOR_SECRET` of the deployment, at least 32 characters long. Without one every path here is `404`. Failed attempts are limited to 30 a minute for each client.',
    },
    { code: 'Authorization: Bearer <OPERATOR_SECRET>', language: 'http' },
    { heading: 'What a change does', id: 'changes' },
    {
      list: [
        'Everything is idempotent: repeat a call whose answer was lost.',
        'A plan below Enterprise closes the Developer Zone, and `/v1` answers `403` for the tokens of the organisation. An upgrade brings the same tokens back.',
        'A change of plan and a deletion are answered when they hold everywhere: about a second, ten at worst. `effectiveAt` is that instant.',
        'Send your own counter as `version`, and an older billing event cannot undo a newer one: it is answered `409`, and nothing has to be sent again.',
        'A nightly repeat of what stands already is cheap: up to 40 organisations in one call, and one read for all that have not changed.',
        'An organisation that is deleted takes its tokens and members with it. A member who is removed is signed out at once, unless they belong elsewhere as well.',
      ],
    },
    { heading: 'Endpoints', id: 'endpoints' },
    ...endpointBlocks(
      origin,
      Object.keys(PATHS).filter((path) => path.startsWith('/operator/')),
    ),
  ];
}
