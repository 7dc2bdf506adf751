// Operations of the OpenAPI document as prose: how each is called, what it answers, and how it refuses.
import { PROBLEMS } from '../problem.ts';
import type { Slug } from '../problem.ts';
import type { Operation } from './answers.ts';
import type { Block } from './blocks.ts';
import { PATHS } from './openapi.ts';

type Answer = Operation['responses'][string];
type Endpoint = { method: string; path: string; operation: Operation };

const CREDENTIAL: Record<string, string> = {
  token: '-H "Authorization: Bearer $TOKEN"',
  operator: '-H "Authorization: Bearer $OPERATOR_SECRET"',
  client: '-u "$CLIENT_ID:$CLIENT_SECRET"',
};
/** What stands in the examples for a parameter of the path. */
const FILLED: Record<string, string> = { id: 'acme', email: 'owner@example.com' };

/** The operations of these paths, each with a call to paste; what all of them refuse alike stands once before them. */
export function endpointBlocks(origin: string, paths: readonly string[]): Block[] {
  const endpoints = paths.flatMap((path) =>
    Object.entries(PATHS[path] ?? {}).map(([method, operation]): Endpoint => ({ method, path, operation })),
  );
  const shared = sharedAnswers(endpoints);
  return [
    ...(shared.length === 0 ? [] : [{ text: 'Each of them may also answer:' }, table(shared)]),
    ...endpoints.flatMap((endpoint) => endpointBlock(origin, endpoint, shared)),
  ];
}

function endpointBlock(origin: string, endpoint: Endpoint, shared: [string, Answer][]): Block[] {
  const { method, path, operation } = endpoint;
  const known = new Set(shared.map(([status]) => status));
  const own = Object.entries(operation.responses).filter(([status]) => !known.has(status));
  return [
    { heading: operation.summary, id: operation.operationId, level: 3 },
    { method: method.toUpperCase(), path },
    { text: operation.description },
    { code: curl(origin, endpoint), language: 'curl' },
    ...exampleOf(operation.responses),
    ...(own.length < 2 ? [] : [table(own)]),
  ];
}

/** The refusals that all of these operations have in common, word for word. */
function sharedAnswers(endpoints: Endpoint[]): [string, Answer][] {
  const [first, ...others] = endpoints;
  if (first === undefined || others.length === 0) return [];
  return Object.entries(first.operation.responses).filter(
    ([status, answer]) =>
      status >= '400' &&
      others.every(({ operation }) => JSON.stringify(operation.responses[status]) === JSON.stringify(answer)),
  );
}

function table(answers: [string, Answer][]): Block {
  return {
    head: ['Status', 'Answer'],
    rows: answers.map(([status, answer]) => [`\`${status}\``, meaningOf(answer)]),
  };
}

function meaningOf({ description, content }: Answer): string {
  if (content === undefined || !('application/problem+json' in content)) return description;
  // As `problem` in answers.ts writes it: one example for each slug.
  const { examples } = content['application/problem+json'] as { examples: Record<Slug, unknown> };
  const slugs = Object.keys(examples) as Slug[];
  return slugs.map((slug) => `[${PROBLEMS[slug].title}](/docs/problems#${slug})`).join(', or ');
}

/** The call as it is typed into a shell. */
function curl(origin: string, { method, path, operation }: Endpoint): string {
  const address = `${origin}${path.replaceAll(/\{(\w+)\}/g, (_, name: string) => FILLED[name] ?? name)}`;
  const [scheme = ''] = Object.keys(operation.security[0] ?? {});
  const body = bodyOf(operation.requestBody);
  // Where there is no body, the headers are the answer.
  const command = exampleOf(operation.responses).length === 0 ? 'curl -i' : 'curl';
  const isPlain = method === 'get' || (method === 'post' && body.length > 0);
  const start = isPlain ? `${command} ${address}` : `${command} -X ${method.toUpperCase()} ${address}`;
  return [start, CREDENTIAL[scheme], ...body].join(' \\\n  ');
}

function bodyOf(requestBody: Operation['requestBody']): string[] {
  if (requestBody === undefined) return [];
  if (!('application/json' in requestBody.content)) return ['--data-urlencode "token=$TOKEN"'];
  const { example } = requestBody.content['application/json'];
  return [`-H 'Content-Type: application/json'`, `-d '${JSON.stringify(example)}'`];
}

function exampleOf(responses: Operation['responses']): Block[] {
  const content = responses['200']?.content;
  if (content === undefined || !('application/json' in content)) return [];
  const { example } = content['application/json'] as { example: unknown }; // as `json` in answers.ts writes it
  return [{ code: JSON.stringify(example, null, 2), language: 'json' }];
}
