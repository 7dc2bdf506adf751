// A deployment is opened once, and found at fault before anything is answered.
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { serverCall, callAt } from '../test/harness.ts';
import { openDeployment } from './deployment.ts';
import type { Env } from './env.ts';

describe('a deployment', () => {
  it('is opened once: its settings are read by the first call alone', () => {
    let reads = 0;
    const counted = new Proxy(env as Env, {
      get(target, name, receiver) {
        reads++;
        return Reflect.get(target, name, receiver) as unknown;
      },
    });
    const deployment = openDeployment(counted);
    expect(reads).toBeGreaterThan(0);
    reads = 0;
    expect(openDeployment(counted)).toBe(deployment);
    expect(deployment.settings.leaseMs).toBe(100);
    expect(reads).toBe(0);
    expect(openDeployment({ ...env })).not.toBe(deployment);
  });

  it.each<[string, Partial<Env>]>([
    ['OIDC_CLIENT_ID: not set', { OIDC_ISSUER: 'https://issuer.example' }],
    ['OIDC_ISSUER: not a URL', { OIDC_ISSUER: 'issuer', OIDC_CLIENT_ID: 'zone' }],
    ['INTROSPECTION_CLIENTS: not a JSON object', { INTROSPECTION_CLIENTS: '["a client"]' }],
    ['INTROSPECTION_CLIENTS: a secret is shorter', { INTROSPECTION_CLIENTS: '{"a":1}' }],
  ])('is refused from the first call on, whatever is asked: %s', async (fault, settings) => {
    const at: Env = { ...env, ...settings };
    for (const path of ['/v1/ping', '/sign-in', '/api/session', '/api/sign-in/methods', '/operator/status']) {
      const answer = await callAt(at, path);
      expect([path, answer.status]).toEqual([path, 500]);
      expect(await answer.json()).toMatchObject({ detail: expect.stringContaining(fault) as string });
    }
  });

  it('accepts and refuses no token over RPC either while its settings are at fault', async () => {
    const { verify } = openDeployment({ ...env, LIBSQL_URL: 'libsql://database.example' });
    await expect(verify('9p', serverCall())).rejects.toThrow('LIBSQL_URL');
  });
});
