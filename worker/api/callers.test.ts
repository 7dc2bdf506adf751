// Who calls, as members see it: from calls at every place that verifies, through an isolate and its hub, to the dashboard. And what
// of it is kept.
import { createExecutionContext, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { openDeployment } from '../deployment/deployment.ts';
import type { Env } from '../deployment/env.ts';
import { Verifier } from '../index.ts';
import { bearer, call, callAt, givenOrganisation, givenSession, givenToken, write } from '../test/harness.ts';
import type { Calls, StillCalling } from '../token/calls.ts';
import { REGIONS } from '../verification/region.ts';

const CLIENT_SECRET = 'client-secret-for-tests-0123456789abcdef';
const VERIFY_SECRET = 'verify-secret-for-tests-0123456789abcdefg';
/** With a byte that would end a line, and a surrogate half behind the fortieth unit. */
const CLIENT = `billing\u0085${'-'.repeat(31)}\u{1f600}`;
const deployment: Env = {
  ...env,
  INTROSPECTION_CLIENTS: JSON.stringify({ [CLIENT]: CLIENT_SECRET }),
  VERIFY_SECRET,
};
const HETZNER = { asn: 24_940, asOrganization: 'Hetzner Online GmbH', country: 'DE', continent: 'EU' };
const AWS = { asn: 16_509, asOrganization: 'Amazon.com, Inc.', country: 'IE', continent: 'EU' };
/** The addresses of all callers. No other test has them. */
const ADDRESSES = ['192.0.2.77', '198.51.100.177', '2001:db8:77::177', '203.0.113.177'];
const [SERVER, OTHER, SIX, STRANGER] = ADDRESSES.map((address) => ({ 'cf-connecting-ip': address }));

const ask = (secret: string, headers: HeadersInit = {}, cf: object = HETZNER, path = '/v1/ping') =>
  callAt(deployment, path, {
    headers: { ...bearer(secret), ...Object.fromEntries(new Headers(headers)) },
    // What Cloudflare says of a request; a test says a part of it.
    cf: cf as RequestInitCfProperties,
  });

let organisation: string;
let session: { cookie: string };
let used: { id: string; secret: string };
let limited: { id: string; secret: string };
let deleted: { id: string; secret: string };
/** Its current secret is `current`; `secret` was retired. */
let rotated: { id: string; secret: string };
let current: string;
const statuses: number[] = [];

const zone = () => `/api/organisations/${organisation}`;
const callsOf = async (id: string) =>
  (await call(`${zone()}/tokens/${id}/calls`, { headers: session })).json<Calls>();
const stillCalling = async () =>
  (
    await (
      await call(`${zone()}/still-calling`, { headers: session })
    ).json<{ stillCalling: StillCalling[] }>()
  ).stillCalling;
const sum = (numbers: number[]) => numbers.reduce((total, each) => total + each, 0);

beforeAll(async () => {
  organisation = await givenOrganisation();
  session = await givenSession();
  [used, limited, deleted, rotated] = [
    await givenToken(organisation),
    await givenToken(organisation),
    await givenToken(organisation),
    await givenToken(organisation),
  ];
  await env.DB.prepare(`UPDATE tokens SET networks = '["203.0.113.0/24"]', name = 'Office' WHERE id = ?`)
    .bind(limited.id)
    .run();
  /** What each call is answered, in order. */
  const sent = async (answer: Promise<Response>) => statuses.push((await answer).status);
  for (let index = 0; index < 12; index++) {
    await sent(ask(used.secret, { ...SERVER, 'user-agent': 'python-requests/2.32.3' }));
    await sent(ask(deleted.secret, { ...SERVER, 'user-agent': 'curl/8.14.1' }));
  }
  await sent(ask(used.secret, { ...SIX, 'user-agent': `fleet/1 (${ADDRESSES[2]}) 192.0.2.77` }, AWS));
  await sent(ask(used.secret, { ...OTHER, 'sec-fetch-mode': 'cors', 'user-agent': 'Mozilla/5.0' }, AWS));
  const headers = { 'x-verify-secret': VERIFY_SECRET, 'x-client-ip': ADDRESSES[1] ?? '' };
  await sent(ask(used.secret, { ...SERVER, ...headers, 'user-agent': 'nginx' }, AWS, '/verify'));
  await sent(
    callAt(deployment, '/introspect', {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: new URLSearchParams({
        token: used.secret,
        ip: ADDRESSES[1] ?? '',
        client_id: CLIENT,
        client_secret: CLIENT_SECRET,
      }).toString(),
      cf: HETZNER as unknown as RequestInitCfProperties,
    }),
  );
  await new Verifier(createExecutionContext(), deployment).verify(used.secret, { ip: ADDRESSES[1] });
  for (const agent of ['203.0.113.177', `bot-192.0.2.77/1`, `app_${used.secret}`, 'me@example.com', '', '9p'])
    await ask(used.secret, { ...SERVER, 'user-agent': agent }, AWS);

  await sent(write('DELETE', `${zone()}/tokens/${deleted.id}`, session));
  const rotation = await write('POST', `${zone()}/tokens/${rotated.id}/rotate`, session, { retire: 'now' });
  current = (await rotation.json<{ secret: string }>()).secret;
  for (let index = 0; index < 7; index++) {
    await sent(ask(deleted.secret, { ...SERVER, 'user-agent': 'curl/8.14.1' }));
    await sent(ask(rotated.secret, { ...OTHER, 'user-agent': 'legacy' }, AWS));
    await sent(ask(limited.secret, { ...OTHER, 'user-agent': 'curl' }));
  }
  await sent(ask(limited.secret, STRANGER));
  await sent(ask(current, SERVER));
  // What an isolate counted is told to the hub within ten seconds.
  await vi.waitUntil(
    async () => {
      await openDeployment(env).haveHubsWrite();
      const { accepted, refused } = (await callsOf(rotated.id)).days;
      return sum(accepted) === 1 && sum(refused) === 7;
    },
    { timeout: 40_000, interval: 500 },
  );
}, 90_000);

it('every caller is answered as before: what is counted changes no answer', () => {
  expect(statuses).toEqual([...Array<number>(29).fill(200), ...Array<number>(21).fill(401), 200, 200]);
});

describe('the calls of a token', () => {
  it('are shown by caller: network, country and program, and the way that was taken', async () => {
    const { callers, recent, others, days, values, reasons } = await callsOf(used.id);
    const hetzner = { network: { number: 24_940, name: 'Hetzner Online GmbH' }, country: 'DE' };
    const aws = { network: { number: 16_509, name: 'Amazon.com, Inc.' }, country: 'IE' };
    const known: Record<string, object> = {
      'python-requests': hetzner,
      fleet: aws,
      browser: aws,
      'via gateway': aws,
      [`via introspection (billing${'-'.repeat(31)})`]: hetzner,
      'via RPC': { network: null, country: null },
      unknown: aws,
    };
    // Which of them were asked for is a matter of chance, after the first. All calls count for one of these.
    for (const { agent, network, country } of callers)
      expect({ agent, network, country }).toEqual({ agent, ...known[agent] });
    expect(callers.map(({ agent }) => agent)).toContain('python-requests');
    expect(sum(callers.map(({ accepted }) => accepted))).toBe(23);
    expect(recent).toEqual(callers);
    expect(others).toBeNull();
    expect(sum(days.accepted)).toBe(23);
    expect(reasons).toEqual([]);
    expect(values).toEqual([{ preview: used.secret.slice(0, 5), ...days }]);
  });

  it('say why they were refused', async () => {
    expect((await callsOf(limited.id)).reasons).toMatchObject([{ reason: 'network', calls: 7 }]);
    const { reasons, callers, values, days } = await callsOf(rotated.id);
    expect(reasons).toMatchObject([{ reason: 'retired', calls: 7 }]);
    expect([sum(days.accepted), sum(days.refused)]).toEqual([1, 7]);
    expect(callers).toMatchObject([{ agent: 'legacy', refused: 7 }, { accepted: 1 }]);
    // Those of the retired secret are not among the values.
    expect(values.map(({ preview, refused }) => [preview, sum(refused)])).toEqual([[current.slice(0, 5), 0]]);
  });
});

it('a deleted token and a retired secret that are still called are shown, with the callers after the end alone', async () => {
  const listed = await stillCalling();
  expect(listed.map(({ lastAt }) => lastAt)).toEqual(
    listed
      .map(({ lastAt }) => lastAt)
      .toSorted()
      .toReversed(),
  );
  const found = (tokenId: string) => listed.find((each) => each.tokenId === tokenId);
  expect(listed).toHaveLength(2);
  expect(found(deleted.id)).toMatchObject({
    kind: 'deleted',
    preview: deleted.secret.slice(0, 5),
    endedBy: 'owner@example.com',
    today: 7,
    yesterday: 0,
    callers: [{ network: { number: 24_940 }, country: 'DE', agent: 'curl', accepted: 0, refused: 7 }],
  });
  expect(found(rotated.id)).toMatchObject({
    kind: 'retired',
    preview: rotated.secret.slice(0, 5),
    today: 7,
    callers: [{ network: { number: 16_509 }, agent: 'legacy', refused: 7 }],
  });
});

it('no address of a caller is kept, in no table, hub or KV: but the refused ones of a token with networks', async () => {
  const { results: tables } = await env.DB.prepare(
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
  ).all<{ name: string }>();
  expect(tables.length).toBeGreaterThan(20);
  const kept: [string, string][] = [];
  for (const { name } of tables) {
    const { results } = await env.DB.prepare(`SELECT * FROM "${name}"`).all();
    kept.push([name, JSON.stringify(results)]);
  }
  expect(kept.find(([name]) => name === 'callers')?.[1]).toContain('python-requests');
  for (const region of REGIONS) {
    const stored = await runInDurableObject(env.CHANGE_HUB.getByName(region), (_, state) =>
      state.storage.list(),
    );
    kept.push([`hub ${region}`, JSON.stringify([...stored])]);
  }
  const { keys } = await env.TOKEN_CACHE.list();
  expect(keys.length).toBeGreaterThan(2);
  for (const { name } of keys) kept.push(['KV', `${name} ${await env.TOKEN_CACHE.get(name)}`]);
  const secrets = [used, limited, deleted, rotated].map(({ secret }) => secret);
  const found = kept.filter(([, text]) =>
    [...ADDRESSES, ...secrets, current].some((each) => text.includes(each)),
  );
  expect(found.map(([name]) => name)).toEqual(['refused_addresses']);
  const { results } = await env.DB.prepare('SELECT token_id, address FROM refused_addresses').all();
  expect(results).toEqual([{ token_id: limited.id, address: '198.51.100.177/32' }]);
});
