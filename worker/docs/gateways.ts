// The text of /docs/gateways: how a token opens an API that is not this one.
import type { Block } from './blocks.ts';
import { caddyfile, nginxConf } from './configurations.ts';
import { endpointBlocks } from './endpoints.ts';

/** `verifyHost` is VERIFY_HOST, which may be empty. */
export function gatewayBlocks(origin: string, verifyHost: string): Block[] {
  const { protocol, host: ownHost } = new URL(origin);
  // The files speak https: of a deployment on this machine they can only be an example.
  const host = verifyHost || (protocol === 'https:' ? ownHost : 'verify.example.com');
  return [
    { text: 'A token can open any API. Choose the way by where that API is.' },
    {
      head: ['Your API', 'Use'],
      rows: [
        ['should be reached through this origin', '[The API behind this one](#upstream)'],
        ['stands behind nginx, Caddy, HAProxy or another gateway', '[Forward-auth](#forward-auth)'],
        ['is a server that asks for itself', '[Introspection](#introspection)'],
        ['is another Worker of the same account', '[The service binding](#workers)'],
      ],
    },
    {
      text: 'All of them keep the promise of [/v1](/docs#immediately): a token that is switched off in the dashboard is refused from then on. So never cache their answers.',
    },
    { heading: 'The API behind this one', id: 'upstream' },
    {
      text: 'Set `UPSTREAM_URL` to its origin, or bind a Worker as `UPSTREAM`. Every path under `/v1/` that is not answered here is then verified and handed on, and so is the answer. What those paths are stands in the documents of your API, not in `/openapi.json`.',
    },
    { code: `curl ${origin}/v1/anything \\\n  -H "Authorization: Bearer $TOKEN"`, language: 'curl' },
    {
      head: ['Header', 'What your API is told'],
      rows: [
        ['`X-Organisation-Id`', 'the organisation that the token belongs to'],
        ['`X-Organisation-Plan`', 'its plan'],
        ['`X-Token-Id`', 'the token, by its id'],
        ['`X-Request-Id`', 'the id of the call, also in the answer'],
        ['`X-Edge-Secret`', '`UPSTREAM_SECRET`: refuse calls without it, so that no call goes past the edge'],
      ],
    },
    {
      list: [
        'The token itself and every other identity header of the caller are dropped. Headers pass by an allow-list in both directions, to which `UPSTREAM_REQUEST_HEADERS` and `UPSTREAM_ANSWER_HEADERS` add names; cookies never pass.',
        '`Forwarded` and `X-Forwarded-Host`, `-Proto` and `-For` say how the call came in. An answer of your API carries `Via`; none of ours does.',
        'Bodies stream both ways, uploads, downloads and server-sent events. A body that breaks off on one side breaks off on the other. Redirects are handed to the caller; one that names the host of your API loses it.',
        'The methods are `GET`, `HEAD`, `POST`, `PUT`, `PATCH` and `DELETE`. WebSockets are refused, and so are paths that some server would read as another one: with an empty or a dot segment (`..`, `..;`, `..%20`), with an encoded slash, backslash or control character, or with a `%` that encodes nothing.',
        'An API that cannot be reached is [502](/docs/problems#upstream-unreachable), one that takes nothing of a body, or does not begin to answer, for `UPSTREAM_TIMEOUT_MS` is [504](/docs/problems#upstream-timeout). An answer that has begun is never cut. A `GET` or `HEAD` that found the connection closed is sent once more.',
      ],
    },
    { heading: 'Forward-auth', id: 'forward-auth' },
    {
      text: 'The gateway asks `/verify` with the headers of the call that it holds, lets the call pass on `200`, and adds the identity headers of the answer. Replace those headers, never add to them: a caller can send them too. They are in every answer, empty when it refuses.',
    },
    {
      list: [
        'Ask one constant URL, best on a host that answers forward-auth alone (`VERIFY_HOST`). Never append the path of the call: a path such as `/a/%2e%2e/%2e%2e/healthz` would lead to another page, which is `200` and verifies nothing.',
        'Remove every header of the caller whose name contains `organisation` or `token`, whatever stands between the words: PHP and CGI read `X.Organisation_Id` as `X-Organisation-Id`.',
      ],
    },
    ...endpointBlocks(origin, ['/verify']),
    {
      text: 'Whole files for Caddy and nginx, the ones that are tested with real gateways. `www.example.com` stands for a website that may call your API from the browser:',
    },
    { code: caddyfile(host), language: 'Caddyfile' },
    { code: nginxConf(host), language: 'nginx' },
    { heading: 'Introspection', id: 'introspection' },
    {
      text: 'For servers that ask by OAuth 2.0 Token Introspection ([RFC 7662](https://www.rfc-editor.org/rfc/rfc7662)). Each is a client of `INTROSPECTION_CLIENTS`, a JSON object of ids and secrets; without one `/introspect` is `404`. HTTP Basic may carry id and secret as they are or form-encoded; the fields `client_id` and `client_secret` work as well. Failed attempts are limited to 30 a minute for each caller.',
    },
    ...endpointBlocks(origin, ['/introspect']),
    { heading: 'Other Workers', id: 'workers' },
    {
      text: 'A Worker of the same account binds the entrypoint `Verifier` and asks without HTTP. What it is told is data; a bad token is no exception.',
    },
    {
      code: '[[services]]\nbinding = "TOKENS"\nservice = "developer-zone"\nentrypoint = "Verifier"',
      language: 'toml',
    },
    {
      code: `const STATUS = {
  'invalid-token': 401,
  'enterprise-plan-required': 403,
  'verification-unavailable': 503, // with Retry-After: verification.retryAfter
};
const verification = await env.TOKENS.verify(secret);
if (!verification.ok) {
  return new Response(verification.reason, { status: STATUS[verification.reason] });
}
const { organisationId, plan, tokenId } = verification;`,
      language: 'TypeScript',
    },
  ];
}
