// The OpenAPI part of /v1: a test makes each of these calls.
import { array, boolean, literal, nullable, picklist, strictObject } from 'valibot';
import type { readOrganisation, readToken } from '../../worker/api/reads.ts';
import type { ReadPath } from '../../worker/api/routes.ts';
import { TOKEN_LIMIT } from '../../worker/organisation/organisation.ts';
import { ACCESS } from '../../worker/token/limits.ts';
import { UNTIL } from '../../worker/token/retirement.ts';
import { count, instant, json, plan, problem, text, type Operation } from './answers.ts';

const REFUSALS = {
  400: problem(['malformed-credential']),
  401: problem(['authentication-required', 'invalid-token']),
  403: problem(['organisation-paused', 'enterprise-plan-required', 'access-denied', 'https-required']),
  421: problem(['misdirected-request']),
  500: problem(['misconfigured', 'unexpected']),
  503: problem(['verification-unavailable', 'storage-unavailable']),
};

type Read<T> = { get: Operation<{ 200: T }> };

function read<T>(
  operationId: string,
  summary: string,
  description: string,
  answer: Operation<{ 200: T }>['responses'][200],
): Read<T> {
  return {
    get: {
      operationId,
      summary,
      description,
      tags: ['API'],
      security: [{ token: [] }, { apiKey: [] }],
      responses: { 200: answer, ...REFUSALS },
    },
  };
}

type Answers = {
  '/v1/ping': { status: 'ok'; organisationId: string; tokenId: string };
  '/v1/organisation': Awaited<ReturnType<typeof readOrganisation>>;
  '/v1/token': Awaited<ReturnType<typeof readToken>>;
};

export const apiPaths: { [Path in ReadPath]: Read<Answers[Path]> } = {
  '/v1/ping': read(
    'ping',
    'Test a token',
    'Answers for every good token. Call it first, to see that the connection works.',
    json('The token is good', strictObject({ status: literal('ok'), organisationId: text, tokenId: text }), {
      status: 'ok',
      organisationId: 'acme',
      tokenId: '0b0c6a2e-3f0e-4b53-9c1d-2f5a7f6f1a11',
    }),
  ),
  '/v1/organisation': read(
    'readOrganisation',
    'Read your organisation',
    'The organisation that the token belongs to, with its tokens counted.',
    json(
      'The organisation',
      strictObject({
        id: text,
        name: text,
        plan,
        tokens: strictObject({ active: count, total: count, limit: count }),
      }),
      {
        id: 'acme',
        name: 'Acme Events',
        plan: 'enterprise',
        tokens: { active: 2, total: 3, limit: TOKEN_LIMIT },
      },
    ),
  ),
  '/v1/token': read(
    'readToken',
    'Read the token itself',
    "The token's own row, as the dashboard shows it, without the person who made it. The secret is never part of it. `preview` and `lastUsedAt` are of the current value; `expiresAt` is the end of the token, and null where it has none; an empty list of `paths` restrains nothing, and a token with paths can only make this call if `/v1/token` is one of them; `retiring` is the value before it, while it works as well.",
    json(
      'The token',
      strictObject({
        id: text,
        preview: text,
        name: nullable(text),
        active: boolean(),
        createdAt: instant,
        lastUsedAt: nullable(instant),
        expiresAt: nullable(instant),
        access: picklist(ACCESS),
        paths: array(text),
        retiring: nullable(
          strictObject({
            preview: text,
            retiresAt: instant,
            lastUsedAt: nullable(instant),
            until: picklist(UNTIL),
          }),
        ),
      }),
      {
        id: '0b0c6a2e-3f0e-4b53-9c1d-2f5a7f6f1a11',
        preview: '9pK2a',
        name: 'Website',
        active: true,
        createdAt: '2026-11-23T18:00:00.000Z',
        lastUsedAt: null,
        expiresAt: null,
        access: 'read',
        paths: [],
        retiring: null,
      },
    ),
  ),
};
