// The OpenAPI part of /operator, beside its routes; a test asks each of them through the front door.
import type { Operation, Paths } from '../docs/answers.ts';
import { count, instant, json, plan, problem, record, text } from '../docs/answers.ts';

const ID = { name: 'id', in: 'path', required: true, description: 'Id of the organisation', schema: text };
const EMAIL = {
  name: 'email',
  in: 'path',
  required: true,
  description: 'E-mail address of the member',
  schema: text,
};
const AFTER = { name: 'after', in: 'query', description: 'The `next` of the page before', schema: text };

const version = { type: ['integer', 'null'] };
const registered = { id: text, name: text, plan, version, createdAt: instant };
const member = record({ email: text, createdAt: instant });
const next = { type: ['string', 'null'] };
const put = record({ ...registered, effectiveAt: instant });

const ORGANISATION = {
  id: 'acme',
  name: 'Acme Events',
  plan: 'enterprise',
  version: 3,
  createdAt: '2026-11-23T18:00:00.000Z',
};
const MEMBER = { email: 'owner@example.com', createdAt: '2026-11-23T18:00:00.000Z' };
const AT = '2026-11-23T18:00:01.000Z';

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
      429: problem(['too-many-requests']),
      500: problem(['misconfigured', 'unexpected']),
      503: problem(['storage-unavailable']),
    },
  };
}

export const operatorPaths: Paths = {
  '/operator/organisations': {
    get: operation(
      'listOrganisations',
      'List organisations',
      'Pages of 100, in the order of their ids.',
      [AFTER],
      {
        200: json('A page', record({ organisations: { type: 'array', items: record(registered) }, next }), {
          organisations: [ORGANISATION],
          next: null,
        }),
      },
    ),
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
              properties: { name: { type: 'string', minLength: 1, maxLength: 100 }, plan, version: count },
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
