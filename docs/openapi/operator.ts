// The OpenAPI part of /operator: a test makes each of these calls.
import type { Operation, Paths } from './answers.ts';
import { count, instant, json, plan, problem, record, text } from './answers.ts';

const ID = { name: 'id', in: 'path', required: true, description: 'Id of the organisation', schema: text };
const EMAIL = {
  name: 'email',
  in: 'path',
  required: true,
  description: 'E-mail address of the member',
  schema: text,
};
const AFTER = { name: 'after', in: 'query', description: 'The `next` of the page before', schema: text };
const PLAN = { name: 'plan', in: 'query', description: 'Organisations of this plan alone', schema: plan };
const CREATED_SINCE = {
  name: 'since',
  in: 'query',
  description: 'Organisations created at or after this instant alone',
  schema: instant,
};
const AFTER_EVENT = {
  name: 'after',
  in: 'query',
  description: 'The `id` of the last event that was read',
  schema: { type: 'string', pattern: '^[0-9]{1,15}$' },
};
const SINCE = {
  name: 'since',
  in: 'query',
  description: 'Events at or after this instant alone',
  schema: instant,
};
const OF_ORGANISATION = {
  name: 'organisation',
  in: 'query',
  description: 'Events of this organisation alone',
  schema: text,
};

const version = { type: ['integer', 'null'] };
const registered = { id: text, name: text, plan, version, createdAt: instant };
const member = record({ email: text, createdAt: instant });
const next = { type: ['string', 'null'] };
const wanted = { name: { type: 'string', minLength: 1, maxLength: 100 }, plan, version: count };
const put = record({ ...registered, effectiveAt: instant });
const nullable = (type: string) => ({ type: [type, 'null'] });
const outcome = {
  oneOf: [
    record({
      id: text,
      outcome: { enum: ['created', 'changed', 'unchanged'] },
      organisation: record(registered),
    }),
    record({ id: text, outcome: { const: 'stale-version' }, version: count }),
  ],
};
const hub = record({
  region: text,
  isReachable: { type: 'boolean' },
  head: nullable('integer'),
  ageMs: nullable('integer'),
  startedAt: nullable('string'),
});
const BACKLOG = [
  'sessions',
  'signIns',
  'dailyCounts',
  'idempotencyKeys',
  'tokenUsage',
  'changes',
  'events',
  'countedUpTo',
];
const status = record({
  version: record({ id: text, tag: nullable('string'), createdAt: text }),
  database: record({ kind: { enum: ['d1', 'libsql'] }, bytes: count, reserveBytes: count, head: count }),
  hubs: { type: 'array', items: hub },
  backlog: record(Object.fromEntries(BACKLOG.map((name) => [name, count]))),
});

const ORGANISATION = {
  id: 'acme',
  name: 'Acme Events',
  plan: 'enterprise',
  version: 3,
  createdAt: '2026-11-23T18:00:00.000Z',
};
const MEMBER = { email: 'owner@example.com', createdAt: '2026-11-23T18:00:00.000Z' };
const AT = '2026-11-23T18:00:01.000Z';
const STATUS = {
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
    changes: 0,
    events: 0,
    countedUpTo: 10_000,
  },
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

function operation(
  operationId: string,
  summary: string,
  description: string,
  parameters: object[],
  responses: Operation['responses'],
): Operation {
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

export const operatorPaths: Paths = {
  '/operator/status': {
    get: operation(
      'getStatus',
      'Read the status',
      'The version of the Worker; the size of the database, what is left of its reserve, and its newest change; of each hub, whether it can be reached, its newest change and the age of its last look at the database; and how many rows wait to be removed, counted up to `countedUpTo`.',
      [],
      { 200: json('The status', status, STATUS) },
    ),
  },
  '/operator/events': {
    get: operation(
      'listEvents',
      'Read the audit log of all organisations',
      'JSON Lines, oldest first, 200,000 at most. Ask again with the `id` of the last line as `after`; an empty answer is the end.',
      [AFTER_EVENT, SINCE, OF_ORGANISATION],
      {
        200: {
          description: 'An event a line',
          headers: { 'Cache-Control': { schema: { const: 'no-store' } } },
          content: { 'application/jsonl': { schema: text, example: `${JSON.stringify(EVENT)}\n` } },
        },
        422: problem(['invalid-body']),
      },
    ),
  },
  '/operator/organisations': {
    get: operation(
      'listOrganisations',
      'List organisations',
      'Pages of 100, in the order of their ids; with `plan` or `since` in the order of their creation.',
      [AFTER, PLAN, CREATED_SINCE],
      {
        200: json('A page', record({ organisations: { type: 'array', items: record(registered) }, next }), {
          organisations: [ORGANISATION],
          next: null,
        }),
        422: problem(['invalid-body']),
      },
    ),
    put: {
      ...operation(
        'putOrganisations',
        'Create or change up to 40 organisations',
        'Each one as by the call for one organisation, and each by itself: one that is refused keeps no other back. When a call fails, repeat all of it. Organisations that stand as they are given cost one read together.',
        [],
        {
          200: json(
            'What became of each',
            record({ outcomes: { type: 'array', items: outcome }, effectiveAt: instant }),
            {
              outcomes: [
                { id: 'acme', outcome: 'unchanged', organisation: ORGANISATION },
                { id: 'globex', outcome: 'stale-version', version: 9 },
              ],
              effectiveAt: AT,
            },
          ),
          413: problem(['payload-too-large']),
          422: problem(['invalid-body']),
        },
      ),
      requestBody: {
        required: true,
        content: {
          'application/json': {
            schema: {
              type: 'object',
              properties: {
                organisations: {
                  type: 'array',
                  minItems: 1,
                  maxItems: 40,
                  items: {
                    type: 'object',
                    properties: { id: text, ...wanted },
                    required: ['id', 'name', 'plan'],
                    additionalProperties: false,
                  },
                },
              },
              required: ['organisations'],
              additionalProperties: false,
            },
            example: {
              organisations: [
                { id: 'acme', name: 'Acme Events', plan: 'enterprise', version: 3 },
                { id: 'globex', name: 'Globex Runs', plan: 'pro', version: 8 },
              ],
            },
          },
        },
      },
    },
  },
  '/operator/organisations/{id}': {
    get: operation('getOrganisation', 'Read an organisation', 'With its tokens counted.', [ID], {
      200: json(
        'The organisation',
        record({ ...registered, tokens: record({ active: count, total: count, limit: count }) }),
        { ...ORGANISATION, tokens: { active: 2, total: 3, limit: 10 } },
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
          200: json('Changed', put, { ...ORGANISATION, effectiveAt: AT }),
          201: json('Created', put, { ...ORGANISATION, effectiveAt: AT }),
          409: problem(['stale-version']),
          413: problem(['payload-too-large']),
          422: problem(['invalid-body']),
        },
      ),
      requestBody: {
        required: true,
        content: {
          'application/json': {
            schema: {
              type: 'object',
              properties: wanted,
              required: ['name', 'plan'],
              additionalProperties: false,
            },
            example: { name: 'Acme Events', plan: 'enterprise', version: 3 },
          },
        },
      },
    },
    delete: operation(
      'deleteOrganisation',
      'Delete an organisation',
      'Its tokens and members go with it.',
      [ID],
      {
        200: json('Deleted', record({ deleted: text, effectiveAt: instant }), {
          deleted: 'acme',
          effectiveAt: AT,
        }),
      },
    ),
  },
  '/operator/organisations/{id}/members': {
    get: operation('listMembers', 'List members', 'In pages, by address.', [ID, AFTER], {
      200: json('A page', record({ members: { type: 'array', items: member }, next }), {
        members: [MEMBER],
        next: null,
      }),
      404: problem(['organisation-not-found', 'not-found']),
    }),
  },
  '/operator/organisations/{id}/members/{email}': {
    put: operation('addMember', 'Add a member', 'Idempotent.', [ID, EMAIL], {
      200: json('Was a member already', member, MEMBER),
      201: json('Added', member, MEMBER),
      404: problem(['organisation-not-found', 'not-found']),
      422: problem(['invalid-body']),
    }),
    delete: operation(
      'removeMember',
      'Remove a member',
      'Ends sessions that open nothing else.',
      [ID, EMAIL],
      {
        200: json('Removed', record({ deleted: text }), { deleted: 'owner@example.com' }),
        404: problem(['organisation-not-found', 'not-found']),
        422: problem(['invalid-body']),
      },
    ),
  },
};
