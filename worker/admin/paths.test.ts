// Any text in the place of an id: it is an unknown id, never an error, and never the row of another organisation.
import { env } from 'cloudflare:workers';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { OPERATOR_SECRET } from '../test/faults.ts';
import { ORIGIN, callWith, givenOrganisation, givenSession, givenToken } from '../test/harness.ts';

const HOSTILE = [
  "' OR 1=1 --",
  '" OR ""="',
  '%',
  '_%',
  '*',
  '..',
  '../../tokens',
  '%00',
  '\0',
  '\r\nx-evil: 1',
  '${7*7}',
  '{{7*7}}',
  '__proto__',
  'null',
  'undefined',
  'NaN',
  '-1',
  '9007199254740993',
  'Ａ',
  '\u202e',
  'x'.repeat(3000),
];
const ids = fc
  .oneof(fc.constantFrom(...HOSTILE), fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }))
  // The parser of URLs walks up on these before any program sees them.
  .filter((id) => !/^\.{1,2}$/.test(id) && id.isWellFormed());

const send = (method: string, path: string, headers: Record<string, string>, body?: string) =>
  callWith({ OPERATOR_SECRET }, path, {
    method,
    headers: { origin: ORIGIN, 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body }),
  });

async function rows(): Promise<string> {
  const results = await env.DB.batch(
    ['organisations', 'members', 'tokens', "events WHERE action <> 'access.refused'"].map((table) =>
      env.DB.prepare(`SELECT * FROM ${table}`),
    ),
  );
  return JSON.stringify(results.map((result) => result.results));
}

it('is answered as not found by the routes of the dashboard, raw and encoded', async () => {
  const organisation = await givenOrganisation();
  await givenToken(organisation);
  const session = await givenSession();
  const before = await rows();
  await fc.assert(
    fc.asyncProperty(ids, fc.boolean(), async (id, raw) => {
      const written = raw ? id.replaceAll(/[/?#\\\s\0]/g, '') || 'x' : encodeURIComponent(id);
      const statuses = [];
      for (const [method, path, body] of [
        ['GET', `/api/organisations/${written}/tokens`],
        ['GET', `/api/organisations/${written}/activity`],
        ['POST', `/api/organisations/${written}/tokens`, '{}'],
        ['PATCH', `/api/organisations/${organisation}/tokens/${written}`, '{"name":"X"}'],
      ] as const) {
        statuses.push((await send(method, path, session, body)).status);
      }
      expect(statuses).toEqual([404, 404, 404, 404]);
    }),
    { numRuns: 50 },
  );
  expect(await rows()).toBe(before);
});

it('is refused by the operator, or an organisation or member that is not there', async () => {
  const organisation = await givenOrganisation();
  const operator = { authorization: `Bearer ${OPERATOR_SECRET}` };
  const before = await rows();
  await fc.assert(
    fc.asyncProperty(
      ids.filter((id) => !/^[\w.~-]+$/.test(id)),
      async (id) => {
        const written = encodeURIComponent(id);
        const place = `/operator/organisations/${written}`;
        const statuses = [
          (await send('GET', place, operator)).status,
          (await send('PUT', place, operator, '{"name":"A","plan":"pro"}')).status,
          (await send('GET', `${place}/members`, operator)).status,
          (await send('PUT', `/operator/organisations/${organisation}/members/${written}`, operator)).status,
        ];
        expect(statuses).toEqual([404, 422, 404, 422]);
      },
    ),
    { numRuns: 50 },
  );
  expect(await rows()).toBe(before);
});

it('is a cursor that is refused, or an empty page', async () => {
  const operator = { authorization: `Bearer ${OPERATOR_SECRET}` };
  await fc.assert(
    fc.asyncProperty(
      ids.filter((id) => !/^\d+$/.test(id)),
      async (id) => {
        // A member of its own: reads of the activity are limited by the minute.
        const email = `${crypto.randomUUID()}@example.com`;
        const organisation = await givenOrganisation('enterprise', [email]);
        const session = await givenSession(email);
        const written = encodeURIComponent(id);
        const activity = `/api/organisations/${organisation}/activity`;
        expect((await send('GET', `${activity}?before=${written}`, session)).status).toBe(422);
        expect([200, 422]).toContain((await send('GET', `${activity}?actor=${written}`, session)).status);
        expect((await send('GET', `${activity}?action=${written}`, session)).status).toBe(422);
        expect((await send('GET', `/operator/organisations?after=${written}`, operator)).status).toBe(200);
      },
    ),
    { numRuns: 40 },
  );
});
