// A page while storage fails: each call of it in turn. A person gets a page, never JSON, and never somebody else's data.
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import type { Env } from '../env.ts';
import worker from '../index.ts';
import { deploymentWith } from '../test/faults.ts';
import { ORIGIN, givenOrganisation, givenSession, givenToken } from '../test/harness.ts';
import { PAGE_HEADERS } from './headers.ts';

async function visit(path: string, cookie: string, deployment: Env): Promise<Response> {
  const context = createExecutionContext();
  const answer = await worker.fetch(new Request(ORIGIN + path, { headers: { cookie } }), deployment, context);
  await waitOnExecutionContext(context);
  return answer;
}

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

describe.each(['/developer-zone', '/activity', '/sessions', '/sign-in'])('%s', (page) => {
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
