// The OpenAPI part of /operator: a test makes each of these calls.
import { array, boolean, nullable, strictObject } from 'valibot';

import type { OperatorApi } from '../../worker/operator/routes.ts';
import {
  BULK,
  EventsQuery,
  EXPORT_PAGE,
  EXPORT_PAGES,
  ListingQuery,
  MembersQuery,
  OrganisationBody,
  organisationId,
  OrganisationsBody,
  SwitchBody,
  WebhookBody,
} from '../../worker/operator/schemas.ts';

import { LIST_PAGE, TOKEN_LIMIT } from '../../worker/organisation/organisation.ts';

import { body, count, instant, json, problem, query, schemaOf, text } from './answers.ts';
import type { Operation, OperationsOf } from './answers.ts';
import {
  Organisation,
  Member,
  next,
  Put,
  Token,
  Outcome,
  Status,
  ORGANISATION,
  MEMBER,
  AT,
  TOKEN,
  STATUS,
  Webhook,
  WEBHOOK,
  EVENT,
  registered,
} from './operator-answers.ts';

const ID = {
  name: 'id',
  in: 'path',
  required: true,
  description: 'Id of the organisation',
  schema: schemaOf(organisationId()),
};
const TOKEN_ID = {
  name: 'token',
  in: 'path',
  required: true,
  description: 'Id of the token',
  schema: schemaOf(text),
};
const EMAIL = {
  name: 'email',
  in: 'path',
  required: true,
  description: 'E-mail address of the member',
  schema: schemaOf(text),
};
const AFTER = 'The `next` of the page before';
const LISTING = query(ListingQuery, {
  after: AFTER,
  plan: 'Organisations of this plan alone',
  since: 'Organisations created at or after this instant alone',
});
const EVENTS = query(EventsQuery, {
  after: 'The `id` of the last event that was read',
  since: 'Events at or after this instant alone',
  organisation: 'Events of this organisation alone',
});

function operation<R extends Operation['responses']>(
  operationId: string,
  summary: string,
  description: string,
  parameters: object[],
  responses: R,
) {
  return {
    operationId,
    summary,
    description,
    tags: ['Operator'],
    security: [{ operator: [] }],
    parameters,
    responses: {
      404: problem(['not-found']),
      ...responses,
      401: problem(['authentication-required', 'invalid-token']),
      403: problem(['https-required']),
      421: problem(['misdirected-request']),
      429: problem(['too-many-requests']),
      500: problem(['misconfigured', 'unexpected']),
      503: problem(['storage-unavailable']),
    },
  };
}

export const operatorPaths: OperationsOf<OperatorApi> = {
  '/operator/status': {
    get: operation(
      'getStatus',
      'Read the status',
      'The version of the Worker; the size of the database, what is left of its reserve, and its newest change; of each hub, whether it can be reached, its newest change and the age of its last look at the database; and how many rows wait to be removed, counted up to `countedUpTo`.',
      [],
      { 200: json('The status', Status, STATUS) },
    ),
  },
  '/operator/events': {
    get: operation(
      'listEvents',
      'Read the audit log of all organisations',
      `JSON Lines, oldest first, ${(EXPORT_PAGE * EXPORT_PAGES).toLocaleString('en')} at most. Ask again with the \`id\` of the last line as \`after\`; an empty answer is the end.`,
      EVENTS,
      {
        200: {
          description: 'An event a line',
          headers: { 'Cache-Control': { schema: { const: 'no-store' } } },
          content: { 'application/jsonl': { schema: schemaOf(text), example: `${JSON.stringify(EVENT)}\n` } },
        },
        422: problem(['invalid-body']),
      },
    ),
  },
  '/operator/webhook': {
    get: operation(
      'getWebhook',
      'Read how the webhook stands',
      'The URL without its query; the state; the `id` of the last event that the receiver acknowledged (null: none was sent yet); how many events wait, counted up to `countedUpTo`, and how old the first of them is; since when tries fail, the last failure, and the next try.',
      [],
      { 200: json('The webhook', Webhook, WEBHOOK) },
    ),
    patch: {
      ...operation(
        'moveWebhook',
        'Choose from which event on the webhook sends',
        'Events after the one with this `id` are sent: those that were sent before come again, with the same `webhook-id`; those before it are not sent. The next try is at once. On record as `webhook.moved`, which is always sent.',
        [],
        {
          200: json('Moved', Webhook, WEBHOOK),
          413: problem(['payload-too-large']),
          422: problem(['invalid-body']),
        },
      ),
      requestBody: body(WebhookBody, { cursor: '1' }),
    },
  },
  '/operator/webhook/test': {
    post: operation(
      'testWebhook',
      'Send a test message now',
      'One message of the type `webhook.test`, about no event. Where the receiver accepts it, a webhook that stopped or failed goes on at once.',
      [],
      {
        200: json('What became of it', strictObject({ isDelivered: boolean(), reason: nullable(text) }), {
          isDelivered: true,
          reason: null,
        }),
      },
    ),
  },
  '/operator/organisations': {
    get: operation(
      'listOrganisations',
      'List organisations',
      `Pages of ${LIST_PAGE}, in the order of their ids; with \`plan\` or \`since\` in the order of their creation.`,
      LISTING,
      {
        200: json('A page', strictObject({ organisations: array(Organisation), next }), {
          organisations: [ORGANISATION],
          next: null,
        }),
        422: problem(['invalid-body']),
      },
    ),
    put: {
      ...operation(
        'putOrganisations',
        `Create or change up to ${BULK} organisations`,
        'Each one as by the call for one organisation, and each by itself: a refused organisation does not stop the others. When a call fails, repeat all of it. Organisations that stand as they are given cost one read together.',
        [],
        {
          200: json('What became of each', strictObject({ outcomes: array(Outcome), effectiveAt: instant }), {
            outcomes: [
              { id: 'acme', outcome: 'unchanged', organisation: ORGANISATION },
              { id: 'globex', outcome: 'stale-version', version: 9 },
            ],
            effectiveAt: AT,
          }),
          413: problem(['payload-too-large']),
          422: problem(['invalid-body']),
        },
      ),
      requestBody: body(OrganisationsBody, {
        organisations: [
          { id: 'acme', name: 'Acme Events', plan: 'enterprise', version: 3 },
          { id: 'globex', name: 'Globex Runs', plan: 'pro', version: 8 },
        ],
      }),
    },
  },
  '/operator/organisations/{id}': {
    get: operation('getOrganisation', 'Read an organisation', 'With its tokens counted.', [ID], {
      200: json(
        'The organisation',
        strictObject({ ...registered, tokens: strictObject({ active: count, total: count, limit: count }) }),
        { ...ORGANISATION, tokens: { active: 2, total: 3, limit: TOKEN_LIMIT } },
      ),
      404: problem(['organisation-not-found', 'not-found']),
    }),
    put: {
      ...operation(
        'putOrganisation',
        'Create or change an organisation',
        'Idempotent. A plan below Enterprise refuses the tokens by `effectiveAt`; an upgrade brings the same tokens back. A `version` below the one applied last changes nothing.',
        [ID],
        {
          200: json('Changed', Put, { ...ORGANISATION, effectiveAt: AT }),
          201: json('Created', Put, { ...ORGANISATION, effectiveAt: AT }),
          409: problem(['stale-version']),
          413: problem(['payload-too-large']),
          422: problem(['invalid-body']),
        },
      ),
      requestBody: body(OrganisationBody, { name: 'Acme Events', plan: 'enterprise', version: 3 }),
    },
    delete: operation(
      'deleteOrganisation',
      'Delete an organisation',
      'Its tokens and members go with it.',
      [ID],
      {
        200: json('Deleted', strictObject({ deleted: text, effectiveAt: instant }), {
          deleted: 'acme',
          effectiveAt: AT,
        }),
      },
    ),
  },
  '/operator/organisations/{id}/pause': {
    post: operation(
      'pauseOrganisation',
      'Pause an organisation',
      'Idempotent. From `effectiveAt` on its tokens are refused with `403 organisation-paused`, whatever its plan. Its plan, its tokens and its Developer Zone stay as they are.',
      [ID],
      {
        200: json('Paused', Put, { ...ORGANISATION, pausedAt: ORGANISATION.createdAt, effectiveAt: AT }),
        404: problem(['organisation-not-found', 'not-found']),
      },
    ),
  },
  '/operator/organisations/{id}/resume': {
    post: operation(
      'resumeOrganisation',
      'End the pause of an organisation',
      'Idempotent. From `effectiveAt` on its tokens are accepted as before the pause.',
      [ID],
      {
        200: json('Not paused', Put, { ...ORGANISATION, effectiveAt: AT }),
        404: problem(['organisation-not-found', 'not-found']),
      },
    ),
  },
  '/operator/organisations/{id}/tokens': {
    get: operation(
      'listTokens',
      'List tokens',
      'Newest first, without their secrets. `pausedTogether`: a member has switched off all tokens at once. `exposed`: others have seen the secret.',
      [ID],
      {
        200: json('The tokens', strictObject({ tokens: array(Token) }), { tokens: [TOKEN] }),
        404: problem(['organisation-not-found', 'not-found']),
      },
    ),
  },
  '/operator/organisations/{id}/tokens/{token}': {
    patch: {
      ...operation(
        'switchToken',
        'Switch a token',
        'Idempotent. Works on every plan. An exposed token that is switched on is not marked as exposed any more.',
        [ID, TOKEN_ID],
        {
          200: json('Switched', strictObject({ token: Token, effectiveAt: instant }), {
            token: TOKEN,
            effectiveAt: AT,
          }),
          404: problem(['organisation-not-found', 'token-not-found', 'not-found']),
          413: problem(['payload-too-large']),
          422: problem(['invalid-body']),
        },
      ),
      requestBody: body(SwitchBody, { active: false }),
    },
    delete: operation(
      'deleteToken',
      'Delete a token',
      'For good. A repeat is `404 token-not-found`, when the token is refused everywhere.',
      [ID, TOKEN_ID],
      {
        200: json('Deleted', strictObject({ deleted: text, effectiveAt: instant }), {
          deleted: TOKEN.id,
          effectiveAt: AT,
        }),
        404: problem(['organisation-not-found', 'token-not-found', 'not-found']),
      },
    ),
  },
  '/operator/organisations/{id}/members': {
    get: operation(
      'listMembers',
      'List members',
      'In pages, by address.',
      [ID, ...query(MembersQuery, { after: AFTER })],
      {
        200: json('A page', strictObject({ members: array(Member), next }), {
          members: [MEMBER],
          next: null,
        }),
        404: problem(['organisation-not-found', 'not-found']),
        422: problem(['invalid-body']),
      },
    ),
  },
  '/operator/organisations/{id}/members/{email}': {
    put: operation('addMember', 'Add a member', 'Idempotent.', [ID, EMAIL], {
      200: json('Was a member already', Member, MEMBER),
      201: json('Added', Member, MEMBER),
      404: problem(['organisation-not-found', 'not-found']),
      422: problem(['invalid-body']),
    }),
    delete: operation(
      'removeMember',
      'Remove a member',
      'Ends sessions that open nothing else.',
      [ID, EMAIL],
      {
        200: json('Removed', strictObject({ deleted: text }), { deleted: 'owner@example.com' }),
        404: problem(['organisation-not-found', 'not-found']),
        422: problem(['invalid-body']),
      },
    ),
  },
};
