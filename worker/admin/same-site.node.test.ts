import { Hono } from 'hono';
import { expect, it } from 'vitest';
import type { Call, CallEnv } from '../http/call.ts';
import { Problem } from '../http/problem.ts';
import { isSameSite, mayRead as mayReadAt, requireSameSite } from './same-site.ts';

const ORIGIN = 'https://zone.example';
const OURS = { origin: ORIGIN, 'sec-fetch-site': 'same-origin', 'content-type': 'application/json' };

function write(headers: Record<string, string | null>, path = '/api/x'): Request {
  const sent = Object.entries({ ...OURS, ...headers }).filter(
    (entry): entry is [string, string] => entry[1] !== null,
  );
  return new Request(ORIGIN + path, { method: 'POST', headers: sent });
}

it.each([
  ['our own page', {}],
  ['a client without Sec-Fetch-Site, such as an older browser', { 'sec-fetch-site': null }],
  // A body that names no type is not read: worker/http/body.ts.
  ['a call without a body', { 'content-type': null }],
  ['JSON with its charset', { 'content-type': 'application/json; charset=utf-8' }],
  ['JSON in another case', { 'content-type': 'Application/JSON;charset=UTF-8' }],
])('lets a write from %s through', (_, headers) => {
  expect(isSameSite(write(headers))).toBe(true);
});

it.each([
  ['no Origin', { origin: null }],
  ['an empty Origin', { origin: '' }],
  ['a sandboxed frame', { origin: 'null' }],
  ['another origin', { origin: 'https://evil.example' }],
  ['a sibling', { origin: 'https://www.zone.example' }],
  ['a parent', { origin: 'https://example' }],
  ['another port', { origin: `${ORIGIN}:8443` }],
  ['another scheme', { origin: 'http://zone.example' }],
  ['an origin that begins like ours', { origin: `${ORIGIN}.evil.example` }],
  ['an origin that ends like ours', { origin: `https://evil-${ORIGIN.slice(8)}` }],
  ['an origin with a path', { origin: `${ORIGIN}/` }],
  ['an origin in another case', { origin: 'HTTPS://ZONE.EXAMPLE' }],
  ['two origins', { origin: `${ORIGIN} https://evil.example` }],
  ['another site', { 'sec-fetch-site': 'cross-site' }],
  ['a sibling site', { 'sec-fetch-site': 'same-site' }],
  ['the address bar', { 'sec-fetch-site': 'none' }],
  ['an empty Sec-Fetch-Site', { 'sec-fetch-site': '' }],
  ['a form', { 'content-type': 'application/x-www-form-urlencoded' }],
  ['a form with a file', { 'content-type': 'multipart/form-data; boundary=x' }],
  ['plain text', { 'content-type': 'text/plain' }],
  ['plain text that mentions JSON', { 'content-type': 'text/plain; application/json' }],
  ['a type that begins like JSON', { 'content-type': 'application/json-seq' }],
  ['a type that ends like JSON', { 'content-type': 'x-application/json' }],
  ['JSON in another charset', { 'content-type': 'application/json; charset=utf-7' }],
])('refuses a write from %s', (_, headers) => {
  expect(isSameSite(write(headers))).toBe(false);
});

it('compares with the origin of the request itself, whatever its path says', () => {
  expect(isSameSite(write({}, '/api/https://evil.example'))).toBe(true);
  expect(isSameSite(write({ origin: 'https://evil.example' }, '/@https://evil.example'))).toBe(false);
});

const TOKENS = '/api/organisations/acme/tokens';
const CSV = '/api/organisations/acme/activity.csv';
const JSONL = '/api/organisations/acme/activity.jsonl';
const START = '/api/sign-in/oidc';
const CALLBACK = '/api/sign-in/oidc/callback';

function read(path: string, site: string | null, more: Record<string, string> = {}): Request {
  return new Request(ORIGIN + path, {
    headers: { ...(site === null ? {} : { 'sec-fetch-site': site }), ...more },
  });
}

const mayRead = (request: Request) => mayReadAt(request, new URL(request.url).pathname);

it.each([TOKENS, CSV, JSONL, START, CALLBACK, '/api/session', '/api/sign-in/methods', '/api/nowhere'])(
  'lets our own pages and programs read %s',
  (path) => {
    expect([mayRead(read(path, 'same-origin')), mayRead(read(path, null))]).toEqual([true, true]);
  },
);

it.each([
  [CSV, true],
  [JSONL, true],
  [`${CSV}?action=sign-in`, true],
  [START, true],
  [`${START}?return_to=/activity`, true],
  [TOKENS, false],
  ['/api/organisations/acme/activity', false],
  ['/api/session', false],
  ['/api/sessions', false],
  ['/api/sign-in/methods', false],
  [`${START}/`, false],
  [`${CSV}x`, false],
  [`/api/organisations/a/b/activity.csv`, false],
  [`${TOKENS}?x=/api/organisations/acme/activity.csv`, false],
])('answers a person who opens the address %s: %s', (path, expected) => {
  expect(mayRead(read(path, 'none'))).toBe(expected);
});

it.each(['cross-site', 'same-site', '', 'SAME-ORIGIN', 'same-origin, cross-site'])(
  'refuses a read from another site, which a browser calls "%s"',
  (site) => {
    for (const path of [TOKENS, CSV, JSONL, START, '/api/session', '/api/sign-in/methods', '/api/nowhere'])
      expect([path, mayRead(read(path, site))]).toEqual([path, false]);
  },
);

it.each(['cross-site', 'same-site', 'none'])(
  'lets the identity provider lead the window back, which a browser calls "%s", and no script, image or frame',
  (site) => {
    const path = `${CALLBACK}?code=a&state=b`;
    const window = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
    expect(mayRead(read(path, site, window))).toBe(true);
    expect(mayRead(read(path, site, { ...window, 'sec-fetch-dest': 'iframe' }))).toBe(false);
    expect(mayRead(read(path, site, { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' }))).toBe(false);
    expect(mayRead(read(path, site, { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' }))).toBe(false);
  },
);

it.each([`/x${CSV}`, `/x${START}`, `//zone.example${START}`])(
  'opens no address that only ends like one: %s',
  (path) => {
    expect(mayRead(read(path, 'none'))).toBe(false);
  },
);

it.each([
  ...['GET', 'HEAD'].flatMap((method) => [
    [method, 'cross-site', 'cross-site-request'],
    [method, 'same-origin', 'through'],
  ]),
  ...['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'].flatMap((method) => [
    [method, 'cross-site', 'cross-site-request'],
    [method, 'same-origin', 'through'],
  ]),
])('answers a %s from %s: %s', async (method, site, expected) => {
  expect(await outcomeOf('/api/x', method, { origin: ORIGIN, 'sec-fetch-site': site })).toBe(expected);
});

it('treats only GET and HEAD as reads, which need no Origin and may be a link', async () => {
  for (const method of ['GET', 'HEAD']) {
    expect([method, await outcomeOf(CSV, method, { 'sec-fetch-site': 'none' })]).toEqual([method, 'through']);
    expect([method, await outcomeOf(TOKENS, method, {})]).toEqual([method, 'through']);
  }
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
    const refused = [method, 'cross-site-request'];
    expect([method, await outcomeOf(CSV, method, { 'sec-fetch-site': 'none' })]).toEqual(refused);
    expect([method, await outcomeOf(TOKENS, method, {})]).toEqual(refused);
  }
});

/** What the rule answers: "through", or the slug of its problem. */
async function outcomeOf(path: string, method: string, headers: Record<string, string>) {
  const app = new Hono<CallEnv>()
    .use(requireSameSite)
    .all('*', (c) => c.body(null, 200, { outcome: 'through' }))
    .onError((error) => {
      const slug = error instanceof Problem ? error.slug : error.message;
      return new Response(null, { status: 500, headers: { outcome: slug } });
    });
  const request = new Request(ORIGIN + path, { method, headers });
  // The rule reads nothing of a call but its request and its path.
  const answer = await app.fetch(request, { call: { request, path } as Call });
  return answer.headers.get('outcome');
}
