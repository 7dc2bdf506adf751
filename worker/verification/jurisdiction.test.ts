// A deployment that is kept in a jurisdiction: one hub for all of the world, and no KV. workerd has no jurisdictions ("not
// implemented in workerd"), so that the namespace is wrapped: what is asked of `jurisdiction("eu")` is a real hub of its own.
import { env } from 'cloudflare:workers';
import { describe, expect, it, vi } from 'vitest';
import { openDeployment } from '../deployment/deployment.ts';
import type { Env } from '../deployment/env.ts';
import {
  ORIGIN,
  bearer,
  givenOrganisation,
  givenSession,
  givenToken,
  serverCall,
  callAt,
} from '../test/harness.ts';
import { operate } from '../test/operate.ts';

const CALLERS = [{ continent: 'NA', longitude: '-122.4' }, { continent: 'OC' }, { continent: 'EU' }] as const;

/** The settings of such a deployment. `asked`: the hubs that were asked for; `kv`: what was called of KV. */
function givenJurisdiction() {
  const asked: unknown[] = [];
  const kv: string[] = [];
  const CHANGE_HUB = new Proxy(env.CHANGE_HUB, {
    get(hubs, name) {
      if (name === 'jurisdiction')
        return (jurisdiction: string) => ({
          getByName: (...args: unknown[]) => {
            asked.push([jurisdiction, ...args]);
            return hubs.getByName(`of-${jurisdiction}`);
          },
        });
      return (...args: unknown[]): unknown => {
        asked.push([String(name), ...args]);
        const value: unknown = Reflect.get(hubs, name);
        return typeof value === 'function' ? Reflect.apply(value, hubs, args) : value;
      };
    },
  });
  const TOKEN_CACHE = new Proxy(env.TOKEN_CACHE, {
    get: (_, name) => () => {
      kv.push(String(name));
      throw new Error('KV is not for this deployment');
    },
  });
  const settings = { JURISDICTION: 'eu', CHANGE_HUB, TOKEN_CACHE, REVOCATION_LEASE_MS: '200' };
  return { settings, asked, kv };
}

const statusOf = async (deployment: Env, secret: string, cf: RequestInit['cf']): Promise<number> =>
  (await callAt(deployment, '/v1/ping', { headers: bearer(secret), ...(cf === undefined ? {} : { cf }) }))
    .status;

describe('in a jurisdiction', () => {
  it('a token that was switched off is refused by every isolate after the answer, and accepted when it is on again', async () => {
    const { settings, asked, kv } = givenJurisdiction();
    const organisation = await givenOrganisation();
    const { id, secret } = await givenToken(organisation);
    // An isolate for each caller, all of them warm under a lease.
    const isolates = CALLERS.map((cf) => ({ cf, deployment: { ...env, ...settings } }));
    const statuses = () =>
      Promise.all(isolates.map(({ deployment, cf }) => statusOf(deployment, secret, cf)));
    expect(await statuses()).toEqual([200, 200, 200]);
    const headers = { ...(await givenSession()), origin: ORIGIN, 'content-type': 'application/json' };
    const path = `/api/organisations/${organisation}/tokens/${id}`;
    for (const active of [false, true]) {
      asked.length = 0;
      const isWarm = () =>
        isolates.every(
          ({ deployment }) => !(openDeployment(deployment).verify(secret, serverCall()) instanceof Promise),
        );
      await vi.waitUntil(async () => (await statuses()) && isWarm(), { timeout: 10_000 });
      const writer = { ...env, ...settings };
      const answer = await callAt(writer, path, {
        method: 'PATCH',
        headers,
        body: JSON.stringify({ active }),
      });
      expect(answer.status).toBe(200);
      const expected = active ? 200 : 401;
      for (let round = 0; round < 5; round++)
        expect(await statuses()).toEqual([expected, expected, expected]);
      // One hub, in the jurisdiction, without a hint: for calls and for the change.
      expect(new Set(asked.map((each) => JSON.stringify(each)))).toEqual(new Set(['["eu","eu"]']));
    }
    expect(kv).toEqual([]);
  });

  it('a change is sent only to the one hub, and the status names it', async () => {
    const { settings, asked, kv } = givenJurisdiction();
    const organisation = await givenOrganisation();
    await givenToken(organisation);
    const answer = await operate(
      'PUT',
      `/organisations/${organisation}`,
      { name: 'A', plan: 'pro' },
      settings,
    );
    expect(answer.status).toBe(200);
    expect(asked).toEqual([['eu', 'eu']]);
    expect(kv).toEqual([]);
    const status = await operate('GET', '/status', undefined, settings);
    const { hubs } = await status.json<{ hubs: object[] }>();
    expect(hubs).toEqual([expect.objectContaining({ region: 'eu', isReachable: true })]);
  });
});
