import { describe, expect, it } from 'vitest';
import { deploymentWith } from '../test/faults.ts';
import { ORIGIN, callAt, givenSession } from '../test/harness.ts';
import { admin } from './routes.ts';

/** Every route of the dashboard, read from the router: one that is added later is in here too. */
const routes = [
  ...new Set(
    admin.routes.filter(({ method }) => method !== 'ALL').map(({ method, path }) => `${method} ${path}`),
  ),
].map((route) => route.split(' ') as [method: string, path: string]);
const writes = routes.filter(([method]) => method !== 'GET');
/** The identity provider leads the window back from its own site: same-site.node.test.ts. */
const reads = routes.filter(([method, path]) => method === 'GET' && !path.endsWith('/oidc/callback'));

it('knows the reads and writes of the dashboard', () => {
  expect(reads).toContainEqual(['GET', '/api/organisations/:organisation/activity.csv']);
  expect(reads.length).toBeGreaterThanOrEqual(9);
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
    const answer = await callAt(env, path.replaceAll(':', ''), {
      method,
      headers: { ...(await givenSession()), 'content-type': 'application/json', ...headers },
      body: '{}',
    });
    expect(answer.status).toBe(403);
    expect((await answer.json<{ type: string }>()).type).toContain('#cross-site-request');
    expect(calls).toEqual([]);
  });
});

/** A window that is sent there, where a Lax cookie travels; and a script, which reads what a program reads. */
describe.each(reads)('%s %s', (method, path) => {
  it.each([
    ['a window of another site', 'cross-site', 'navigate', 'document'],
    ['a window of a sibling on the same site', 'same-site', 'navigate', 'document'],
    ['a script of another site', 'cross-site', 'cors', 'empty'],
    ['a script of a sibling on the same site', 'same-site', 'cors', 'empty'],
  ])('refuses a read from %s before it asks the storage anything', async (_, site, mode, destination) => {
    const { env, calls } = deploymentWith(null);
    const answer = await callAt(env, path.replaceAll(':', ''), {
      method,
      headers: {
        ...(await givenSession()),
        'sec-fetch-site': site,
        'sec-fetch-mode': mode,
        'sec-fetch-dest': destination,
      },
    });
    expect(answer.status).toBe(403);
    // In the type of a problem, or in the page's link to its meaning.
    expect(await answer.text()).toContain('/docs/problems#cross-site-request"');
    // The words of a page are a file of the dashboard, which is the same for everybody.
    expect(calls.filter((call) => call !== 'ASSETS.fetch')).toEqual([]);
  });
});
