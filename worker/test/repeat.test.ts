// A change whose answer was lost has happened. A repeat may answer "done" only when the change holds at every
// other isolate, as after a first answer.
import { expect, it } from 'vitest';
import type { Env } from '../deployment/env.ts';
import { deploymentWith } from './faults.ts';
import { ORIGIN, bearer, callAt, givenOrganisation, givenSession, givenToken } from './harness.ts';
import { newIsolate } from './model.ts';

const LEASES = { REVOCATION_LEASE_MS: '1000', HUB_LEASE_MS: '10000' };

it.each([
  { method: 'DELETE', body: null, repeated: 404 },
  { method: 'PATCH', body: '{"active":false}', repeated: 200 },
])(
  'a repeat of $method whose first answer was lost is answered when the change holds everywhere',
  async ({ method, body, repeated }) => {
    const organisation = await givenOrganisation();
    const session = await givenSession();
    const { id, secret } = await givenToken(organisation);
    const other = newIsolate();
    const verify = async () => (await callAt(other, '/v1/ping', { headers: bearer(secret) })).status;
    const change = (deployment: Env, token = id) =>
      callAt({ ...deployment, ...LEASES }, `/api/organisations/${organisation}/tokens/${token}`, {
        method,
        headers: { ...session, origin: ORIGIN, 'content-type': 'application/json' },
        body,
      });
    expect(await verify()).toBe(200);
    // A change without effect shows which storage call makes the change.
    const probe = deploymentWith(null);
    await change(probe.env, crypto.randomUUID());
    const at = probe.calls.lastIndexOf('D1.batch');
    expect((await change(deploymentWith({ at, kind: 'unanswered' }).env)).status).toBe(503);
    expect((await change(deploymentWith(null).env)).status).toBe(repeated);
    expect(await verify()).toBe(401);
  },
);
