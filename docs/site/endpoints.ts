// Operations of the OpenAPI document as Markdown: the call, the answer and the refusals of each.
import { TOKEN } from '../openapi/operator-answers.ts';
import { PROBLEMS, type Slug } from '../../worker/http/problem.ts';
import type { Operation } from '../openapi/answers.ts';
import { PATHS } from '../openapi/document.ts';

type Answer = Operation['responses'][string];
type Endpoint = { method: string; path: string; operation: Operation };

const CREDENTIAL: Record<string, string> = {
  token: '-H "Authorization: Bearer $TOKEN"',
  operator: '-H "Authorization: Bearer $OPERATOR_SECRET"',
  client: '-u "$CLIENT_ID:$CLIENT_SECRET"',
};
/** The example values of the path parameters. */
const FILLED: Record<string, string> = { id: 'acme', email: 'owner@example.com', token: TOKEN.id };

/**
 * The operations of a path, or, where it ends with a slash, of all paths that begin with it, each with a call to paste. Refusals that
 * all of them share come once, before them. Addresses begin with the placeholder of the origin.
 */
export function endpointsMarkdown(wanted: string): string {
  const endpoints = endpointsOf(wanted);
  const shared = sharedAnswers(endpoints);
  return [
    ...(shared.length === 0 ? [] : ['Each of them may also answer:', table(shared)]),
    ...endpoints.flatMap((endpoint) => endpointMarkdown(endpoint, shared)),
  ].join('\n\n');
}

/** What a program may send to a path: its headers, or the fields of its form, each with what it means. */
export function parametersMarkdown(path: string): string {
  const [endpoint] = endpointsOf(path);
  const { parameters = [], requestBody } = endpoint?.operation ?? {};
  // As `headerParameters` and `schemaOf` in answers.ts write them.
  const headers = parameters as Described[];
  const form = requestBody?.content['application/x-www-form-urlencoded']?.schema as Form | undefined;
  const rows =
    form === undefined
      ? headers.map(({ name, description = '' }) => [name, description])
      : Object.entries(form.properties).map(([name, { description = '' }]) => [name, description]);
  return [
    `| ${form === undefined ? 'Header' : 'Field'} | Meaning |`,
    '| --- | --- |',
    ...rows.map(([name, description]) => `| \`${name}\` | ${description} |`),
  ].join('\n');
}

type Described = { name: string; description?: string };
type Form = { properties: Record<string, { description?: string }> };

function endpointsOf(wanted: string): Endpoint[] {
  const endpoints = Object.entries(PATHS)
    .filter(([path]) => (wanted.endsWith('/') ? path.startsWith(wanted) : path === wanted))
    .flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]): Endpoint => ({ method, path, operation })),
    );
  if (endpoints.length === 0) throw new Error(`no endpoint has the path ${wanted}`);
  return endpoints;
}

function endpointMarkdown(endpoint: Endpoint, shared: [string, Answer][]): string[] {
  const { method, path, operation } = endpoint;
  const known = new Set(shared.map(([status]) => status));
  const own = Object.entries(operation.responses).filter(([status]) => !known.has(status));
  return [
    `### ${operation.summary} {#${operation.operationId}}`,
    `\`${method.toUpperCase()} ${path}\``,
    operation.description,
    fence('sh', curl(endpoint)),
    ...exampleOf(operation.responses).map((example) => fence('json', JSON.stringify(example, null, 2))),
    ...(own.length < 2 ? [] : [table(own)]),
  ];
}

/** The refusals that all of these operations share, with the same text. */
function sharedAnswers(endpoints: Endpoint[]): [string, Answer][] {
  const [first, ...others] = endpoints;
  if (first === undefined || others.length === 0) return [];
  return Object.entries(first.operation.responses).filter(
    ([status, answer]) =>
      status >= '400' &&
      others.every(({ operation }) => JSON.stringify(operation.responses[status]) === JSON.stringify(answer)),
  );
}

function table(answers: [string, Answer][]): string {
  const rows = answers.map(([status, answer]) => `| \`${status}\` | ${meaningOf(answer)} |`);
  return ['| Status | Answer |', '| --- | --- |', ...rows].join('\n');
}

function meaningOf({ description, content }: Answer): string {
  if (content === undefined || !('application/problem+json' in content)) return description;
  // As `problem` in answers.ts writes it: one example for each slug.
  const { examples } = content['application/problem+json'] as { examples: Record<Slug, unknown> };
  const slugs = Object.keys(examples) as Slug[];
  return slugs.map((slug) => `[${PROBLEMS[slug].title}](/docs/problems#${slug})`).join(', or ');
}

/** The call as a shell command. */
function curl({ method, path, operation }: Endpoint): string {
  const address = `{{origin}}${path.replaceAll(/\{(\w+)\}/g, (_, name: string) => FILLED[name] ?? name)}`;
  const [scheme = ''] = Object.keys(operation.security[0] ?? {});
  const body = bodyOf(operation.requestBody);
  // Without a body, the headers are the answer.
  const command = exampleOf(operation.responses).length === 0 ? 'curl -i' : 'curl';
  const isPlain = method === 'get' || (method === 'post' && body.length > 0);
  const start = isPlain ? `${command} ${address}` : `${command} -X ${method.toUpperCase()} ${address}`;
  const credential = CREDENTIAL[scheme] ?? [];
  return [start, credential, body].flat().join(' \\\n  ');
}

function bodyOf(requestBody: Operation['requestBody']): string[] {
  if (requestBody === undefined) return [];
  if (!('application/json' in requestBody.content)) return ['--data-urlencode "token=$TOKEN"'];
  const { example } = requestBody.content['application/json'];
  return [`-H 'Content-Type: application/json'`, `-d '${JSON.stringify(example)}'`];
}

/** The example of a JSON answer, or nothing. */
function exampleOf(responses: Operation['responses']): unknown[] {
  const content = (responses['200'] ?? responses['202'])?.content;
  if (content === undefined || !('application/json' in content)) return [];
  const { example } = content['application/json'] as { example: unknown }; // as `json` in answers.ts writes it
  return [example];
}

const fence = (language: string, code: string): string => `\`\`\`${language}\n${code}\n\`\`\``;
