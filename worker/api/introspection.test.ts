// Introspection beside what its caller sees: a token that goes meanwhile, and the line in the log.
import { env } from 'cloudflare:workers';
import { afterEach, expect, it, vi } from 'vitest';
import { callAt, givenOrganisation, givenToken } from '../test/harness.ts';

const CLIENT_SECRET = 'client-secret-for-tests-0123456789abcdef';
/** Long leases: what an isolate has remembered stays good during a test. */
const deployment = {
  ...env,
  INTROSPECTION_CLIENTS: JSON.stringify({ client: CLIENT_SECRET }),
  REVOCATION_LEASE_MS: '60000',
  HUB_LEASE_MS: '60000',
};
afterEach(() => vi.restoreAllMocks());

const introspect = (secret: string) =>
  callAt(deployment, '/introspect', {
    method: 'POST',
    headers: {
      authorization: `Basic ${btoa(`client:${CLIENT_SECRET}`)}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: `token=${secret}`,
  });

it('answers {"active":false} about a token that is deleted after it was verified', async () => {
  const { id, secret } = await givenToken(await givenOrganisation());
  expect(await (await introspect(secret)).json()).toMatchObject({ active: true });
  await env.DB.prepare('DELETE FROM tokens WHERE id = ?').bind(id).run();
  const answer = await introspect(secret);
  expect([answer.status, await answer.text()]).toEqual([200, '{"active":false}']);
});

it('logs the token that was asked about, and the reason if it was refused', async () => {
  const organisationId = await givenOrganisation();
  const { id, secret } = await givenToken(organisationId);
  const printed: string[] = [];
  vi.spyOn(console, 'log').mockImplementation((text: string) => {
    printed.push(text);
  });
  await introspect(secret);
  expect(printed.map((text): unknown => JSON.parse(text))).toEqual([
    expect.objectContaining({ route: '/introspect', status: 200, organisationId, tokenId: id }),
  ]);
});
