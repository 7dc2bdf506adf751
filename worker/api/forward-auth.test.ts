// What a gateway is told about a credential: who calls, never to keep the answer for another caller, and never anything but a
// status that it knows.
import { describe, expect, it } from 'vitest';
import type { Env } from '../deployment/env.ts';
import { bearer, callWith, givenOrganisation, givenToken } from '../test/harness.ts';

const verify = (headers: HeadersInit, changed: Partial<Env> = {}) =>
  callWith(changed, '/verify', { headers });

describe('forward-auth', () => {
  it.each(['GET', 'POST', 'DELETE', 'OPTIONS', 'PROPFIND'])(
    'accepts by %s, naming the caller',
    async (method) => {
      const organisationId = await givenOrganisation();
      const token = await givenToken(organisationId);
      const answer = await callWith({}, '/verify', { method, headers: bearer(token.secret) });
      expect(answer.status).toBe(200);
      expect(answer.headers.get('x-organisation-id')).toBe(organisationId);
      expect(answer.headers.get('x-organisation-plan')).toBe('enterprise');
      expect(answer.headers.get('x-token-id')).toBe(token.id);
    },
  );

  const NAMES = ['x-organisation-id', 'x-organisation-plan', 'x-token-id'];
  const PATHS = [
    '/',
    '/healthz',
    '/docs',
    '/docs/docs.css',
    '/openapi.json',
    '/llms.txt',
    '/sign-in',
    '/v1/ping',
    '/v1/events/7?page=2',
    '/verify',
    '/verify/../healthz',
    '/verify/%2e%2e/docs',
    '/results\\..\\..\\healthz',
    '/api/session',
    '/operator/organisations',
    '/introspect',
    '/robots.txt',
    '/favicon.svg',
    '/nowhere',
  ];

  it.each(PATHS)('is the only answer of the host of forward-auth: %s', async (path) => {
    const token = await givenToken(await givenOrganisation());
    for (const host of ['verify.example', 'verify.example:8443', 'verify.example.']) {
      const ask = (variables: Partial<Env>, init: RequestInit = {}) =>
        callWith({ VERIFY_HOST: 'verify.example', ...variables }, `https://${host}${path}`, init);
      for (const method of ['GET', 'POST', 'OPTIONS']) {
        const good = await ask({}, { method, headers: bearer(token.secret) });
        expect([good.status, good.headers.get('x-token-id')]).toEqual([200, token.id]);
        const forged = await ask({}, { method, headers: { 'x-organisation-id': 'acme' } });
        expect([forged.status, ...NAMES.map((name) => forged.headers.get(name))]).toEqual([401, '', '', '']);
      }
      expect((await ask({ TAG_KEYS: '{}' })).status).toBe(503);
    }
  });

  it('is at exactly /verify on every other host; no path below it is answered by forward-auth', async () => {
    const { secret } = await givenToken(await givenOrganisation());
    const headers = bearer(secret);
    for (const host of ['localhost', 'verify.example.evil.example', 'another.verify.example']) {
      const ask = (path: string) =>
        callWith({ VERIFY_HOST: 'verify.example', ORIGINS: '' }, `https://${host}${path}`, { headers });
      for (const path of ['/verify/', '/verify/events/7', '/verify/../verify/x', '/verifyevents']) {
        expect((await ask(path)).status).toBe(404);
      }
      expect((await ask('/verify')).status).toBe(200);
      expect((await ask('/healthz')).status).toBe(200);
    }
  });

  it.each([
    ['no credential', {}, 401],
    ['a malformed one, which nginx would turn into a 500', { authorization: 'Bearer a, Bearer b' }, 401],
    ['an unknown token', { authorization: 'Bearer x' }, 401],
  ])('refuses %s with empty identity headers', async (_, headers, status) => {
    const answer = await callWith({}, '/verify', { headers: { ...headers, 'x-organisation-id': 'forged' } });
    expect(answer.status).toBe(status);
    for (const name of ['x-organisation-id', 'x-organisation-plan', 'x-token-id']) {
      expect(answer.headers.get(name)).toBe('');
    }
    expect(answer.headers.get('www-authenticate')).toContain('Bearer realm="api"');
  });

  it('answers 403 for an organisation that is no longer on Enterprise, and 503 when the database cannot be reached', async () => {
    const { secret } = await givenToken(await givenOrganisation('pro'));
    const other = await callWith({}, '/verify', { headers: bearer(secret) });
    expect(other.status).toBe(403);
    expect(other.headers.get('x-organisation-id')).toBe('');
    const broken = await callWith({ TAG_KEYS: '{}' }, '/verify', { headers: bearer(secret) });
    expect(broken.status).toBe(503);
    expect(broken.headers.get('x-organisation-id')).toBe('');
    expect(broken.headers.has('retry-after')).toBe(true);
  });
});

it('always says that the answer depends on the credential and must not be stored', async () => {
  const { secret } = await givenToken(await givenOrganisation());
  const { secret: paused } = await givenToken(await givenOrganisation(), false);
  const answers = [await verify(bearer(secret)), await verify(bearer(paused)), await verify({})];
  expect(answers.map(({ status }) => status)).toEqual([200, 401, 401]);
  for (const { headers } of answers) {
    expect(headers.get('vary')).toBe('Authorization, X-API-Key');
    expect(headers.get('cache-control')).toBe('no-store');
  }
});

it('answers 503 for an unexpected failure, because gateways do not pass on a 500', async () => {
  const { secret } = await givenToken(await givenOrganisation());
  const broken = {
    idFromName: () => {
      throw new Error('planted');
    },
  };
  // A binding that fails before it answers a promise.
  const hubs = { CHANGE_HUB: broken as unknown as Env['CHANGE_HUB'] };
  const database = {
    DB: {
      prepare: () => {
        throw new Error('planted');
      },
    } as unknown as D1Database,
  };
  const answer = await verify(bearer(secret), { ...hubs, ...database });
  expect(answer.status).toBe(503);
  expect(answer.headers.get('retry-after')).toBe('1');
  expect(answer.headers.get('x-organisation-id')).toBe('');
});
