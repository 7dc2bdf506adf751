// The text of /docs: what a developer needs from the first call to the last refusal. Examples name this deployment.
import type { Operation } from './answers.ts';
import type { Block } from './blocks.ts';
import { PATHS } from './openapi.ts';

export function guideBlocks(origin: string, product: string): Block[] {
  return [
    {
      text: `The ${product} API lets your services read your organisation's data. It speaks JSON over HTTPS. Programs read [openapi.json](/openapi.json).`,
    },
    { heading: 'Authentication', id: 'authentication' },
    {
      text: 'A member of an Enterprise organisation creates a token in the [Developer Zone](/developer-zone). It is shown once, so store it as you store a password. Send it with every request:',
    },
    { code: 'Authorization: Bearer <token>', language: 'http' },
    {
      text: '`X-API-Key: <token>` works as well. Send one of the two. A token in the query string, a cookie or a body is never read.',
    },
    { heading: 'Your first call', id: 'first-call' },
    { text: 'Put the token into the environment variable `TOKEN`, then ask whether it works.' },
    { code: `curl ${origin}/v1/ping \\\n  -H "Authorization: Bearer $TOKEN"`, language: 'curl' },
    {
      code: `const answer = await fetch('${origin}/v1/ping', {\n  headers: { authorization: \`Bearer \${process.env.TOKEN}\` },\n});\nconsole.log(answer.status, await answer.json());`,
      language: 'JavaScript',
    },
    {
      code: `import json, os, urllib.request\n\nrequest = urllib.request.Request(\n    "${origin}/v1/ping",\n    headers={"Authorization": "Bearer " + os.environ["TOKEN"]},\n)\nwith urllib.request.urlopen(request) as answer:\n    print(answer.status, json.load(answer))`,
      language: 'Python',
    },
    { heading: 'Endpoints', id: 'endpoints' },
    {
      text: 'These are answered here. Any other path under `/v1/` is `404` unless the deployment has an API behind it.',
    },
    ...endpoints('/v1/'),
    { heading: 'Problems', id: 'problems' },
    {
      text: 'Every refusal is `application/problem+json` with `type`, `title`, `status` and `requestId`. [All problems](/docs/problems) says what each means and what to do. Never throw a token away on `503`: it could not be checked, and may well be good.',
    },
    { heading: 'What “immediately” means', id: 'immediately' },
    {
      text: 'When the dashboard has answered that a token is inactive or deleted, no check that starts afterwards accepts it. That answer carries `effectiveAt`, the instant from which the token is refused everywhere. It takes about a second, and ten at worst. An inactive token can be switched on again with the same value; a deleted one cannot come back.',
    },
    { heading: 'CORS', id: 'cors' },
    {
      text: 'A website can call `/v1` when its origin is listed in `CORS_ORIGINS`; by default none is. Cookies are never allowed. Whoever opens the page can read its token, so call from your server where you can.',
    },
    { heading: 'Limits', id: 'limits' },
    {
      list: [
        'An organisation holds at most 10 tokens, active or inactive. Use one for each integration.',
        'Checking a token is not rate-limited.',
        'A JSON body is at most 16 KiB, and unknown fields are refused.',
        'Answers under `/v1` are `no-store`, and carry `X-Request-Id`.',
      ],
    },
    { heading: 'Operator', id: 'operator' },
    {
      text: 'For the platform that owns the organisations: billing and provisioning. The credential is `Authorization: Bearer <OPERATOR_SECRET>`; without a configured secret these paths are `404`. Everything is idempotent.',
    },
    ...endpoints('/operator/'),
  ];
}

function endpoints(prefix: string): Block[] {
  return Object.entries(PATHS)
    .filter(([path]) => path.startsWith(prefix))
    .flatMap(([path, methods]) =>
      Object.entries(methods).flatMap(([method, operation]) => endpoint(method, path, operation)),
    );
}

function endpoint(method: string, path: string, operation: Operation): Block[] {
  return [
    { heading: operation.summary, id: operation.operationId, level: 3 },
    { text: `\`${method.toUpperCase()} ${path}\`` },
    { text: operation.description },
    ...exampleOf(operation.responses),
    {
      head: ['Status', 'Answer'],
      rows: Object.entries(operation.responses).map(([status, { description }]) => [
        `\`${status}\``,
        description,
      ]),
    },
  ];
}

function exampleOf(responses: Record<string, { description: string; content?: object }>): Block[] {
  const content = responses['200']?.content;
  if (content === undefined || !('application/json' in content)) return [];
  const { example } = content['application/json'] as { example: unknown }; // as `json` in answers.ts writes it
  return [{ code: JSON.stringify(example, null, 2), language: 'json' }];
}
