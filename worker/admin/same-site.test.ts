import { createExecutionContext } from 'cloudflare:test';
import { describe, expect, it } from 'vitest';
import worker from '../index.ts';
import { deploymentWith } from '../test/faults.ts';
import { ORIGIN, givenSession } from '../test/harness.ts';
import { admin } from './routes.ts';

/** Every write of the dashboard's face, read from the face itself: one that is added later is in here too. */
const writes = [
  ...new Set(
    admin.routes
      .filter(({ method }) => !['GET', 'ALL'].includes(method))
      .map(({ method, path }) => `${method} ${path}`),
  ),
].map((write) => write.split(' ') as [method: string, path: string]);

it('knows the writes of the face', () => {
  expect(writes).toContainEqual(['DELETE', '/api/organisations/:organisation/tokens/:token']);
  expect(writes).toContainEqual(['POST', '/api/sign-in/link']);
  expect(writes.length).toBeGreaterThanOrEqual(8);
});

describe.each(writes)('%s %s', (method, path) => {
  it.each([
    ['another origin', { origin: 'https://evil.example' }],
    ['a sandboxed frame', { origin: 'null' }],
    ['a sibling site', { origin: 'http://sub.localhost', 'sec-fetch-site': 'same-site' }],
    ['a page without an Origin', {}],
    ['another site by its own word', { origin: ORIGIN, 'sec-fetch-site': 'cross-site' }],
    ['a form', { origin: ORIGIN, 'content-type': 'application/x-www-form-urlencoded' }],
    ['a no-cors fetch', { origin: ORIGIN, 'content-type': 'text/plain;charset=UTF-8' }],
  ])('refuses %s before it asks the storage anything', async (_, headers) => {
    const { env, calls } = deploymentWith(null);
    const answer = await worker.fetch(
      new Request(new URL(path.replaceAll(':', ''), ORIGIN), {
        method,
        headers: { ...(await givenSession()), 'content-type': 'application/json', ...headers },
        body: '{}',
      }),
      env,
      createExecutionContext(),
    );
    expect(answer.status).toBe(403);
    expect((await answer.json<{ type: string }>()).type).toContain('#cross-site-request');
    expect(calls).toEqual([]);
  });
});
