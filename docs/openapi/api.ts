// The OpenAPI part of /v1: a test makes each of these calls.
import type { Operation, Paths } from './answers.ts';
import { count, instant, json, plan, problem, record, text } from './answers.ts';

const REFUSALS = {
  400: problem(['malformed-credential']),
  401: problem(['authentication-required', 'invalid-token']),
  403: problem(['enterprise-plan-required', 'https-required']),
  421: problem(['misdirected-request']),
  500: problem(['misconfigured', 'unexpected']),
  503: problem(['verification-unavailable', 'storage-unavailable']),
};

function read(operationId: string, summary: string, description: string, answer: { description: string }) {
  return {
    operationId,
    summary,
    description,
    tags: ['API'],
    security: [{ token: [] }, { apiKey: [] }],
    responses: { 200: answer, ...REFUSALS },
  } satisfies Operation;
}

const nullable = (schema: { type: string }) => ({ ...schema, type: [schema.type, 'null'] });

export const apiPaths: Paths = {
  '/v1/ping': {
    get: read(
      'ping',
      'Test a token',
      'Answers for every good token. Call it first, to see that the connection works.',
      json('The token is good', record({ status: { const: 'ok' }, organisationId: text, tokenId: text }), {
        status: 'ok',
        organisationId: 'acme',
        tokenId: '0b0c6a2e-3f0e-4b53-9c1d-2f5a7f6f1a11',
      }),
    ),
  },
  '/v1/organisation': {
    get: read(
      'readOrganisation',
      'Read your organisation',
      'The organisation that the token belongs to, with its tokens counted.',
      json(
        'The organisation',
        record({ id: text, name: text, plan, tokens: record({ active: count, total: count, limit: count }) }),
        { id: 'acme', name: 'Acme Events', plan: 'enterprise', tokens: { active: 2, total: 3, limit: 10 } },
      ),
    ),
  },
  '/v1/token': {
    get: read(
      'readToken',
      'Read the token itself',
      "The token's own row, as the dashboard shows it, without the person who made it. The secret is never part of it.",
      json(
        'The token',
        record({
          id: text,
          preview: text,
          name: nullable(text),
          active: { type: 'boolean' },
          createdAt: instant,
          lastUsedAt: nullable(instant),
        }),
        {
          id: '0b0c6a2e-3f0e-4b53-9c1d-2f5a7f6f1a11',
          preview: '9pK2a',
          name: 'Website',
          active: true,
          createdAt: '2026-11-23T18:00:00.000Z',
          lastUsedAt: null,
        },
      ),
    ),
  },
};
