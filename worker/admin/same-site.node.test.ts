import { Hono } from 'hono';
import { expect, it } from 'vitest';
import { Problem } from '../problem.ts';
import { isSameSite, requireSameSite } from './same-site.ts';

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
  // Nobody reads a body that names no type: worker/body.ts.
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

it.each([
  ['GET', 'https://evil.example', 'through'],
  ['HEAD', 'https://evil.example', 'through'],
  ...['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'].flatMap((method) => [
    [method, 'https://evil.example', 'cross-site-request'],
    [method, ORIGIN, 'through'],
  ]),
])('answers a %s from %s: %s', async (method, origin, expected) => {
  const app = new Hono()
    .use(requireSameSite)
    .all('*', (c) => c.body(null, 200, { outcome: 'through' }))
    .onError((error) => {
      const slug = error instanceof Problem ? error.slug : error.message;
      return new Response(null, { status: 500, headers: { outcome: slug } });
    });
  const answer = await app.request(new Request(`${ORIGIN}/api/x`, { method, headers: { origin } }));
  expect(answer.headers.get('outcome')).toBe(expected);
});
