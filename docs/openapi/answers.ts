// The parts that every operation of the OpenAPI document shares: schemas, headers and problem answers.
import { PROBLEMS } from '../../worker/http/problem.ts';
import type { Slug } from '../../worker/http/problem.ts';

export type Operation = {
  operationId: string;
  summary: string;
  description: string;
  tags: string[];
  security: Record<string, string[]>[];
  parameters?: object[];
  requestBody?: { required: true; content: Record<string, { schema: object; example: object }> };
  responses: Record<string, { description: string; headers?: object; content?: object }>;
};
export type Paths = Record<string, Partial<Record<'get' | 'post' | 'put' | 'patch' | 'delete', Operation>>>;

export const text = { type: 'string' } as const;
export const instant = {
  type: 'string',
  format: 'date-time',
  examples: ['2026-11-23T18:00:00.000Z'],
} as const;
export const count = { type: 'integer', minimum: 0 } as const;
export const plan = { type: 'string', enum: ['trial', 'pay-as-you-go', 'pro', 'enterprise'] } as const;

/** An object that has exactly these properties, all of them always present. */
export function record(properties: Record<string, object>) {
  return { type: 'object', properties, required: Object.keys(properties), additionalProperties: false };
}

/** A JSON answer. */
export function json(description: string, schema: object, example: unknown) {
  return {
    description,
    headers: { 'Cache-Control': { schema: { const: 'no-store' } } },
    content: { 'application/json': { schema, example } },
  };
}

/** The answer of a refusal; slugs of one status share it. `headers` are those that only this operation sends. */
export function problem(slugs: [Slug, ...Slug[]], headers: Record<string, object> = {}) {
  const { status } = PROBLEMS[slugs[0]];
  return {
    description: slugs.map((slug) => PROBLEMS[slug].title).join(', or '),
    headers: {
      'Cache-Control': { schema: { const: 'no-store' } },
      'X-Request-Id': { schema: text },
      ...(status === 401 ? { 'WWW-Authenticate': { schema: text } } : {}),
      ...(status === 429 || status === 503 ? { 'Retry-After': { schema: text } } : {}),
      ...headers,
    },
    content: {
      'application/problem+json': {
        schema: { $ref: '#/components/schemas/Problem' },
        examples: Object.fromEntries(slugs.map((slug) => [slug, { value: exampleOf(slug) }])),
      },
    },
  };
}

function exampleOf(slug: Slug) {
  return {
    type: `https://api.example.com/docs/problems#${slug}`,
    ...PROBLEMS[slug],
    requestId: '9f0c2d5e7a1b4c3d',
  };
}

export const PROBLEM_SCHEMA = {
  type: 'object',
  properties: {
    type: { type: 'string', format: 'uri' },
    title: text,
    status: { type: 'integer', minimum: 400, maximum: 599 },
    detail: text,
    error: { type: 'string', description: 'Of `/introspect` alone, as RFC 6749 section 5.2 has it' },
    requestId: text,
  },
  required: ['type', 'title', 'status', 'requestId'],
  additionalProperties: false,
};
