// The parts that every operation of the OpenAPI document shares. Schemas are valibot's. The schema of a body or a query is the
// Worker's own. The schema of an answer must have the type of the route's answer; otherwise it does not compile.
import { toJsonSchema } from '@valibot/to-json-schema';
import type { Hono } from 'hono';
import {
  description as describedAs,
  examples,
  integer,
  isoTimestamp,
  maxValue,
  minValue,
  number,
  optional,
  parse,
  picklist,
  pipe,
  strictObject,
  string,
  url,
} from 'valibot';
import type { BaseIssue, BaseSchema, InferInput, ObjectEntries, StrictObjectSchema } from 'valibot';
import { isInstant } from '../../worker/instant.ts';
import { PLANS } from '../../worker/organisation/organisation.ts';
import { PROBLEMS, type Slug } from '../../worker/http/problem.ts';

type Schema = BaseSchema<unknown, unknown, BaseIssue<unknown>>;
type Response = { description: string; headers?: object; content?: object };
declare const TYPE: unique symbol;
/** A JSON answer of exactly this type. */
type Answer<T> = Response & { [TYPE]?: (value: T) => T };

/** `Answers`: what is answered as JSON, by status. */
export type Operation<Answers = unknown> = {
  operationId: string;
  summary: string;
  description: string;
  tags: string[];
  security: Record<string, string[]>[];
  parameters?: object[];
  requestBody?: { required: true; content: Record<string, { schema: object; example: object }> };
  responses: Record<string, Response> & { [Status in keyof Answers]: Answer<Answers[Status]> };
};
type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';
export type Paths = Record<string, Partial<Record<Method, Operation>>>;

/** The operations that a group of routes must have: each path with each method, and its answers by status. */
export type OperationsOf<Routes> =
  Routes extends Hono<infer _E, infer S, infer _B>
    ? {
        [Path in keyof S as keyof S[Path] extends never ? never : PathOf<Path & string>]: {
          [M in keyof S[Path] as M extends `$${infer Name}` ? Name : never]: Operation<AnswersOf<S[Path][M]>>;
        };
      }
    : never;
type PathOf<Path extends string> = Path extends `${infer Start}:${infer Name}/${infer Rest}`
  ? `${Start}{${Name}}/${PathOf<Rest>}`
  : Path extends `${infer Start}:${infer Name}`
    ? `${Start}{${Name}}`
    : Path;
type AnswersOf<Endpoint> = {
  [
    E in Endpoint as E extends { outputFormat: 'json'; status: infer Status extends number } ? Status : never
  ]: E extends {
    output: infer Output;
  }
    ? Output
    : never;
};

export const text = string();
const INSTANT = '2026-11-23T18:00:00.000Z';
export const instant = pipe(string(), isoTimestamp(), examples([INSTANT]));
export const count = pipe(number(), integer(), minValue(0));
export const plan = picklist(PLANS);

/** The JSON Schema of the input of a schema. */
export function schemaOf(schema: Schema): object {
  const { $schema: _, ...converted } = toJsonSchema(schema, {
    target: 'draft-2020-12',
    typeMode: 'input',
    overrideAction: ({ valibotAction, jsonSchema }) => {
      // Every type of rule but these has no requirement, or one of another type.
      const { type, requirement } = valibotAction as { type: string; requirement?: unknown };
      if (type === 'check')
        return requirement === isInstant
          ? { ...jsonSchema, format: 'date-time', examples: [INSTANT] }
          : jsonSchema;
      // A pattern of JSON Schema has no flags, and a schema has one pattern. Such a rule appears only in the refusal.
      return requirement instanceof RegExp && requirement.flags !== ''
        ? { ...jsonSchema, pattern: undefined }
        : null;
    },
    // Shorter than a choice of two schemas, and read by more generators.
    overrideSchema: ({ valibotSchema: { type }, jsonSchema }) => {
      const [only] = jsonSchema.anyOf ?? [];
      return type === 'nullable' && typeof only === 'object' && typeof only.type === 'string'
        ? { ...only, type: [only.type, 'null'] }
        : null;
    },
  });
  return converted;
}

/** The parameters of a query, each with its description. */
export function query<E extends ObjectEntries>(
  { entries }: StrictObjectSchema<E, undefined>,
  descriptions: { [Name in keyof E]: string },
): object[] {
  return Object.entries(entries).map(([name, schema]) => ({
    name,
    in: 'query',
    description: descriptions[name],
    schema: schemaOf(schema),
  }));
}

/** The parameters of a call in its headers, each with its description. */
export function headerParameters(
  described: readonly (readonly [name: string, description: string])[],
  isRequired = false,
): object[] {
  return described.map(([name, description]) => ({
    name,
    in: 'header',
    ...(isRequired ? { required: true } : {}),
    description,
    schema: { type: 'string' },
  }));
}

/** A JSON body. */
export function body<S extends Schema>(schema: S, example: InferInput<S> & object) {
  parse(schema, example);
  return { required: true as const, content: { 'application/json': { schema: schemaOf(schema), example } } };
}

/** A JSON answer. */
export function json<S extends Schema>(
  description: string,
  schema: S,
  example: InferInput<S>,
): Answer<InferInput<S>> {
  parse(schema, example);
  return {
    description,
    headers: { 'Cache-Control': { schema: { const: 'no-store' } } },
    content: { 'application/json': { schema: schemaOf(schema), example } },
  };
}

/** The answer of a refusal; slugs of one status share it. `headers` are those that only this operation sends. */
export function problem(slugs: [Slug, ...Slug[]], headers: Record<string, object> = {}): Response {
  const { status } = PROBLEMS[slugs[0]];
  const schema = schemaOf(text);
  return {
    description: slugs.map((slug) => PROBLEMS[slug].title).join(', or '),
    headers: {
      'Cache-Control': { schema: { const: 'no-store' } },
      'X-Request-Id': { schema },
      ...(status === 401 ? { 'WWW-Authenticate': { schema } } : {}),
      ...(status === 429 || status === 503 ? { 'Retry-After': { schema } } : {}),
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

/** What every program that sends a body outside /v1 and /operator may be refused for. */
export const refusedBody = {
  413: problem(['payload-too-large']),
  421: problem(['misdirected-request']),
  422: problem(['invalid-body']),
  429: problem(['too-many-requests']),
  500: problem(['misconfigured', 'unexpected']),
};

function exampleOf(slug: Slug) {
  return {
    type: `https://api.example.com/docs/problems#${slug}`,
    ...PROBLEMS[slug],
    requestId: '9f0c2d5e7a1b4c3d',
  };
}

export const ProblemBody = strictObject({
  type: pipe(string(), url()),
  title: text,
  status: pipe(number(), integer(), minValue(400), maxValue(599)),
  detail: optional(text),
  error: optional(pipe(string(), describedAs('Of `/introspect` alone, as RFC 6749 section 5.2 has it'))),
  requestId: text,
});
