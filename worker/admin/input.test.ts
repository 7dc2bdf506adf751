// Whatever is sent as a body: the fields that the contract names are taken, everything else is refused, nothing changes.
import { env } from 'cloudflare:workers';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { ORIGIN, call, givenOrganisation, givenSession, givenToken } from '../test/harness.ts';

const FOREIGN = [
  'id',
  'hash',
  'preview',
  'plan',
  'organisation',
  'organisationId',
  'organisation_id',
  'createdBy',
  'created_by',
  'createdAt',
  'lastUsedAt',
  'secret',
  'email',
  'role',
  'limit',
  '__proto__',
  'constructor',
  'prototype',
  'Name',
  'ACTIVE',
  'active ',
  'toString',
  '',
];

async function everything(organisation: string): Promise<string> {
  const [tokens, events] = await env.DB.batch([
    env.DB.prepare('SELECT * FROM tokens WHERE organisation_id = ?').bind(organisation),
    env.DB.prepare('SELECT * FROM events WHERE organisation_id = ?').bind(organisation),
  ]);
  return JSON.stringify([tokens?.results, events?.results]);
}

async function send(method: string, path: string, cookie: string, body: BodyInit): Promise<Response> {
  return call(path, {
    method,
    headers: { cookie, origin: ORIGIN, 'content-type': 'application/json' },
    body,
  });
}

it('refuses mass assignment: a foreign field beside good ones, with any value, on create and on change', async () => {
  const organisation = await givenOrganisation();
  const { cookie } = await givenSession();
  const { id } = await givenToken(organisation);
  const path = `/api/organisations/${organisation}/tokens`;
  const before = await everything(organisation);
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...FOREIGN),
      fc.jsonValue({ maxDepth: 3 }),
      fc.boolean(),
      fc.boolean(),
      async (field, value, creates, leads) => {
        const good = creates ? '"name":"Good"' : '"active":false,"name":"Good"';
        const foreign = `${JSON.stringify(field)}:${JSON.stringify(value)}`;
        const body = `{${leads ? `${foreign},${good}` : `${good},${foreign}`}}`;
        const answer = creates
          ? await send('POST', path, cookie, body)
          : await send('PATCH', `${path}/${id}`, cookie, body);
        expect(answer.status).toBe(422);
        expect(await answer.json()).toMatchObject({ detail: `Field "${field}": unknown` });
      },
    ),
    { numRuns: 150 },
  );
  expect(await everything(organisation)).toBe(before);
});

it('refuses any value of a wrong type', async () => {
  const organisation = await givenOrganisation();
  const { cookie } = await givenSession();
  const { id } = await givenToken(organisation);
  const path = `/api/organisations/${organisation}/tokens`;
  const before = await everything(organisation);
  const value = fc.jsonValue({ maxDepth: 2 });
  const noBoolean = value.filter((json) => typeof json !== 'boolean');
  const noName = value.filter((json) => typeof json !== 'string' && json !== null);
  await fc.assert(
    fc.asyncProperty(noBoolean, noName, async (active, name) => {
      const change = await send('PATCH', `${path}/${id}`, cookie, JSON.stringify({ active }));
      expect(await change.json()).toMatchObject({ status: 422, detail: 'Field "active": not a boolean' });
      const create = await send('POST', path, cookie, JSON.stringify({ name }));
      expect(await create.json()).toMatchObject({ status: 422, detail: 'Field "name": not a string' });
    }),
    { numRuns: 60 },
  );
  expect(await everything(organisation)).toBe(before);
});

it('refuses bytes that are not a JSON object, and never answers 500', async () => {
  const organisation = await givenOrganisation();
  const { cookie } = await givenSession();
  const path = `/api/organisations/${organisation}/tokens`;
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.uint8Array({ maxLength: 64 }),
        fc.json().map((text) => new TextEncoder().encode(`[${text}]`)),
      ),
      async (bytes) => {
        const answer = await send('POST', path, cookie, new Uint8Array(bytes));
        expect(answer.status).toBe(422);
        expect(answer.headers.get('content-type')).toBe('application/problem+json');
      },
    ),
    { numRuns: 100 },
  );
  expect(await everything(organisation)).toBe('[[],[]]');
});

it('refuses text that is not UTF-8', async () => {
  const organisation = await givenOrganisation();
  const { cookie } = await givenSession();
  const bytes = Uint8Array.from([...new TextEncoder().encode('{"name":"'), 0xff, 0x22, 0x7d]);
  const answer = await send('POST', `/api/organisations/${organisation}/tokens`, cookie, bytes);
  expect(answer.status).toBe(422);
});

it('stops reading a streamed body after 16 KiB', async () => {
  const organisation = await givenOrganisation();
  const { cookie } = await givenSession();
  let sent = 0;
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      sent += 1024;
      if (sent > 1024 * 1024) throw new Error('the reader did not stop');
      controller.enqueue(new Uint8Array(1024).fill(0x20));
    },
  });
  const answer = await send('POST', `/api/organisations/${organisation}/tokens`, cookie, endless);
  expect(answer.status).toBe(413);
  expect(sent).toBeLessThan(1024 * 1024);
});

it('keeps a name as it was typed', async () => {
  const organisation = await givenOrganisation();
  const { cookie } = await givenSession();
  const { id } = await givenToken(organisation);
  for (const name of [
    ' padded ',
    'Größe 日本語',
    "Robert'); DROP TABLE tokens;--",
    '<b>x</b>',
    'x'.repeat(50),
  ]) {
    const path = `/api/organisations/${organisation}/tokens/${id}`;
    const answer = await send('PATCH', path, cookie, JSON.stringify({ name }));
    expect(await answer.json()).toMatchObject({ token: { name } });
  }
});
