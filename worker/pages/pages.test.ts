// A page while storage fails: each call of it in turn. A person gets a page, never JSON, and never the data of another person.
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import type { Env } from '../deployment/env.ts';
import { deploymentWith } from '../test/faults.ts';
import { call, callAt, givenOrganisation, givenSession, givenToken, settledAt } from '../test/harness.ts';
import { PAGE_HEADERS } from './headers.ts';

const visit = (path: string, cookie: string, deployment: Env) =>
  settledAt(deployment, path, { headers: { cookie } });

/** Whether it is the page that says so, with nothing of anybody in it. */
async function isUnavailable(answer: Response): Promise<boolean> {
  expect(answer.status).toBe(503);
  expect(Object.fromEntries(answer.headers)).toMatchObject({
    ...PAGE_HEADERS,
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'retry-after': '2',
  });
  const text = await answer.text();
  return (
    text.includes('not available right now') && !text.includes('id="boot"') && !text.includes('@example')
  );
}

const TOKEN = '/developer-zone/tokens/some-id';

describe.each(['/developer-zone', TOKEN, '/activity', '/sessions', '/sign-in'])('%s', (page) => {
  it('is told as not available at whatever step storage fails, and comes back', async () => {
    const email = `${crypto.randomUUID()}@example.com`;
    const organisation = await givenOrganisation('enterprise', [email]);
    await givenToken(organisation);
    const { cookie } = await givenSession(email);
    const path = `${page}?organisation=${organisation}`;
    const clean = deploymentWith(null);
    const whole = await (await visit(path, cookie, clean.env)).text();
    expect(whole).toContain(email);
    expect(clean.calls).not.toEqual([]);
    expect(clean.calls).toContain('ASSETS.fetch');
    for (const at of clean.calls.keys()) {
      for (const kind of ['lost', 'unanswered'] as const)
        expect(await isUnavailable(await visit(path, cookie, deploymentWith({ at, kind }).env))).toBe(true);
      const slow = await visit(path, cookie, deploymentWith({ at, kind: 'slow' }).env);
      expect(await slow.text()).toBe(whole);
    }
  });

  it.each([
    ['are refused', () => Promise.reject(new Error('planted'))],
    ['answer an error of their own', () => Promise.resolve(new Response('planted', { status: 500 }))],
  ])('is told as not available when the files of the dashboard %s', async (_, fetch) => {
    const deployment = { ...deploymentWith(null).env, ASSETS: { fetch } as unknown as Fetcher };
    expect(await isUnavailable(await visit(page, '', deployment))).toBe(true);
  });
});

it('leads from / to the dashboard, in the organisation that was asked for', async () => {
  const answer = await visit('/?organisation=acme', '', deploymentWith(null).env);
  expect([answer.status, answer.headers.get('location')]).toEqual([302, '/developer-zone?organisation=acme']);
});

it.each(['/developer-zone', '/sign-in'])(
  '%s is never stored and tells the browser what it may do',
  async (page) => {
    const { cookie } = await givenSession();
    const answer = await visit(page, cookie, deploymentWith(null).env);
    expect(answer.status).toBe(200);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      ...PAGE_HEADERS,
      'cache-control': 'no-store',
    });
  },
);

it('shows names as text: none leaves the data of the page', async () => {
  const email = `${crypto.randomUUID()}@example.com`;
  const organisation = await givenOrganisation('enterprise', [email]);
  const name = '</script><script>x</script><!--';
  await env.DB.prepare('UPDATE organisations SET name = ? WHERE id = ?').bind(name, organisation).run();
  const { cookie } = await givenSession(email);
  const text = await (await visit('/developer-zone', cookie, deploymentWith(null).env)).text();
  const boot = /id="boot">(.*?)<\/script>/s.exec(text)?.[1] ?? '';
  expect(boot).not.toContain('<');
  expect(JSON.parse(boot).session.organisations[0].name).toBe(name);
});

const NAVIGATION = { headers: { 'sec-fetch-mode': 'navigate' } };

describe('a person whose browser goes to an address that shows nothing', () => {
  const go = (path: string, headers: Record<string, string> = {}) =>
    call(path, { headers: { 'sec-fetch-mode': 'navigate', ...headers } });

  it.each([
    ['/docs/nowhere', 404, 'This page doesn’t exist'],
    ['/docs/problems/nowhere', 404, 'This page doesn’t exist'],
    ['/nowhere', 404, 'This page doesn’t exist'],
    ['/operator', 404, 'This page doesn’t exist'],
    ['/v1', 404, 'This page doesn’t exist'],
    ['/v1/ping', 401, 'Authentication required'],
    ['/api/sign-out', 405, 'Method not allowed'],
    ['/api/session', 401, 'Sign-in required'],
    // The files that are the body of a refusal are no pages.
    ['/404', 404, 'This page doesn’t exist'],
    ['/problem', 404, 'This page doesn’t exist'],
    ['/unavailable', 404, 'This page doesn’t exist'],
  ])('%s answers %i with a page in the theme of the reader', async (path, status, heading) => {
    const answer = await go(path, { cookie: 'theme=dark' });
    expect(answer.status).toBe(status);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      ...PAGE_HEADERS,
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
    });
    const page = await answer.text();
    expect(page).toContain(`<h1>${heading}</h1>`);
    expect(page).toContain('<html lang="en" data-theme="dark">');
    expect(page).toContain('href="/developer-zone"');
    expect(page).toContain('href="/docs');
  });

  it('is told what a program is told: the reason, its meaning and the id of the request', async () => {
    const answer = await go('/v1/ping', { 'cf-ray': 'ray-1' });
    expect(answer.headers.get('www-authenticate')).toContain('Bearer');
    expect(answer.headers.get('x-request-id')).toBe('ray-1');
    const page = await answer.text();
    expect(page).toContain('<title>Authentication required</title>');
    expect(page).toContain('href="/docs/problems#authentication-required"');
    expect(page).toContain('Request ray-1');
  });

  it('is led on from an address with a slash too many', async () => {
    for (const [path, to] of [
      ['/docs/', '/docs'],
      ['/docs/problems/', '/docs/problems'],
    ] as const) {
      const answer = await go(path);
      expect([answer.status, answer.headers.get('location')]).toEqual([308, to]);
    }
    expect((await go('/developer-zone/')).status).toBe(200);
  });

  it('shows a text of the deployment as text', async () => {
    const broken = { ...env, ORIGINS: '<b>' } as unknown as Env;
    const page = await (await callAt(broken, '/sign-in', NAVIGATION)).text();
    expect(page).toContain('<h1>Deployment misconfigured</h1>');
    expect(page).toContain('ORIGINS');
    expect(page).not.toContain('<b>');
  });

  it('gets JSON where the pages are away, and so does every program', async () => {
    const away = { ...env, ASSETS: { fetch: () => Promise.reject(new Error('planted')) } } as unknown as Env;
    for (const answer of [
      await callAt(away, '/v1/ping', NAVIGATION),
      await go('/v1/ping', { 'sec-fetch-mode': 'cors' }),
      await go('/docs/nowhere', { 'sec-fetch-mode': 'cors' }),
    ])
      expect(answer.headers.get('content-type')).toBe('application/problem+json');
  });

  it('is never shown a page by forward-auth, whose answers are read by a gateway', async () => {
    const answer = await go('/verify');
    expect([answer.status, answer.headers.get('content-type')]).toEqual([401, 'application/problem+json']);
  });
});
