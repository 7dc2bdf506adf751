// What an open page says of itself with its requests: which member it shows, and whether a person asked for them.
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { sha256Hex } from '../random.ts';
import { call, givenOrganisation, givenSession, givenToken, slugOf, write } from '../test/harness.ts';

describe('a page that shows a member', () => {
  it.each([
    ['creates a token', 'POST', '/tokens', {}],
    ['switches a token off', 'PATCH', '/tokens/ID', { active: false }],
    ['deletes a token', 'DELETE', '/tokens/ID', undefined],
    ['reads the tokens', 'GET', '/tokens', undefined],
  ])('%s as that member, and not as another who signed in meanwhile', async (_, method, path, body) => {
    const organisation = await givenOrganisation('enterprise', ['owner@example.com', 'member@example.com']);
    const { id } = await givenToken(organisation);
    const at = `/api/organisations/${organisation}${path.replace('ID', id)}`;
    const session = await givenSession('member@example.com');
    const refused = await write(method, at, { ...session, 'x-member': 'owner@example.com' }, body);
    expect(refused.status).toBe(409);
    expect(await slugOf(refused)).toBe('another-member');
    const { results } = await env.DB.prepare('SELECT id, active FROM tokens WHERE organisation_id = ?')
      .bind(organisation)
      .all();
    expect(results).toEqual([{ id, active: 1 }]);
    const taken = await write(method, at, { ...session, 'x-member': 'member@example.com' }, body);
    expect(taken.ok).toBe(true);
  });

  it('does not sign the other member out', async () => {
    const session = await givenSession('member@example.com');
    const headers = { ...session, 'x-member': 'owner@example.com' };
    for (const path of ['/api/sign-out', '/api/sessions/sign-out-everywhere'])
      expect((await write('POST', path, headers)).status).toBe(409);
    expect((await call('/api/session', { headers: session })).status).toBe(200);
  });
});

describe('a page that refreshes by itself', () => {
  it('does not keep an unused session alive', async () => {
    const session = await givenSession();
    const hash = sha256Hex(session.cookie.split('=')[1] ?? '');
    const seen = () =>
      env.DB.prepare('SELECT seen_at FROM sessions WHERE hash = ?').bind(hash).first<number>('seen_at');
    const before = Date.now() - 10 * 60_000;
    await env.DB.prepare('UPDATE sessions SET seen_at = ? WHERE hash = ?').bind(before, hash).run();
    await call('/api/session', { headers: { ...session, 'x-unattended': '1' } });
    expect(await seen()).toBe(before);
    await call('/api/session', { headers: session });
    expect(await seen()).toBeGreaterThan(before);
  });
});
