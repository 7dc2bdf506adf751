// Two deployments on one database by mistake: a second Worker with its own hubs binds the same database.
import type { Miniflare } from 'miniflare';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { OWNER, signInOwner } from './deployment.ts';
import { newSessionCookie, SETTINGS, startReleases } from './isolates.ts';

const COOKIE = newSessionCookie();
const LEASES = { REVOCATION_LEASE_MS: '300', HUB_LEASE_MS: '2000' };

let miniflare: Miniflare;
beforeAll(async () => {
  miniflare = await startReleases([
    { name: 'ours', hubs: 'ours', settings: LEASES },
    { name: 'other', hubs: 'other', zone: 'other', settings: LEASES },
  ]);
  await signInOwner(await miniflare.getD1Database('DB', 'ours'), COOKIE);
});
afterAll(() => miniflare?.dispose());

async function send(worker: string, method: string, path: string, headers: HeadersInit, body?: object) {
  const { origin } = await miniflare.unsafeGetDirectURL(worker);
  const answer = await fetch(origin + path, {
    method,
    headers: { origin, ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, body: text === '' ? {} : JSON.parse(text) };
}
const operate = (worker: string, method: string, path: string, body?: object) =>
  send(worker, method, `/operator${path}`, { authorization: `Bearer ${SETTINGS.OPERATOR_SECRET}` }, body);
const administer = (worker: string, method: string, path: string, body?: object) =>
  send(worker, method, path, { cookie: `__Host-session=${COOKIE}; local-session=${COOKIE}` }, body);
const ping = (worker: string, secret: string) =>
  send(worker, 'GET', '/v1/ping', { authorization: `Bearer ${secret}` });

it('the first one works; the second one refuses before it accepts a call or answers a change', async () => {
  await operate('ours', 'PUT', '/organisations/acme', { name: 'Acme', plan: 'enterprise' });
  await operate('ours', 'PUT', `/organisations/acme/members/${OWNER}`);
  const tokens = '/api/organisations/acme/tokens';
  const { body: created } = await administer('ours', 'POST', tokens, {});
  const token = `${tokens}/${created.token.id}`;
  expect(await ping('ours', created.secret)).toMatchObject({ status: 200 });

  const refused = {
    status: 500,
    body: { detail: expect.stringContaining('the database belongs to another deployment') },
  };
  // This change is the first request of the second Worker; its hubs detect the fault.
  expect(await administer('other', 'PATCH', token, { active: false })).toMatchObject(refused);
  expect(await ping('other', created.secret)).toMatchObject(refused);
  expect(await operate('other', 'GET', '/status')).toMatchObject(refused);

  // The first Worker sees the unanswered write after the lease of its hubs; its own changes hold at once.
  expect(await administer('ours', 'PATCH', token, { active: true })).toMatchObject({ status: 200 });
  expect(await ping('ours', created.secret)).toMatchObject({ status: 200 });
  expect(await administer('ours', 'PATCH', token, { active: false })).toMatchObject({ status: 200 });
  expect(await ping('ours', created.secret)).toMatchObject({ status: 401 });
});
