// Other Workers of the account: one that verifies tokens, made of the two blocks of docs/other-workers.md, and one that is
// bound as UPSTREAM.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { unstable_readConfig as readConfig } from 'wrangler';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDeployment, ZONE, type Deployment } from './deployment.ts';
import { bundleWorker } from '../scripts/bundle.ts';
import type { Bindings, WorkerOptions } from './isolates.ts';

const root = resolve(import.meta.dirname, '..');
/** Answers with the request that it got, or throws. */
const API = `export default {
  async fetch(request) {
    const { pathname, search } = new URL(request.url);
    if (pathname === '/v1/broken') throw new Error('the API is broken');
    const headers = Object.fromEntries(request.headers);
    return Response.json({ method: request.method, path: pathname + search, headers, body: await request.text() });
  },
};`;
let zone: Deployment;
let origin: string;

beforeAll(async () => {
  zone = await startDeployment({ UPSTREAM: { type: 'worker', worker: 'api' } }, [
    otherWorker(),
    worker('api', API, {}, '2026-11-01'),
  ]);
  origin = (await zone.miniflare.unsafeGetDirectURL('results')).origin;
});
afterAll(() => zone?.stop());

function block(page: string, language: string): string {
  const found = new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 's').exec(page)?.[1];
  if (found === undefined) throw new Error(`docs/other-workers.md has no ${language} block`);
  return found;
}

function otherWorker(): WorkerOptions {
  const page = readFileSync(join(root, 'docs/other-workers.md'), 'utf8');
  // Inside the project, so that it can import Hono.
  mkdirSync(join(root, '.tmp'), { recursive: true });
  const folder = mkdtempSync(join(root, '.tmp/other-worker-'));
  const config = join(folder, 'wrangler.toml');
  writeFileSync(join(folder, 'index.ts'), block(page, 'ts'));
  writeFileSync(
    config,
    `name = "results"\nmain = "index.ts"\ncompatibility_date = "2026-11-01"\n${block(page, 'toml')}`,
  );
  const { code } = bundleWorker({ config });
  const env: Bindings = {};
  const { services, compatibility_date: compatibilityDate = '' } = readConfig({ config });
  for (const { binding, service, entrypoint } of services ?? []) {
    env[binding] = {
      type: 'worker',
      worker: service,
      ...(entrypoint === undefined ? {} : { exportName: entrypoint }),
    };
  }
  rmSync(folder, { recursive: true });
  return worker('results', code, env, compatibilityDate);
}

function worker(name: string, code: string, env: Bindings, compatibilityDate: string): WorkerOptions {
  return {
    config: {
      name,
      compatibilityDate,
      manifest: { mainModule: 'index.js', modules: { 'index.js': { type: 'esm', contents: code } } },
      env,
    },
    dev: { unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }] },
  };
}

async function latest(authorization?: string): Promise<[status: number, body: unknown]> {
  const headers: HeadersInit = authorization === undefined ? {} : { authorization };
  const answer = await fetch(`${origin}/v1/results/latest`, { headers });
  return [answer.status, await answer.json()];
}

/** The status, and the reason of a refusal, of a call to another Worker with a token of these limits. */
async function askLimited(
  limits: object,
  { method = 'GET', path = '/v1/results/latest', headers = {} },
): Promise<[status: number, reason: string | undefined]> {
  const token = await zone.givenToken();
  await zone.write('PATCH', token.path, limits);
  const answer = await fetch(origin + path, {
    method,
    headers: { ...headers, authorization: `Bearer ${token.secret}` },
  });
  const text = await answer.text();
  return [answer.status, /"error":"([^"]*)"/.exec(text)?.[1]];
}

describe('another Worker, with the code of the page', () => {
  it('answers the holder of a token and knows the organisation', async () => {
    const { organisation, secret } = await zone.givenToken();
    expect(await latest(`Bearer ${secret}`)).toEqual([200, { of: organisation }]);
  });

  it('refuses a caller without a token', async () => {
    const refused = [401, { error: 'invalid-token' }];
    expect(await latest()).toEqual(refused);
    expect(await latest('Bearer made-up')).toEqual(refused);
    expect(await latest('Basic YTpi')).toEqual(refused);
  });

  it('refuses a token from the moment that it is switched off, and accepts it again when it is on', async () => {
    const { path, secret } = await zone.givenToken();
    expect((await latest(`Bearer ${secret}`))[0]).toBe(200);
    await zone.write('PATCH', path, { active: false });
    expect(await latest(`Bearer ${secret}`)).toEqual([401, { error: 'invalid-token' }]);
    await zone.write('PATCH', path, { active: true });
    expect((await latest(`Bearer ${secret}`))[0]).toBe(200);
    await zone.write('DELETE', path);
    expect((await latest(`Bearer ${secret}`))[0]).toBe(401);
  });

  const SHOP = 'https://shop.example';
  const NETWORK = { networks: ['203.0.113.0/24'] };
  const from = (address: string) => ({ headers: { 'cf-connecting-ip': address } });
  it.each([
    ['a read', { access: 'read' }, {}, [200, undefined]],
    ['a write', { access: 'read' }, { method: 'POST' }, [403, 'access-denied']],
    ['a path of its own', { paths: ['/v1/results'] }, {}, [200, undefined]],
    ['another path', { paths: ['/v1/events'] }, {}, [403, 'access-denied']],
    [
      'a path that servers read in different ways',
      { paths: ['/v1/results'] },
      { path: '/v1/results/..%2fadmin' },
      [403, 'access-denied'],
    ],
    ['a network of its own', NETWORK, from('203.0.113.7'), [200, undefined]],
    ['another network', NETWORK, from('198.51.100.7'), [401, 'invalid-token']],
    ['an unknown network', NETWORK, {}, [401, 'invalid-token']],
    ['its website', { origins: [SHOP] }, { headers: { origin: SHOP } }, [200, undefined]],
    [
      'another website',
      { origins: [SHOP] },
      { headers: { origin: 'https://other.example' } },
      [401, 'invalid-token'],
    ],
    ['a server', { origins: [SHOP] }, {}, [200, undefined]],
  ])('judges a limited token by the call: %s', async (_, limits, asked, expected) => {
    expect(await askLimited(limits, asked)).toEqual(expected);
  });

  it('gives different answers for a paused organisation, a lost plan, an unreadable database and a bad token', async () => {
    const { organisation, secret } = await zone.givenToken();
    const { secret: unseen } = await zone.givenToken();
    await zone.write('POST', `/operator/organisations/${organisation}/pause`);
    expect(await latest(`Bearer ${secret}`)).toEqual([403, { error: 'organisation-paused' }]);
    await zone.write('POST', `/operator/organisations/${organisation}/resume`);
    await zone.write('PUT', `/operator/organisations/${organisation}`, { name: 'Acme', plan: 'pro' });
    expect(await latest(`Bearer ${secret}`)).toEqual([403, { error: 'enterprise-plan-required' }]);
    const db = await zone.miniflare.getD1Database('DB', ZONE);
    await db.prepare('ALTER TABLE tokens RENAME TO tokens_away').run();
    expect(await latest(`Bearer ${unseen}`)).toEqual([503, { error: 'verification-unavailable' }]);
    await db.prepare('ALTER TABLE tokens_away RENAME TO tokens').run();
  });
});

describe('a Worker that is bound as UPSTREAM', () => {
  it('gets only calls with good tokens, with the identity of the caller and without the secret', async () => {
    const { id, organisation, path, secret } = await zone.givenToken();
    const send = () =>
      fetch(`${zone.origin}/v1/hello?x=1`, {
        method: 'POST',
        body: 'hello',
        headers: { authorization: `Bearer ${secret}`, 'x-organisation-id': 'forged', cookie: 'a=b' },
      });
    const answer = await send();
    expect(answer.status).toBe(200);
    const text = await answer.text();
    expect(JSON.parse(text)).toMatchObject({
      method: 'POST',
      path: '/v1/hello?x=1',
      body: 'hello',
      headers: {
        'x-organisation-id': organisation,
        'x-organisation-plan': 'enterprise',
        'x-token-id': id,
        'x-request-id': answer.headers.get('x-request-id'),
      },
    });
    expect(text).not.toMatch(/forged|a=b/);
    expect(text).not.toContain(secret);
    await zone.write('PATCH', path, { active: false });
    expect((await send()).status).toBe(401);
  });

  it('that throws is 502, and the answer does not say why', async () => {
    const { secret } = await zone.givenToken();
    const answer = await fetch(`${zone.origin}/v1/broken`, {
      headers: { authorization: `Bearer ${secret}` },
    });
    expect(answer.status).toBe(502);
    expect(await answer.text()).not.toContain('the API is broken');
  });
});
