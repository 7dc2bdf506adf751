import { createExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, it } from 'vitest';
import type { Env } from '../env.ts';
import worker from '../index.ts';
import {
  ORIGIN,
  givenOrganisation,
  givenSession,
  givenToken,
  withinOneMinute,
  write,
} from '../test/harness.ts';

/** A limiter that counts and, after `allowed` calls, refuses. */
function limiter(allowed: number): { binding: RateLimit; keys: string[] } {
  const keys: string[] = [];
  return {
    keys,
    binding: {
      limit({ key }) {
        keys.push(key);
        return Promise.resolve({ success: keys.length <= allowed });
      },
    },
  };
}

async function change(
  path: string,
  session: { cookie: string },
  settings: Partial<Env>,
  method = 'POST',
): Promise<Response> {
  return worker.fetch(
    new Request(new URL(path, ORIGIN), {
      method,
      headers: { ...session, origin: ORIGIN, 'content-type': 'application/json' },
      body: '{"name":"A"}',
    }),
    { ...env, ...settings },
    createExecutionContext(),
  );
}

it('allows 120 changes a minute for an organisation, then asks to wait, and leaves the others alone', async () => {
  const session = await givenSession();
  const rename = (organisation: string, token: string) =>
    write('PATCH', `/api/organisations/${organisation}/tokens/${token}`, session, { name: 'A' });
  const answers = await withinOneMinute(async () => {
    const busy = await givenOrganisation();
    const { id } = await givenToken(busy);
    return Promise.all(Array.from({ length: 125 }, () => rename(busy, id)));
  });
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(120);
  const limited = answers.filter(({ status }) => status === 429);
  expect(limited).toHaveLength(5);
  expect(limited[0]?.headers.get('retry-after')).toBe('60');
  expect((await limited[0]?.json<{ type: string }>())?.type).toContain('#too-many-requests');
  const calm = await givenOrganisation();
  expect((await rename(calm, (await givenToken(calm)).id)).status).toBe(200);
  // A burst that a minute's end cuts in two is sent once more.
}, 60_000);

it.each(['POST', 'PATCH', 'DELETE'])('counts %s, and changes nothing beyond the limit', async (method) => {
  const organisation = await givenOrganisation();
  const { id } = await givenToken(organisation);
  const path = `/api/organisations/${organisation}/tokens${method === 'POST' ? '' : `/${id}`}`;
  const { binding, keys } = limiter(0);
  const answer = await change(path, await givenSession(), { MUTATIONS_PER_ORGANISATION: binding }, method);
  expect(answer.status).toBe(429);
  expect(keys).toEqual([organisation]);
  const { results } = await env.DB.prepare('SELECT id, name FROM tokens WHERE organisation_id = ?')
    .bind(organisation)
    .all();
  expect(results).toEqual([{ id, name: null }]);
});

it('does not let a stranger, or a member of an organisation on another plan, use up the limit', async () => {
  const [theirs, pro] = [
    await givenOrganisation('enterprise', ['x@example.com']),
    await givenOrganisation('pro'),
  ];
  const { binding, keys } = limiter(0);
  const session = await givenSession();
  for (const [organisation, status] of [
    [theirs, 404],
    [pro, 403],
  ] as const) {
    for (const [method, token] of [
      ['POST', ''],
      ['PATCH', '/x'],
      ['DELETE', '/x'],
    ] as const) {
      const path = `/api/organisations/${organisation}/tokens${token}`;
      const answer = await change(path, session, { MUTATIONS_PER_ORGANISATION: binding }, method);
      expect(answer.status).toBe(status);
    }
  }
  expect(keys).toEqual([]);
});

it('lets changes through when the limiter itself fails', async () => {
  const organisation = await givenOrganisation();
  const broken: RateLimit = { limit: () => Promise.reject(new Error('limiter down')) };
  const answer = await change(`/api/organisations/${organisation}/tokens`, await givenSession(), {
    MUTATIONS_PER_ORGANISATION: broken,
  });
  expect(answer.status).toBe(201);
});
