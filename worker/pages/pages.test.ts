// A page while storage fails: each call of it in turn. A person gets a page, never JSON, and never somebody else's data.
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
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

describe.each(['/developer-zone', '/activity', '/sessions', '/sign-in'])('%s', (page) => {
  it('is told as not available at whatever step the database fails, and comes back', async () => {
    const email = `${crypto.randomUUID()}@example.com`;
    const organisation = await givenOrganisation('enterprise', [email]);
    await givenToken(organisation);
    const { cookie } = await givenSession(email);
    const path = `${page}?organisation=${organisation}`;
    const clean = deploymentWith(null);
    const whole = await (await visit(path, cookie, clean.env)).text();
    expect(whole).toContain(email);
    expect(clean.calls).not.toEqual([]);
    for (const at of clean.calls.keys()) {
      const answer = await visit(path, cookie, deploymentWith({ at, kind: 'lost' }).env);
      expect(answer.status).toBe(503);
      expect(Object.fromEntries(answer.headers)).toMatchObject({
        ...PAGE_HEADERS,
        'content-type': 'text/html; charset=utf-8',
        'cache-control': 'no-store',
        'retry-after': '2',
      });
      const text = await answer.text();
      expect(text).toContain('not available right now');
      expect(text).not.toContain('id="boot"');
      expect(text).not.toContain(email);
      const slow = await visit(path, cookie, deploymentWith({ at, kind: 'slow' }).env);
      expect(await slow.text()).toBe(whole);
    }
  });
});
