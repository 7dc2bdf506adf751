// What a gateway is told beside the status: never to keep the answer for another caller, and never anything but a status that
// it knows.
import { env } from 'cloudflare:workers';
import { expect, it } from 'vitest';
import type { Env } from '../deployment/env.ts';
import { bearer, callAt, givenOrganisation, givenToken } from '../test/harness.ts';

const verify = (headers: HeadersInit, changed: Partial<Env> = {}) =>
  callAt({ ...env, ...changed }, '/verify', { headers });

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
