import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import type { Plan } from '../organisation/organisation.ts';
import {
  bearer,
  call,
  callAt,
  callWith,
  givenOrganisation,
  givenSession,
  givenToken,
} from '../test/harness.ts';

type ProblemBody = { type: string; title: string; status: number; detail?: string; requestId: string };

async function expectProblem(answer: Response, status: number, slug: string): Promise<ProblemBody> {
  expect(answer.status).toBe(status);
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  const body = await answer.json<ProblemBody>();
  expect(body.type).toBe(`http://localhost/docs/problems#${slug}`);
  expect(body.status).toBe(status);
  expect(body.requestId).toBe(answer.headers.get('x-request-id'));
  return body;
}

describe('a good token', () => {
  it('answers a ping with the organisation and the token', async () => {
    const organisationId = await givenOrganisation();
    const token = await givenToken(organisationId);
    const answer = await call('/v1/ping', { headers: bearer(token.secret) });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(await answer.json()).toEqual({ status: 'ok', organisationId, tokenId: token.id });
  });

  it('reads its organisation, with the number of active tokens and of all tokens', async () => {
    const id = await givenOrganisation();
    const { secret } = await givenToken(id);
    await givenToken(id);
    await givenToken(id, false);
    const answer = await call('/v1/organisation', { headers: bearer(secret) });
    expect(await answer.json()).toEqual({
      id,
      name: id,
      plan: 'enterprise',
      tokens: { active: 2, total: 3, limit: 10 },
    });
  });

  it('reads its own row, without the hash', async () => {
    const { id, secret } = await givenToken(await givenOrganisation());
    const answer = await call('/v1/token', { headers: bearer(secret) });
    const row = await answer.json<Record<string, unknown>>();
    expect(row).toMatchObject({ id, preview: secret.slice(0, 5), name: null, active: true });
    expect(Object.keys(row).toSorted()).toEqual([
      'access',
      'active',
      'createdAt',
      'expiresAt',
      'id',
      'lastUsedAt',
      'name',
      'paths',
      'preview',
      'retiring',
    ]);
  });

  it.each([
    ['X-API-Key', (secret: string) => ({ 'x-api-key': secret })],
    ['a lower-case scheme and two spaces', (secret: string) => ({ authorization: `bearer  ${secret}` })],
    ['both headers, when they agree', (secret: string) => ({ ...bearer(secret), 'x-api-key': secret })],
    [
      'X-API-Key beside another scheme',
      (secret: string) => ({ authorization: 'Basic YTpi', 'x-api-key': secret }),
    ],
  ])('may be sent by %s', async (_, headers) => {
    const { secret } = await givenToken(await givenOrganisation());
    expect((await call('/v1/ping', { headers: headers(secret) })).status).toBe(200);
  });

  it('answers HEAD as GET without the body', async () => {
    const { secret } = await givenToken(await givenOrganisation());
    const answer = await call('/v1/ping', { method: 'HEAD', headers: bearer(secret) });
    expect(answer.status).toBe(200);
    expect(await answer.text()).toBe('');
  });
});

describe('a refusal', () => {
  it.each([
    ['no credential', {}],
    ['another scheme', { authorization: 'Basic YTpi' }],
    ['a scheme that only begins like ours', { authorization: 'Bearerish x' }],
  ])('asks for a credential when there is %s', async (_, headers) => {
    const answer = await call('/v1/ping', { headers });
    await expectProblem(answer, 401, 'authentication-required');
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="api"');
  });

  it.each([
    ['two of them', { authorization: 'Bearer a, Bearer b' }],
    ['a comma', { authorization: 'Bearer a,b' }],
    ['a tab', { authorization: 'Bearer\ta' }],
    ['quotes', { authorization: 'Bearer "a"' }],
    ['an empty value', { authorization: 'Bearer ' }],
    ['a no-break space', { authorization: 'Bearer\u00A0a' }],
    ['an empty X-API-Key', { 'x-api-key': '' }],
    ['two values that differ', { authorization: 'Bearer a', 'x-api-key': 'b' }],
  ])('names a broken header: %s', async (_, headers) => {
    const answer = await call('/v1/ping', { headers });
    await expectProblem(answer, 400, 'malformed-credential');
    expect(answer.headers.get('www-authenticate')).toContain('error="invalid_request"');
  });

  it('has the same body for every token that is not good', async () => {
    const organisation = await givenOrganisation();
    const inactive = await givenToken(organisation, false);
    const deleted = await givenToken(organisation);
    await env.DB.prepare('DELETE FROM tokens WHERE id = ?').bind(deleted.id).run();
    const secrets = [inactive.secret, deleted.secret, 'x', 'x'.repeat(57), inactive.secret.slice(0, -1)];
    const bodies = await Promise.all(
      secrets.map(async (secret) => {
        const answer = await call('/v1/ping', { headers: bearer(secret) });
        expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"');
        const { requestId: _, ...body } = await expectProblem(answer, 401, 'invalid-token');
        return JSON.stringify(body);
      }),
    );
    expect(new Set(bodies).size).toBe(1);
  });

  it.each(['trial', 'pay-as-you-go', 'pro'] satisfies Plan[])(
    'says that the plan is too small: %s',
    async (plan) => {
      const { secret } = await givenToken(await givenOrganisation(plan));
      await expectProblem(
        await call('/v1/ping', { headers: bearer(secret) }),
        403,
        'enterprise-plan-required',
      );
    },
  );

  it('never takes a token from the query, a cookie, a body or another header', async () => {
    const { secret } = await givenToken(await givenOrganisation());
    const attempts: [string, RequestInit][] = [
      [`/v1/ping?token=${secret}&access_token=${secret}`, {}],
      ['/v1/ping', { headers: { cookie: `token=${secret}` } }],
      ['/v1/ping', { headers: { 'proxy-authorization': `Bearer ${secret}` } }],
      ['/v1/ping', { headers: { 'x-forwarded-authorization': `Bearer ${secret}` } }],
    ];
    for (const [path, init] of attempts)
      await expectProblem(await call(path, init), 401, 'authentication-required');
  });

  it('answers a wrong method and a path without a route', async () => {
    const wrong = await call('/v1/ping', { method: 'POST' });
    await expectProblem(wrong, 405, 'method-not-allowed');
    expect(wrong.headers.get('allow')).toBe('GET, HEAD, OPTIONS');
    const { detail } = await expectProblem(await call('/v1/events'), 404, 'not-found');
    expect(detail).toContain('UPSTREAM_URL');
  });
});

describe('every answer under /v1', () => {
  it.each([
    ['/v1/ping', {}],
    ['/v1/nothing', {}],
    ['/v1/ping', { method: 'POST' }],
    ['/v1/ping', { headers: { authorization: 'Bearer x' } }],
  ] as [string, RequestInit][])('is never stored and varies by credential: %s', async (path, init) => {
    const answer = await call(path, init);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('vary')).toBe('Authorization, X-API-Key, Origin');
    expect(answer.headers.get('x-request-id')).toMatch(/^[\w-]{8,}$/);
  });
});

describe('CORS', () => {
  const SITE = 'https://site.example';
  const only = { CORS_ORIGINS: `${SITE}, https://other.example` };

  it('is off by default', async () => {
    const answer = await call('/v1/ping', { headers: { origin: SITE } });
    expect(answer.headers.has('access-control-allow-origin')).toBe(false);
  });

  it('lets a listed website read answers and errors, without credentials', async () => {
    const answer = await callWith(only, '/v1/ping', { headers: { origin: SITE } });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('access-control-allow-origin')).toBe(SITE);
    expect(answer.headers.has('access-control-allow-credentials')).toBe(false);
  });

  it.each(['https://evil.example', 'http://site.example', 'https://site.example.evil.example', 'null'])(
    'tells %s nothing',
    async (origin) => {
      const answer = await callWith(only, '/v1/ping', { headers: { origin } });
      expect(answer.headers.has('access-control-allow-origin')).toBe(false);
    },
  );

  it('answers a preflight without touching storage, naming both credential headers', async () => {
    const nothing = new Proxy({}, { get: () => expect.unreachable('storage was touched') });
    const headers = {
      origin: SITE,
      'access-control-request-method': 'GET',
      'access-control-request-headers': 'authorization',
    };
    const bindings = {
      ...env,
      ...only,
      DB: nothing,
      TOKEN_CACHE: nothing,
      CHANGE_HUB: nothing,
    } as unknown as typeof env;
    const answer = await callAt(bindings, '/v1/ping', { method: 'OPTIONS', headers });
    expect(answer.status).toBe(204);
    expect(answer.headers.get('access-control-allow-origin')).toBe(SITE);
    expect(answer.headers.get('access-control-allow-headers')).toMatch(/Authorization.*X-API-Key/);
  });

  it('is answered each header name once, and only the usual names if it asks for more than a hundred', async () => {
    const usual = 'Authorization, X-API-Key, Content-Type, Accept, Idempotency-Key';
    const names = Array.from({ length: 100 }, (_, index) => `if-${index}`);
    const allowed = async (asked: string[]) => {
      const headers = {
        origin: SITE,
        'access-control-request-method': 'GET',
        'access-control-request-headers': asked.join(','),
      };
      const answer = await callWith(only, '/v1/things', { method: 'OPTIONS', headers });
      return answer.headers.get('access-control-allow-headers');
    };
    expect(await allowed(['if-a', 'range', 'If-A', 'range', 'accept'])).toBe(`${usual}, if-a, range`);
    expect(await allowed(names)).toBe(`${usual}, ${names.join(', ')}`);
    expect(await allowed([...names, 'if-one-more'])).toBe(usual);
    expect(await allowed(Array.from({ length: 25_000 }, () => 'if-a'))).toBe(usual);
    const long = `if-${'a'.repeat(8189)}`;
    expect(await allowed([long])).toBe(`${usual}, ${long}`);
    expect(await allowed([`${long}a`])).toBe(usual);
  });

  it('allows any website if the setting says so, but never a sandboxed page', async () => {
    const any = { CORS_ORIGINS: '*' };
    const answer = await callWith(any, '/v1/ping', { headers: { origin: SITE } });
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    const sandboxed = await callWith(any, '/v1/ping', { headers: { origin: 'null' } });
    expect(sandboxed.headers.has('access-control-allow-origin')).toBe(false);
  });
});

describe('the Worker', () => {
  it('answers a health check without touching storage', async () => {
    expect(await (await call('/healthz')).json()).toEqual({ status: 'ok' });
  });

  it('says that the storage cannot be reached, not that the caller is wrong', async () => {
    const down = {
      prepare: () => ({ bind: () => ({ raw: () => Promise.reject(new Error('D1_ERROR: down')) }) }),
    };
    const bindings = { ...env, DB: down } as unknown as typeof env;
    const answer = await callAt(bindings, '/api/session', { headers: await givenSession() });
    await expectProblem(answer, 503, 'storage-unavailable');
    expect(answer.headers.get('retry-after')).toBe('2');
  });
});
