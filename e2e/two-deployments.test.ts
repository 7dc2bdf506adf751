// Two deployments on one database by mistake: a second Worker with its own hubs binds the same database.
import type { Miniflare } from 'miniflare';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startReleases } from './isolates.ts';
import { inD1, signIn, type Member } from './member.ts';

const LEASES = { REVOCATION_LEASE_MS: '300', HUB_LEASE_MS: '2000' };

let miniflare: Miniflare;
let member: Member;
beforeAll(async () => {
  miniflare = await startReleases([
    { name: 'ours', hubs: 'ours', settings: LEASES },
    { name: 'other', hubs: 'other', zone: 'other', settings: LEASES },
  ]);
  member = await signIn(inD1(await miniflare.getD1Database('DB', 'ours')));
});
afterAll(() => miniflare?.dispose());

async function bodyOf(answer: Response) {
  return { status: answer.status, body: await answer.json() };
}
async function send(worker: string, method: string, path: string, body?: object) {
  const { origin } = await miniflare.unsafeGetDirectURL(worker);
  return bodyOf(await member.send(origin, method, path, body));
}
async function ping(worker: string, secret: string) {
  const { origin } = await miniflare.unsafeGetDirectURL(worker);
  return bodyOf(await fetch(`${origin}/v1/ping`, { headers: { authorization: `Bearer ${secret}` } }));
}

it('the first one works; the second one refuses before it accepts a call or answers a change', async () => {
  const { origin } = await miniflare.unsafeGetDirectURL('ours');
  const { path: token, secret } = await member.givenToken(origin);
  expect(await ping('ours', secret)).toMatchObject({ status: 200 });

  const refused = {
    status: 500,
    body: { detail: expect.stringContaining('the database belongs to another deployment') },
  };
  // This change is the first request of the second Worker; its hubs detect the fault.
  expect(await send('other', 'PATCH', token, { active: false })).toMatchObject(refused);
  expect(await ping('other', secret)).toMatchObject(refused);
  expect(await send('other', 'GET', '/operator/status')).toMatchObject(refused);

  // The first Worker sees the unanswered write after the lease of its hubs; its own changes hold at once.
  expect(await send('ours', 'PATCH', token, { active: true })).toMatchObject({ status: 200 });
  expect(await ping('ours', secret)).toMatchObject({ status: 200 });
  expect(await send('ours', 'PATCH', token, { active: false })).toMatchObject({ status: 200 });
  expect(await ping('ours', secret)).toMatchObject({ status: 401 });
});
