// The OpenAPI part of /operator: a test makes each of these calls.
import {
  array,
  boolean,
  integer,
  literal,
  nullable,
  number,
  picklist,
  pipe,
  strictObject,
  variant,
} from 'valibot';
import type { InferInput } from 'valibot';
import type { OperatorApi } from '../../worker/operator/routes.ts';
import {
  BULK,
  EventsQuery,
  EXPORT_PAGE,
  EXPORT_PAGES,
  ListingQuery,
  OrganisationBody,
  organisationId,
  OrganisationsBody,
  SwitchBody,
  WAITING_COUNTED,
  WebhookBody,
} from '../../worker/operator/schemas.ts';
import { WEBHOOK_STATES } from '../../worker/operator/webhook.ts';
import { LIST_PAGE, TOKEN_LIMIT } from '../../worker/organisation/organisation.ts';
import { ACCESS } from '../../worker/token/limits.ts';
import { JURISDICTIONS } from '../../worker/verification/jurisdiction.ts';
import { REGIONS } from '../../worker/verification/region.ts';
import { body, count, instant, json, plan, problem, query, schemaOf, text } from './answers.ts';
import type { Operation, OperationsOf } from './answers.ts';

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

const version = nullable(pipe(number(), integer()));
const registered = { id: text, name: text, plan, pausedAt: nullable(instant), version, createdAt: instant };
const Organisation = strictObject(registered);
const Member = strictObject({ email: text, createdAt: instant });
const next = nullable(text);
const Put = strictObject({ ...registered, effectiveAt: instant });
const preview = text;
const lastUsedAt = nullable(instant);
const Token = strictObject({
  id: text,
  preview,
  name: nullable(text),
  active: boolean(),
  createdBy: text,
  createdAt: instant,
  lastUsedAt,
  expiresAt: nullable(instant),
  access: picklist(ACCESS),
  paths: array(text),
  networks: array(text),
  origins: array(text),
  pausedTogether: nullable(strictObject({ at: instant, by: text })),
  retiring: nullable(
    strictObject({ preview, retiresAt: instant, lastUsedAt, until: picklist(['time', 'silent']) }),
  ),
  retired: array(strictObject({ preview, retiredAt: instant, lastUsedAt })),
  exposed: nullable(
    strictObject({
      at: instant,
      by: picklist(['report', 'github', 'url']),
      where: nullable(text),
      paused: boolean(),
    }),
  ),
});
const Outcome = variant('outcome', [
  strictObject({
    id: text,
    outcome: picklist(['created', 'changed', 'unchanged']),
    organisation: Organisation,
  }),
  strictObject({ id: text, outcome: literal('stale-version'), version: count }),
]);
const Hub = strictObject({
  region: picklist([...REGIONS, ...JURISDICTIONS]),
  isReachable: boolean(),
  head: nullable(pipe(number(), integer())),
  ageMs: nullable(pipe(number(), integer())),
  startedAt: nullable(text),
});
const Status = strictObject({
  version: strictObject({ id: text, tag: nullable(text), createdAt: text }),
  database: strictObject({
    kind: picklist(['d1', 'libsql']),
    bytes: count,
    reserveBytes: count,
    head: count,
  }),
  hubs: array(Hub),
  backlog: strictObject({
    sessions: count,
    signIns: count,
    dailyCounts: count,
    idempotencyKeys: count,
    tokenUsage: count,
    refusalReasons: count,
    callers: count,
    tombstones: count,
    refusedAddresses: count,
    replacedSecrets: count,
    expiryWarnings: count,
    mails: count,
    notices: count,
    changes: count,
    events: count,
    countedUpTo: count,
  }),
});

const ORGANISATION: InferInput<typeof Organisation> = {
  id: 'acme',
  name: 'Acme Events',
  plan: 'enterprise',
  pausedAt: null,
  version: 3,
  createdAt: '2026-11-23T18:00:00.000Z',
};
const MEMBER = { email: 'owner@example.com', createdAt: '2026-11-23T18:00:00.000Z' };
const AT = '2026-11-23T18:00:01.000Z';
/** The token of the examples. */
export const TOKEN: InferInput<typeof Token> = {
  id: '3f1c9a52-8a8e-4d1c-9d55-6d1b4a2f0c11',
  preview: '9pW4k',
  name: 'Website',
  active: false,
  createdBy: 'owner@example.com',
  createdAt: '2026-11-23T18:00:00.000Z',
  lastUsedAt: null,
  expiresAt: null,
  access: 'full',
  paths: [],
  networks: [],
  origins: [],
  pausedTogether: null,
  retiring: null,
  retired: [],
  exposed: null,
};
const STATUS: InferInput<typeof Status> = {
  version: { id: '1e9f4c0a-6c1d-4f0e-9a51-0d6f3f2b7c11', tag: null, createdAt: '2026-11-23T17:00:00.000Z' },
  database: { kind: 'd1', bytes: 412_884_992, reserveBytes: 4_194_304, head: 90_211 },
  hubs: [
    { region: 'weur', isReachable: true, head: 90_211, ageMs: 2140, startedAt: '2026-11-23T17:00:09.000Z' },
  ],
  backlog: {
    sessions: 0,
    signIns: 2,
    dailyCounts: 0,
    idempotencyKeys: 0,
    tokenUsage: 0,
    refusalReasons: 0,
    callers: 0,
    tombstones: 0,
    refusedAddresses: 0,
    replacedSecrets: 0,
    expiryWarnings: 0,
    mails: 0,
    notices: 0,
    changes: 0,
    events: 0,
    countedUpTo: 10_000,
  },
};
const Webhook = strictObject({
  url: nullable(text),
  state: picklist(WEBHOOK_STATES),
  cursor: nullable(text),
  lag: strictObject({ events: count, countedUpTo: count, seconds: count }),
  failingSince: nullable(instant),
  lastError: nullable(strictObject({ at: instant, reason: text })),
  lastSuccessAt: nullable(instant),
  nextTryAt: nullable(instant),
});
const WEBHOOK: InferInput<typeof Webhook> = {
  url: 'https://siem.example/hook',
  state: 'running',
  cursor: '4711',
  lag: { events: 0, countedUpTo: WAITING_COUNTED, seconds: 0 },
  failingSince: null,
  lastError: null,
  lastSuccessAt: '2026-11-23T17:59:00.000Z',
  nextTryAt: null,
};
const EVENT = {
  id: '4711',
  at: '2026-11-23T18:00:00.000Z',
  actor: 'owner@example.com',
  action: 'token.deactivated',
  tokenId: '3f1c9a52-8a8e-4d1c-9d55-6d1b4a2f0c11',
  preview: '9pW4k',
  requestId: '9f0c2d5e7a1b4c3d',
  ip: '203.0.113.7',
  userAgent: 'Mozilla/5.0',
  detail: null,
  organisationId: 'acme',
};

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
        'Each one as by the call for one organisation, and each by itself: one that is refused keeps no other back. When a call fails, repeat all of it. Organisations that stand as they are given cost one read together.',
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
      [ID, { name: 'after', in: 'query', description: AFTER, schema: schemaOf(text) }],
      {
        200: json('A page', strictObject({ members: array(Member), next }), {
          members: [MEMBER],
          next: null,
        }),
        404: problem(['organisation-not-found', 'not-found']),
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
