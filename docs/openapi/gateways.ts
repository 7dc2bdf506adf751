// The OpenAPI part for other programs: forward-auth and introspection. A test makes each of these calls. The API behind this one
// has no operation here: its paths and bodies are unknown, and a parameter of OpenAPI is one segment of a path.
import {
  description,
  literal,
  minLength,
  object,
  optional,
  pipe,
  strictObject,
  string,
  url,
  variant,
} from 'valibot';
import {
  ADDRESS_HEADER,
  METHOD_HEADERS,
  PATH_HEADERS,
  SECRET_HEADER,
  VERIFY,
} from '../../worker/api/asked-call.ts';
import type { FormField } from '../../worker/api/introspection-client.ts';
import type { Introspection, introspection } from '../../worker/api/introspection.ts';
import {
  count,
  headerParameters,
  json,
  problem,
  refusedBody,
  schemaOf,
  type Operation,
  type OperationsOf,
} from './answers.ts';

const identity = (schema: object) => ({
  'X-Organisation-Id': { schema },
  'X-Organisation-Plan': { schema },
  'X-Token-Id': { schema },
  'X-Token-Access': { schema },
});
const NO_IDENTITY = identity({ const: '' });
const ANY_IDENTITY = identity(schemaOf(pipe(string(), minLength(1))));

/** What a gateway says of the call that it holds: for limited tokens alone. */
const ASKED: [name: string, description: string][] = [
  [
    METHOD_HEADERS[0],
    `The method of the call; or \`${METHOD_HEADERS[1]}\`. Without it, a token that may only read is refused`,
  ],
  [
    PATH_HEADERS[0],
    `Path and query of the call as the caller sent them; or \`${PATH_HEADERS[1]}\`. Without it, a token with paths is refused`,
  ],
  ['Origin', 'That of the call, if it has one. A token with websites is refused from others'],
  [ADDRESS_HEADER, 'The address of the caller. Without it, a token with networks is refused'],
  [SECRET_HEADER, `The setting \`VERIFY_SECRET\`. Without it, \`${ADDRESS_HEADER}\` is not read`],
];

const Form = object({
  token: pipe(string(), minLength(1), description('The token that is asked about')),
  token_type_hint: optional(pipe(string(), description('Not read: there is one type'))),
  ip: optional(
    pipe(string(), description('The address of the caller. Without it, a token with networks is not active')),
  ),
  origin: optional(
    pipe(
      string(),
      description(
        'The header `Origin` of the call; empty where the call has none. Without the field, a token with websites is not active',
      ),
    ),
  ),
  client_id: optional(pipe(string(), description('With `client_secret`, in place of HTTP Basic'))),
  client_secret: optional(pipe(string(), description('With `client_id`'))),
} satisfies Record<FormField, unknown>);

export const verificationPaths: OperationsOf<typeof introspection> & {
  [VERIFY]: { get: Operation };
  '/introspect': { post: Operation<{ 200: Introspection }> };
} = {
  [VERIFY]: {
    get: {
      operationId: 'verify',
      summary: 'Ask whether a call may pass',
      description:
        'Forward-auth for a gateway, which sends the headers of the call it holds. Every other method is answered alike. On the host that `VERIFY_HOST` names, every path is answered so; elsewhere exactly this one. A malformed credential is 401 here.',
      tags: ['Gateway'],
      security: [{ token: [] }, { apiKey: [] }],
      parameters: headerParameters(ASKED),
      responses: {
        200: {
          description: 'Let it pass, with these headers',
          headers: { 'Cache-Control': { schema: { const: 'no-store' } }, ...ANY_IDENTITY },
        },
        401: problem(['authentication-required', 'invalid-token'], NO_IDENTITY),
        403: problem(
          ['organisation-paused', 'enterprise-plan-required', 'access-denied', 'https-required'],
          NO_IDENTITY,
        ),
        503: problem(['verification-unavailable'], NO_IDENTITY),
      },
    },
  },
  '/introspect': {
    post: {
      operationId: 'introspect',
      summary: 'Ask about a token',
      description:
        'RFC 7662, for servers that are configured as clients in `INTROSPECTION_CLIENTS`. About a token that is not good the answer is exactly `{"active":false}`.',
      tags: ['Gateway'],
      security: [{ client: [] }],
      requestBody: {
        required: true,
        content: {
          'application/x-www-form-urlencoded': {
            schema: schemaOf(Form),
            example: { token: '9p…' },
          },
        },
      },
      responses: {
        200: json(
          'What the token is',
          variant('active', [
            strictObject({
              active: literal(true),
              sub: pipe(string(), description('Id of the organisation')),
              client_id: pipe(string(), description('Id of the token')),
              token_type: literal('Bearer'),
              scope: pipe(
                string(),
                description(
                  '`read` or `full`; and `path:` with a prefix for each path, where the token may only call some',
                ),
              ),
              iat: pipe(count, description('Seconds since 1970')),
              exp: optional(
                pipe(
                  count,
                  description('Seconds since 1970, where the value that was asked about has an end'),
                ),
              ),
              iss: pipe(string(), url()),
            }),
            strictObject({ active: literal(false) }),
          ]),
          {
            active: true,
            sub: 'acme',
            client_id: '0b0c6a2e-3f0e-4b53-9c1d-2f5a7f6f1a11',
            token_type: 'Bearer',
            scope: 'read path:/v1/events',
            iat: 1_795_456_800,
            iss: 'https://api.example.com',
          },
        ),
        401: problem(['authentication-required']),
        403: problem(['https-required']),
        404: problem(['not-found']),
        ...refusedBody,
        503: problem(['verification-unavailable', 'storage-unavailable']),
      },
    },
  },
};
