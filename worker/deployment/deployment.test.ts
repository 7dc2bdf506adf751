// A deployment is opened once, and found at fault before anything is answered.
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { callAt, callWith, serverCall } from '../test/harness.ts';
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

describe('a deployment that is set up wrongly', () => {
  it.each([
    ['UPSTREAM_URL', 'not a url'],
    ['UPSTREAM_URL', 'https://api.example/path'],
    ['UPSTREAM_URL', 'file:///etc/passwd'],
    ['UPSTREAM_URL', 'http://api.example'],
    ['ORIGINS', 'zone.example'],
    ['ORIGINS', 'http://zone.example'],
    ['ORIGINS', 'https://zone.example/'],
    ['ORIGINS', 'https://ZONE.example'],
    ['ORIGINS', 'https://zone.example:443'],
    ['ORIGINS', 'https://zone.example,,https://b.example'],
    ['ORIGINS', 'https://*.zone.example'],
    ['HSTS_SUBDOMAINS', 'true'],
    ['CONTACT_URL', 'javascript:alert(1)'],
    ['UPSTREAM_TIMEOUT_MS', 'soon'],
    ['REVOCATION_LEASE_MS', '-77'],
    ['JURISDICTION', 'mars'],
    ['JURISDICTION', 'EU'],
    ['HUB_LEASE_MS', 'often'],
    // Shorter than the lease of its own isolates (100 ms in these tests).
    ['HUB_LEASE_MS', '99'],
    ['DATABASE_EPOCH', '-1'],
    ['DATABASE_EPOCH', 'second'],
    ['REVOCATION_LEASE_MS_BEFORE', '1s'],
    ['HUB_LEASE_MS_BEFORE', '10s'],
    ['OPERATOR_SECRET', 'x'.repeat(31)],
    ['OPERATOR_SECRET', 'thirty two characters with spaces'],
    ['OPERATOR_SECRET', `${'x'.repeat(32)}ü`],
    ['OPERATOR_SECRET_NEXT', 'x'.repeat(31)],
    ['OPERATOR_SECRET_NEXT', `${'x'.repeat(32)} `],
    ['UPSTREAM_SECRET', 'too-short'],
    ['VERIFY_HOST', 'https://verify.example'],
    ['VERIFY_HOST', 'verify.example:8443'],
    ['VERIFY_HOST', 'verify.example/verify'],
    ['VERIFY_HOST', 'Verify.example'],
    ['VERIFY_HOST', 'verify.example.'],
    ['VERIFY_HOST', 'two hosts'],
    ['UPSTREAM_SECRET', `${'x'.repeat(32)}\n`],
    ['CORS_ORIGINS', 'https://site.example/path'],
    ['CORS_ORIGINS', 'site.example'],
    ['CORS_ORIGINS', 'capacitor://localhost/path'],
    ['CORS_ORIGINS', 'javascript:alert(1)'],
    ['CORS_ORIGINS', 'https://Site.example'],
    ['UPSTREAM_REQUEST_HEADERS', 'X_Token_Id'],
    ['UPSTREAM_REQUEST_HEADERS', 'x-*-y'],
    ['UPSTREAM_ANSWER_HEADERS', 'Set-Cookie'],
    ['INTROSPECTION_CLIENTS', 'no-json'],
    ['INTROSPECTION_CLIENTS', '{"a":"too-short"}'],
    ['OIDC_ISSUER', 'http://issuer.example'],
    ['TAG_KEYS', '{"1":"too-short"}'],
    ['LIBSQL_URL', 'no url'],
    ['LIBSQL_URL', 'http://database.example'],
    ['LIBSQL_URL', 'wss://database.example'],
    ['LIBSQL_URL', 'libsql://database.example?authToken=abc'],
    ['LIBSQL_URL', 'https://user:word@database.example'],
    // A good one: these tests run the Worker for D1.
    ['LIBSQL_URL', 'libsql://database.example'],
  ])('names %s, and never its value %s', async (name, value) => {
    const answer = await callWith({ [name]: value }, '/v1/ping');
    expect(answer.status).toBe(500);
    // The id is random, and may hold a short value by chance.
    const { requestId, ...problem } = await answer.json<Record<string, unknown>>();
    const text = JSON.stringify(problem);
    expect(requestId).not.toBe(value);
    expect(text).toContain('#misconfigured');
    expect(text).toContain(name);
    expect(text).not.toContain(value);
    // Where the host of forward-auth cannot be told, it may be this one, and a 200 would let a call pass.
    expect((await callWith({ [name]: value }, '/healthz')).status).toBe(name === 'VERIFY_HOST' ? 500 : 200);
  });

  it('says what to do when a Worker was built for D1 and LIBSQL_URL is set', async () => {
    const answer = await callWith({ LIBSQL_URL: 'libsql://database.example' }, '/v1/ping');
    expect(await answer.json()).toMatchObject({
      detail: expect.stringContaining('Run "npm run deploy" with LIBSQL_URL in its environment') as string,
    });
  });
});
