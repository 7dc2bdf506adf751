// What a member makes of a token's limits over HTTP: each field, what is wrong with it, and what is refused from the answer on.
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import type { Token } from '../token/store.ts';
import { bearer, call, givenOrganisation, givenSession, givenToken, write } from '../test/harness.ts';

const OFFICE = '203.0.113.0/24';
const SHOP = 'https://shop.example';
const INSIDE = { 'cf-connecting-ip': '203.0.113.7' };
const OUTSIDE = { 'cf-connecting-ip': '203.0.114.7' };
const DAY_MS = 86_400_000;
const inDays = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString();

async function given() {
  const organisation = await givenOrganisation();
  const session = await givenSession();
  const path = `/api/organisations/${organisation}/tokens`;
  const list = async () =>
    (await (await call(path, { headers: session })).json<{ tokens: Token[] }>()).tokens;
  return {
    organisation,
    list,
    create: (body: object) => write('POST', path, session, body),
    change: (id: string, body: object) => write('PATCH', `${path}/${id}`, session, body),
  };
}

const statusOf = async (secret: string, headers: Record<string, string> = {}, path = '/v1/ping') =>
  (await call(path, { headers: { ...bearer(secret), ...headers } })).status;

async function problemOf(answer: Response) {
  const { type, detail } = await answer.json<{ type: string; detail?: string }>();
  return [answer.status, type.split('#')[1], detail];
}

describe('a token', () => {
  it('is created with every limit, shows the limits, and they apply from its first call on', async () => {
    const { create, list } = await given();
    const expiresAt = inDays(30);
    const limits = { access: 'read', paths: ['/v1/ping'], networks: [OFFICE], origins: [SHOP], expiresAt };
    const answer = await create({ name: 'Website', ...limits });
    expect(answer.status).toBe(201);
    const { token, secret } = await answer.json<{ token: Token; secret: string }>();
    expect(token).toMatchObject(limits);
    expect(await list()).toEqual([token]);
    const good = await call('/v1/ping', { headers: { ...bearer(secret), ...INSIDE } });
    expect([good.status, good.headers.get('token-expires-at')]).toEqual([200, expiresAt]);
    expect(await statusOf(secret, OUTSIDE)).toBe(401);
    expect(await statusOf(secret)).toBe(401);
    expect(await statusOf(secret, { ...INSIDE, origin: 'https://other.example' })).toBe(401);
    expect(await statusOf(secret, { ...INSIDE, origin: SHOP })).toBe(200);
    expect(await statusOf(secret, INSIDE, '/v1/token')).toBe(403);
  });

  it('that is created with only a name has full access and no end', async () => {
    const { create } = await given();
    const { token } = await (await create({ name: 'A' })).json<{ token: Token }>();
    expect(token).toMatchObject({ access: 'full', paths: [], networks: [], origins: [], expiresAt: null });
  });

  it.each([
    [{ networks: [OFFICE] }, OUTSIDE, 401],
    [{ origins: [SHOP] }, { origin: 'https://other.example' }, 401],
    [{ paths: ['/v1/events'] }, {}, 403],
  ])('with %j refuses from the answer on, and widened it accepts again', async (limit, headers, refused) => {
    const { organisation, change } = await given();
    const { id, secret } = await givenToken(organisation);
    expect(await statusOf(secret, headers)).toBe(200);
    const answer = await change(id, limit);
    const { token, effectiveAt } = await answer.json<{ token: Token; effectiveAt: string }>();
    expect(token).toMatchObject(limit);
    expect(Date.parse(effectiveAt)).toBeLessThanOrEqual(Date.now());
    expect(await statusOf(secret, headers)).toBe(refused);
    if (refused === 403) return;
    const [field = ''] = Object.keys(limit);
    expect((await change(id, { [field]: [] })).status).toBe(200);
    expect(await statusOf(secret, headers)).toBe(200);
  });

  it('ends at the given instant, and works again with the same secret when it gets a later end', async () => {
    const { organisation, change, list } = await given();
    const { id, secret } = await givenToken(organisation);
    const soon = new Date(Date.now() + 1500).toISOString();
    const ending = await change(id, { expiresAt: soon });
    expect((await ending.json<{ token: Token }>()).token.expiresAt).toBe(soon);
    await scheduler.wait(Math.max(0, Date.parse(soon) - Date.now()) + 5);
    const bad = await call('/v1/ping', { headers: bearer(`${secret.slice(0, -1)}_`) });
    const ended = await call('/v1/ping', { headers: bearer(secret) });
    const bodyOf = async (answer: Response) => ({ ...(await answer.json<object>()), requestId: '' });
    expect(await bodyOf(ended)).toEqual(await bodyOf(bad));
    expect(ended.status).toBe(401);
    expect((await list())[0]).toMatchObject({ active: true, expiresAt: soon });
    expect((await change(id, { expiresAt: inDays(1) })).status).toBe(200);
    expect(await statusOf(secret)).toBe(200);
    expect((await change(id, { expiresAt: null })).status).toBe(200);
    const answered = await call('/v1/ping', { headers: bearer(secret) });
    expect(answered.headers.has('token-expires-at')).toBe(false);
  });

  it('is answered to a repeated create also after its end', async () => {
    const { organisation } = await given();
    const session = { ...(await givenSession()), 'idempotency-key': 'k' };
    const body = { expiresAt: new Date(Date.now() + 1000).toISOString() };
    const create = () => write('POST', `/api/organisations/${organisation}/tokens`, session, body);
    const first = await create();
    expect(first.status).toBe(201);
    await scheduler.wait(1005);
    const again = await create();
    expect(again.status).toBe(200);
    expect(await again.json()).toEqual({ ...(await first.json<object>()), secret: null });
  });

  it('that has ended still counts as one of the ten', async () => {
    const { organisation, create } = await given();
    const { id } = await givenToken(organisation);
    for (let count = 0; count < 9; count++) await givenToken(organisation);
    await env.DB.prepare(`UPDATE tokens SET expires_at = '2026-01-01T00:00:00.000Z' WHERE id = ?`)
      .bind(id)
      .run();
    expect((await create({})).status).toBe(409);
  });

  it('that has ended or is paused can get a new secret, and stays ended or paused', async () => {
    const { organisation } = await given();
    const session = await givenSession();
    const ended = await givenToken(organisation);
    await env.DB.prepare(`UPDATE tokens SET expires_at = '2026-01-01T00:00:00.000Z' WHERE id = ?`)
      .bind(ended.id)
      .run();
    const paused = await givenToken(organisation, false);
    for (const { id } of [ended, paused]) {
      const path = `/api/organisations/${organisation}/tokens/${id}/rotate`;
      const answer = await write('POST', path, session, { retire: '1h' });
      expect(answer.status).toBe(201);
      expect(await statusOf((await answer.json<{ secret: string }>()).secret)).toBe(401);
    }
  });
});

describe('a change that is wrong', () => {
  const SHAPE = 'such as 2030-01-31T23:00:00Z (RFC 3339)';
  it.each([
    [{ expiresAt: '2020-01-01T00:00:00Z' }, 'Field "expiresAt": in the past'],
    [{ expiresAt: '2027-02-29T00:00:00Z' }, `Field "expiresAt": not an instant ${SHAPE}`],
    [{ expiresAt: '2030-01-31' }, `Field "expiresAt": not an instant ${SHAPE}`],
    [{ expiresAt: 1_893_456_000_000 }, 'Field "expiresAt": not a string'],
    [{ access: 'write' }, 'Field "access": not one of read, full'],
    [{ access: null }, 'Field "access": not one of read, full'],
    [{ paths: '/v1/a' }, 'Field "paths": not a list'],
    [{ paths: [1] }, 'Field "paths.0": not a string'],
    [{ paths: ['/v2/a'] }, 'Field "paths": "/v2/a" is not below /v1, such as /v1/events'],
    [{ paths: ['/v1/a/'] }, 'Field "paths": "/v1/a/" ends with a slash: write /v1/a'],
    [{ paths: ['/v1/1', '/v1/2', '/v1/3', '/v1/4', '/v1/5', '/v1/6'] }, 'Field "paths": more than 5'],
    [
      { networks: ['203.0.113.7/24'] },
      'Field "networks": 203.0.113.7/24 has bits beyond its length: write 203.0.113.0/24',
    ],
    [
      { networks: ['::ffff:203.0.113.0/120'] },
      'Field "networks": ::ffff:203.0.113.0/120 is IPv4 written as IPv6: write 203.0.113.0/24',
    ],
    [
      { networks: ['203.0.113.0/33'] },
      'Field "networks": "203.0.113.0/33" is not an address or a network such as 203.0.113.0/24',
    ],
    [
      { networks: Array.from({ length: 11 }, (_, index) => `10.0.0.${index}`) },
      'Field "networks": more than 10',
    ],
    [
      { origins: ['https://shop.example/cart'] },
      'Field "origins": "https://shop.example/cart" is not an origin as a browser sends it: write https://shop.example',
    ],
    [
      { origins: ['null'] },
      'Field "origins": "null" is not the origin of a website, such as https://shop.example',
    ],
    [
      { origins: ['https://*.example'] },
      'Field "origins": "https://*.example" is not the origin of a website, such as https://shop.example',
    ],
    [
      { origins: Array.from({ length: 6 }, (_, index) => `https://${index}.example`) },
      'Field "origins": more than 5',
    ],
    [{ scope: 'read' }, 'Field "scope": unknown'],
  ])('names the field and what would be right, and changes nothing: %j', async (wrong, detail) => {
    const { organisation, create, change, list } = await given();
    const { id } = await givenToken(organisation);
    const before = await list();
    for (const answer of [await create(wrong), await change(id, { active: false, ...wrong })]) {
      const [status, slug, said] = await problemOf(answer);
      expect([status, slug]).toEqual([422, 'invalid-body']);
      expect(said?.toString().startsWith(detail)).toBe(true);
    }
    expect(await list()).toEqual(before);
  });

  it('would allow more than before, or has no field', async () => {
    const { organisation, change, list } = await given();
    const { id } = await givenToken(organisation);
    await change(id, { access: 'read', paths: ['/v1/a'] });
    const before = await list();
    expect(await problemOf(await change(id, { access: 'full', active: false }))).toEqual([
      422,
      'invalid-body',
      'Field "access": can only be narrowed',
    ]);
    expect(await problemOf(await change(id, { paths: [] }))).toEqual([
      422,
      'invalid-body',
      'Field "paths": can only be narrowed',
    ]);
    expect(await problemOf(await change(id, {}))).toEqual([
      422,
      'invalid-body',
      'One field is needed: active, name, expiresAt, access, paths, networks, origins',
    ]);
    expect(await list()).toEqual(before);
  });

  it('is the same create when the same instant, list or network is written differently', async () => {
    const { organisation, change } = await given();
    const { id } = await givenToken(organisation);
    const answer = await change(id, {
      expiresAt: '2031-01-01T01:00:00+01:00',
      networks: ['2001:DB8::/32', '203.0.113.7', '2001:db8::/32'],
      paths: ['/v1/b', '/v1/a', '/v1/b'],
    });
    expect((await answer.json<{ token: Token }>()).token).toMatchObject({
      expiresAt: '2031-01-01T00:00:00.000Z',
      networks: ['2001:db8::/32', '203.0.113.7/32'],
      paths: ['/v1/a', '/v1/b'],
    });
  });
});
