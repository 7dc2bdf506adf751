// The text of /docs: what a developer who holds a token needs, from the first call to the last refusal. Examples name
// this deployment.
import type { Block } from './blocks.ts';
import { endpointBlocks } from './endpoints.ts';

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
      text: 'These are answered here. Any other path under `/v1/` is `404` unless the deployment has [an API behind it](/docs/gateways#upstream).',
    },
    ...endpointBlocks(origin, ['/v1/ping', '/v1/organisation', '/v1/token']),
    { heading: 'Problems', id: 'problems' },
    {
      text: 'Every refusal is `application/problem+json` with `type`, `title`, `status` and `requestId`. [All problems](/docs/problems) says what each means and what to do. In short:',
    },
    {
      list: [
        '`400`, `401` and `403`: do not repeat the call as it is. Look at the header, the token or the plan.',
        '`429` and `503`: wait for the seconds in `Retry-After`, then send it again. Never throw a token away on `503`: it could not be checked, and may well be good.',
        '`500`, `502` and `504`: try again later. A write at the API behind this one may or may not have been applied.',
      ],
    },
    { heading: 'What “immediately” means', id: 'immediately' },
    {
      text: 'When the dashboard has answered that a token is inactive or deleted, no check that starts afterwards accepts it. That answer carries `effectiveAt`, the instant from which the token is refused everywhere. It takes about a second, and ten at worst. A call that is open at that moment goes on until it ends. An inactive token can be switched on again with the same value; a deleted one cannot come back.',
    },
    { heading: 'CORS', id: 'cors' },
    {
      text: 'A website or an app (`capacitor://localhost`) can call `/v1` when its origin is listed in `CORS_ORIGINS`; by default none is. It may send and read every header that passes. Cookies are never allowed. Whoever opens the page can read its token, so call from your server where you can.',
    },
    { heading: 'Gateways', id: 'gateways' },
    {
      text: 'nginx, Caddy, Traefik and Envoy can ask whether a call may pass, servers can ask about a token, and other Workers can do so without HTTP. [Gateways](/docs/gateways) shows how.',
    },
    { heading: 'Limits', id: 'limits' },
    {
      list: [
        'An organisation holds at most 10 tokens, active or inactive. Use one for each integration.',
        'Checking a token is not rate-limited.',
        'A JSON body is at most 16 KiB, and unknown fields are refused.',
        'Answers under `/v1` are `no-store`, and carry `X-Request-Id`.',
        'Counts of calls in the dashboard are approximate: they may miss the last second of a server that was lost.',
      ],
    },
    { heading: 'Operator', id: 'operator' },
    {
      text: 'The platform that owns the organisations has [routes of its own](/docs/operator) for billing and provisioning.',
    },
  ];
}
