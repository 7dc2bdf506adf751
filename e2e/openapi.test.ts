// The OpenAPI document and the Worker that it describes. The tests make the real bundle give each documented answer and
// validate it against its schema. Spectral lints the document.
import { generateKeyPairSync, sign } from 'node:crypto';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import spectralCore from '@stoplight/spectral-core';
import type { RulesetDefinition } from '@stoplight/spectral-core';
import { oas } from '@stoplight/spectral-rulesets';
import { Ajv2020 } from 'ajv/dist/2020.js';
import ajvFormats from 'ajv-formats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { openApiDocument } from '../docs/openapi/document.ts';
import { startDeployment } from './deployment.ts';
import type { Deployment } from './deployment.ts';
import { SETTINGS, emptyDeployment } from './isolates.ts';

type Document = ReturnType<typeof openApiDocument>;
type Content = Record<string, { schema: object; examples?: Record<string, unknown> }>;
type Documented = { headers?: Record<string, { schema: object }>; content?: Content };
type Sent = { at?: string; headers?: Record<string, string>; body?: string; path?: string };
/** Method, path of the document, expected status, and the request with its deployment. */
type Call = [method: string, path: string, status: number, sent?: Sent];

const CLIENTS = JSON.stringify({ gateway: 'a-client-secret-of-these-tests-alone' });
const operator = { authorization: `Bearer ${SETTINGS.OPERATOR_SECRET}` };
const client = { authorization: `Basic ${btoa('gateway:a-client-secret-of-these-tests-alone')}` };
const form = { 'content-type': 'application/x-www-form-urlencoded' };
const json = { 'content-type': 'application/json' };
const enterprise = { name: 'Acme', plan: 'enterprise' };

let deployment: Deployment;
let upstream: Server;
let document: Document;
let organisation: string;
let tokenId: string;
let good: Record<string, string>;
let poor: Record<string, string>;
/** A token that may call none of our own paths. */
let limited: Record<string, string>;
/** The key of a GitHub of these tests. */
const github = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const KEYS = {
  public_keys: [
    {
      key_identifier: 'known',
      key: github.publicKey.export({ type: 'spki', format: 'pem' }),
      is_current: true,
    },
  ],
};
const signed = (body: string) => ({
  headers: {
    ...json,
    'github-public-key-identifier': 'known',
    'github-public-key-signature': sign('sha256', Buffer.from(body), github.privateKey).toString('base64'),
  },
  body,
});
const origins: Record<string, string> = {};
const seen = new Set<string>();
const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true });
ajvFormats(ajv);

beforeAll(async () => {
  upstream = createServer((request, answer) => {
    if (request.url === '/v1/dead') request.socket.destroy();
    else if (request.url === '/keys') answer.end(JSON.stringify(KEYS));
    else if (request.url !== '/v1/slow') answer.end('{}');
  });
  await new Promise<void>((done) => {
    upstream.listen(0, '127.0.0.1', done);
  });
  // Listening on a port, so the address is one.
  const { port } = upstream.address() as AddressInfo;
  const { OPERATOR_SECRET: _, ...closed } = SETTINGS;
  const { TAG_KEYS, TAG_KEY_CURRENT } = closed;
  const behind = {
    UPSTREAM_URL: `http://127.0.0.1:${port}`,
    INTROSPECTION_CLIENTS: CLIENTS,
    WEBHOOK_URL: `http://127.0.0.1:${port}/hook`,
    WEBHOOK_SECRET: `whsec_${btoa('a key of this test that has 32 b')}`,
  };
  const keys = { GITHUB_KEYS_URL: `http://127.0.0.1:${port}/keys` };
  deployment = await startDeployment(
    { ...behind, ...keys, UPSTREAM_TIMEOUT_MS: '300', REVOCATION_LEASE_MS: '50' },
    [
      emptyDeployment('bare', { ...closed, GITHUB_KEYS_URL: '' }),
      emptyDeployment('unset', {}),
      // Not in local mode: `insecure` refuses http, and `elsewhere` refuses every host but its own.
      emptyDeployment('insecure', { TAG_KEYS, TAG_KEY_CURRENT }),
      emptyDeployment('elsewhere', { TAG_KEYS, TAG_KEY_CURRENT, ORIGINS: 'https://zone.example' }),
      // The settings are right, but the database has no tables.
      emptyDeployment('empty', { ...behind, ...SETTINGS }),
    ],
  );
  origins['whole'] = deployment.origin;
  for (const name of ['bare', 'unset', 'insecure', 'elsewhere', 'empty']) {
    origins[name] = (await deployment.miniflare.unsafeGetDirectURL(name)).origin;
  }
  document = (await (await fetch(`${deployment.origin}/openapi.json`)).json()) as Document;
  const [rich, lapsed] = [await deployment.givenToken(), await deployment.givenToken()];
  ({ organisation, id: tokenId } = rich);
  good = { authorization: `Bearer ${rich.secret}` };
  poor = { authorization: `Bearer ${lapsed.secret}` };
  const narrow = await deployment.givenToken();
  limited = { authorization: `Bearer ${narrow.secret}` };
  await deployment.write('PATCH', narrow.path, { paths: ['/v1/events'] });
  const lost = { ...enterprise, plan: 'pro' };
  await deployment.write('PUT', `/operator/organisations/${lapsed.organisation}`, lost);
});
afterAll(async () => {
  upstream?.closeAllConnections();
  upstream?.close();
  await deployment?.stop();
});

/** Makes the calls one after the other and lists where an answer differs from the document. */
async function faultsOf(calls: readonly Call[]): Promise<string[]> {
  const faults: string[] = [];
  for (const made of calls) faults.push(...(await faultsOfOne(made)));
  return faults;
}

async function faultsOfOne([method, path, status, made = {}]: Call): Promise<string[]> {
  const filled = path
    .replace('{id}', organisation)
    .replace('{email}', 'a@example.com')
    .replace('{token}', tokenId);
  const answer = await fetch(`${origins[made.at ?? 'whole']}${made.path ?? filled}`, {
    method: method.toUpperCase(),
    headers: made.headers ?? {},
    redirect: 'manual',
    ...(made.body === undefined ? {} : { body: made.body }),
  });
  const body = await answer.text();
  const name = `${method} ${path} ${status}`;
  if (answer.status !== status) return [`${name}: ${answer.status} ${body}`];
  const responses: Record<string, unknown> = document.paths[path]?.[method as 'get']?.responses ?? {};
  const key = String(status) in responses ? String(status) : `${String(status)[0]}XX`;
  // As answers.ts writes them.
  const documented = responses[key] as Documented | undefined;
  if (documented === undefined) return [`${name}: not documented`];
  seen.add(`${method} ${path} ${key}`);
  const faults = Object.entries(documented.headers ?? {}).flatMap(([header, { schema }]) =>
    mismatches(schema, answer.headers.get(header)).map((fault) => `${header} ${fault}`),
  );
  const [[type, { schema, examples }] = ['', { schema: {}, examples: undefined }]] = Object.entries(
    documented.content ?? {},
  );
  if (type !== '') {
    const value =
      type === 'application/jsonl' ? { type: undefined } : (JSON.parse(body) as { type?: string });
    faults.push(...mismatches(schema, type === 'application/jsonl' ? body : value));
    if (answer.headers.get('content-type') !== type) faults.push(`not ${type}`);
    const slug = value.type?.split('#')[1];
    if (slug !== undefined && examples?.[slug] === undefined) faults.push(`${slug} is not documented`);
  }
  return faults.map((fault) => `${name}: ${fault}`);
}

function mismatches(schema: object, value: unknown): string[] {
  // References into the document become references into the schema.
  const text = JSON.stringify({ ...schema, $defs: document.components.schemas });
  const validate = ajv.compile(JSON.parse(text.replaceAll('#/components/schemas/', '#/$defs/')) as object);
  return validate(value) ? [] : [`${ajv.errorsText(validate.errors)} in ${JSON.stringify(value)}`];
}

/** Reports until the limiter refuses. */
async function reportTooOften(path: string, made: Sent): Promise<void> {
  let status = 0;
  while (status !== 429) {
    const answer = await fetch(`${origins['empty']}${path}`, { method: 'POST', ...made });
    await answer.body?.cancel();
    ({ status } = answer);
  }
}

/** Fails until the limiter of failed logins refuses. */
async function guessTooOften(): Promise<void> {
  let status = 0;
  while (status !== 429) {
    const answer = await fetch(`${origins['empty']}/operator/organisations`);
    await answer.body?.cancel();
    ({ status } = answer);
  }
}

/** Every operation whose path begins so. */
function operations(prefix: string): [string, string][] {
  return Object.entries(document.paths)
    .filter(([path]) => path.startsWith(prefix))
    .flatMap(([path, methods]) => Object.keys(methods).map((method): [string, string] => [method, path]));
}

describe('what the OpenAPI document says is what the Worker does', () => {
  it('on /v1 and /verify, for every kind of caller', async () => {
    const calls = [...operations('/v1/'), ...operations('/verify')].flatMap(([method, path]): Call[] => [
      [method, path, 200, { headers: good }],
      [method, path, 401],
      [method, path, 401, { headers: { authorization: 'Bearer x' } }],
      [method, path, 403, { headers: poor }],
      [method, path, 403, { headers: limited }],
      [method, path, 503, { at: 'empty', headers: good }],
    ]);
    expect(await faultsOf(calls)).toEqual([]);
  });

  it('on /v1 when a header is malformed, or the deployment is misconfigured', async () => {
    const calls = operations('/v1/').flatMap(([method, path]): Call[] => [
      [method, path, 400, { headers: { authorization: 'Bearer a,b' } }],
      [method, path, 500, { at: 'unset', headers: good }],
    ]);
    expect(await faultsOf(calls)).toEqual([]);
  });

  it('over http, and at a host that is not its own', async () => {
    const calls = operations('/').flatMap(([method, path]): Call[] => [
      [method, path, 403, { at: 'insecure', headers: good }],
      // A gateway understands only 200, 401, 403 and 503.
      [method, path, path === '/verify' ? 503 : 421, { at: 'elsewhere', headers: good }],
    ]);
    expect(await faultsOf(calls)).toEqual([]);
  });

  it('at the API behind this one, with the problems that all of /v1 shares', async () => {
    const methods = ['get', 'post', 'put', 'patch', 'delete'];
    const cases = [
      [400, '/v1/a%2fb', 'whole'],
      [404, '/v1/things', 'bare'],
      [502, '/v1/dead', 'whole'],
      [504, '/v1/slow', 'whole'],
    ] as const;
    for (const method of methods) {
      for (const [status, path, at] of cases) {
        const answer = await fetch(origins[at] + path, { method: method.toUpperCase(), headers: good });
        expect([method, path, answer.status]).toEqual([method, path, status]);
        expect(answer.headers.get('content-type')).toBe('application/problem+json');
        expect(answer.headers.get('cache-control')).toBe('no-store');
        expect(mismatches(document.components.schemas.Problem, await answer.json())).toEqual([]);
      }
    }
  });

  it('at introspection', async () => {
    const headers = { ...client, ...form };
    const body = `token=${good['authorization']?.slice(7)}`;
    const answers: [number, Sent][] = [
      [200, { headers, body }],
      [200, { headers, body: 'token=x' }],
      [401, { headers: form, body }],
      [404, { headers, body, at: 'bare' }],
      [413, { headers, body: `token=${'x'.repeat(17_000)}` }],
      [422, { headers, body: 'token=' }],
      [500, { headers, body, at: 'unset' }],
      [503, { headers, body, at: 'empty' }],
    ];
    expect(
      await faultsOf(answers.map(([status, sent]): Call => ['post', '/introspect', status, sent])),
    ).toEqual([]);
  });

  it('at reports of leaked tokens', async () => {
    const headers = json;
    const one = JSON.stringify({ tokens: [poor['authorization']?.slice(7)], url: 'https://paste.example/1' });
    const matches = JSON.stringify([{ token: 'x', type: 't', url: '' }]);
    const answers: [string, number, Sent][] = [
      ['/report', 202, { headers, body: one }],
      ['/report', 413, { headers, body: JSON.stringify({ tokens: ['x'.repeat(66_000)] }) }],
      ['/report', 422, { headers, body: '{"tokens":[]}' }],
      ['/report', 500, { headers, body: one, at: 'unset' }],
      ['/report', 503, { headers, body: one, at: 'empty' }],
      ['/report/github', 200, signed(matches)],
      ['/report/github', 403, { ...signed(matches), body: `${matches} ` }],
      ['/report/github', 404, { ...signed(matches), at: 'bare' }],
      ['/report/github', 413, signed('x'.repeat(1_100_000))],
      ['/report/github', 422, signed('{}')],
      ['/report/github', 500, { ...signed(matches), at: 'unset' }],
      ['/report/github', 503, { ...signed(matches), at: 'empty' }],
    ];
    expect(await faultsOf(answers.map(([path, status, sent]): Call => ['post', path, status, sent]))).toEqual(
      [],
    );
  });

  it('to a client that reports too often', async () => {
    const many = { headers: json, body: '{"tokens":["x"]}' };
    const unsigned = { headers: json, body: '[]' };
    let faults = ['not asked'];
    for (let tries = 0; tries < 2 && faults.length > 0; tries++) {
      await reportTooOften('/report', many);
      await reportTooOften('/report/github', unsigned);
      faults = await faultsOf([
        ['post', '/report', 429, { at: 'empty', ...many }],
        ['post', '/report/github', 429, { at: 'empty', ...unsigned }],
      ]);
    }
    expect(faults).toEqual([]);
  });

  it("at the operator's routes, when they are closed, misconfigured, or called without the secret", async () => {
    const headers = { ...operator, ...json };
    const bodies: Record<string, object> = {
      'put /operator/organisations': { organisations: [{ id: 'acme', ...enterprise }] },
      'put /operator/organisations/{id}': enterprise,
      'patch /operator/organisations/{id}/tokens/{token}': { active: false },
      'patch /operator/webhook': { cursor: '0' },
    };
    const calls = operations('/operator/').flatMap(([method, path]): Call[] => {
      const value = bodies[`${method} ${path}`];
      const body = value === undefined ? {} : { body: JSON.stringify(value) };
      return [
        [method, path, 401, body],
        [method, path, 401, { ...body, headers: { authorization: 'Bearer x' } }],
        [method, path, 404, { ...body, headers, at: 'bare' }],
        [method, path, 500, { ...body, headers, at: 'unset' }],
        [method, path, 503, { ...body, headers, at: 'empty' }],
      ];
    });
    expect(await faultsOf(calls)).toEqual([]);
  });

  it('for organisations and members', async () => {
    const headers = { ...operator, ...json };
    const [all, one] = ['/operator/organisations', '/operator/organisations/{id}'];
    const [members, person] = [`${one}/members`, `${one}/members/{email}`];
    const [tokens, token] = [`${one}/tokens`, `${one}/tokens/{token}`];
    const fresh = { headers, path: `${all}/fresh` };
    const send = (value: object) => ({ ...fresh, body: JSON.stringify(value) });
    const elsewhere = { headers, path: `${all}/unknown/members/a@b.example` };
    const notAnAddress = { headers, path: `${all}/${organisation}/members/unknown` };
    const calls: Call[] = [
      ['put', one, 201, send({ ...enterprise, version: 2 })],
      ['put', one, 200, send(enterprise)],
      ['put', one, 409, send({ ...enterprise, version: 1 })],
      ['put', one, 413, send({ ...enterprise, name: 'x'.repeat(17_000) })],
      ['put', one, 422, send({ ...enterprise, plan: 'gold' })],
      [
        'put',
        all,
        200,
        { headers, body: JSON.stringify({ organisations: [{ id: 'many', ...enterprise, version: 2 }] }) },
      ],
      [
        'put',
        all,
        200,
        { headers, body: JSON.stringify({ organisations: [{ id: 'many', ...enterprise, version: 1 }] }) },
      ],
      ['put', all, 413, { headers, body: JSON.stringify({ organisations: 'x'.repeat(66_000) }) }],
      ['put', all, 422, { headers, body: JSON.stringify({ organisations: [] }) }],
      ['get', all, 200, { headers }],
      ['get', all, 422, { headers, path: `${all}?plan=gold` }],
      ['get', '/operator/status', 200, { headers }],
      ['get', '/operator/events', 200, { headers }],
      ['get', '/operator/webhook', 200, { headers }],
      ['post', '/operator/webhook/test', 200, { headers }],
      ['get', '/operator/webhook', 200, { headers }],
      ['patch', '/operator/webhook', 200, { headers, body: JSON.stringify({ cursor: '0' }) }],
      ['patch', '/operator/webhook', 413, { headers, body: JSON.stringify({ cursor: 'x'.repeat(17_000) }) }],
      ['patch', '/operator/webhook', 422, { headers, body: JSON.stringify({ cursor: 'x' }) }],
      ['get', '/operator/events', 422, { headers, path: '/operator/events?since=x' }],
      ['get', one, 200, { headers }],
      ['get', one, 404, { headers, path: `${all}/unknown` }],
      ['post', `${one}/pause`, 200, { headers }],
      ['get', '/v1/ping', 403, { headers: good }],
      ['get', '/verify', 403, { headers: good }],
      ['post', `${one}/resume`, 200, { headers }],
      ['post', `${one}/pause`, 404, { headers, path: `${all}/unknown/pause` }],
      ['post', `${one}/resume`, 404, { headers, path: `${all}/unknown/resume` }],
      ['get', tokens, 200, { headers }],
      ['get', tokens, 404, { headers, path: `${all}/unknown/tokens` }],
      ['patch', token, 200, { headers, body: JSON.stringify({ active: false }) }],
      [
        'patch',
        token,
        404,
        {
          headers,
          path: `${all}/${organisation}/tokens/unknown`,
          body: JSON.stringify({ active: false }),
        },
      ],
      ['patch', token, 413, { headers, body: JSON.stringify({ active: 'x'.repeat(17_000) }) }],
      ['patch', token, 422, { headers, body: '{}' }],
      ['delete', token, 200, { headers }],
      ['delete', token, 404, { headers }],
      ['put', person, 201, { headers }],
      ['put', person, 200, { headers }],
      ['put', person, 404, elsewhere],
      ['put', person, 422, notAnAddress],
      ['get', members, 200, { headers }],
      ['get', members, 404, { headers, path: `${all}/unknown/members` }],
      ['get', members, 422, { headers, path: `${all}/${organisation}/members?before=a` }],
      ['delete', person, 404, elsewhere],
      ['delete', person, 422, notAnAddress],
      ['delete', person, 200, { headers }],
      ['delete', one, 200, fresh],
    ];
    expect(await faultsOf(calls)).toEqual([]);
  });

  it('to a client that guesses', async () => {
    const calls = [...operations('/operator/'), ...operations('/introspect')].map(([method, path]): Call => [
      method,
      path,
      429,
      { at: 'empty' },
    ]);
    // All calls must fall in one minute of the limiter; when the minute ends in between, try once more.
    let faults = ['not asked'];
    for (let tries = 0; tries < 2 && faults.length > 0; tries++) {
      await guessTooOften();
      faults = await faultsOf(calls);
    }
    expect(faults).toEqual([]);
  });

  it('in every answer that it documents', () => {
    const documented = operations('/').flatMap(([method, path]) =>
      Object.keys(document.paths[path]?.[method as 'get']?.responses ?? {}).map(
        (status) => `${method} ${path} ${status}`,
      ),
    );
    expect(documented.length).toBeGreaterThan(75);
    expect(documented.filter((answer) => !seen.has(answer))).toEqual([]);
  });
});

describe('the OpenAPI document', () => {
  it('has no finding of Spectral', async () => {
    const spectral = new spectralCore.Spectral();
    spectral.setRuleset({
      // The package's type allows only one part here.
      extends: [[oas as RulesetDefinition, 'all']],
      // Of OpenAPI 3.1 a license has an identifier or a URL, and this deployment's operator an address of their own.
      rules: { 'license-url': 'off', 'contact-properties': 'off' },
    });
    const findings = await spectral.run(document);
    expect(findings.map(({ code, path, message }) => `${code} ${path.join('.')}: ${message}`)).toEqual([]);
  });

  it('contains nothing that looks like a token', () => {
    expect(JSON.stringify(document)).not.toMatch(/9p[0-9A-Za-z]{3}_dz/);
  });
});
