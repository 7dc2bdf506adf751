// The promise between two isolates of the real bundle in workerd: what one of them switches off, the other refuses from
// the moment of the answer on, though it was warm, though calls are in flight, though KV says otherwise.
import { Agent, request } from 'node:http';
import { createHash } from 'node:crypto';
import type { Miniflare } from 'miniflare';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SETTINGS, startIsolates } from './isolates.ts';

const CALLS = 10_000;
const CALLERS = 32;
const agent = new Agent({ keepAlive: true, maxSockets: CALLERS });
const cookie = 'c'.repeat(43);

let miniflare: Miniflare;
let here: string;
let there: string;

beforeAll(async () => {
  miniflare = await startIsolates(['here', 'there']);
  here = (await miniflare.unsafeGetDirectURL('here')).origin;
  there = (await miniflare.unsafeGetDirectURL('there')).origin;
  const db = await miniflare.getD1Database('DB', 'here');
  const now = Date.now();
  await db
    .prepare(
      'INSERT INTO sessions (hash, id, email, method, created_at, seen_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)',
    )
    .bind(sha256(cookie), 'session', 'owner@example.com', 'link', now, now, now + 3_600_000)
    .run();
});
afterAll(async () => {
  agent.destroy();
  await miniflare?.dispose();
});

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** A write through `here`, as the dashboard or the platform sends it. */
async function write(method: string, path: string, body?: object): Promise<Record<string, never>> {
  const headers: Record<string, string> = path.startsWith('/operator')
    ? { authorization: `Bearer ${SETTINGS.OPERATOR_SECRET}` }
    : { cookie: `__Host-session=${cookie}`, origin: here };
  if (body !== undefined) headers['content-type'] = 'application/json';
  const answer = await fetch(here + path, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  expect(answer.ok, `${method} ${path}: ${answer.status}`).toBe(true);
  return answer.status === 204 ? {} : ((await answer.json()) as Record<string, never>);
}

async function givenToken(): Promise<{ organisation: string; path: string; secret: string }> {
  const organisation = `o-${crypto.randomUUID()}`;
  await write('PUT', `/operator/organisations/${organisation}`, { name: 'Acme', plan: 'enterprise' });
  await write('PUT', `/operator/organisations/${organisation}/members/owner@example.com`);
  const created = await write('POST', `/api/organisations/${organisation}/tokens`, {});
  const { token, secret } = created as unknown as { token: { id: string }; secret: string };
  return { organisation, path: `/api/organisations/${organisation}/tokens/${token.id}`, secret };
}

function ping(origin: string, secret: string): Promise<number> {
  return new Promise((done, fail) => {
    const call = request(
      `${origin}/v1/ping`,
      { agent, headers: { authorization: `Bearer ${secret}` } },
      (answer) => {
        answer.resume();
        answer.once('end', () => done(answer.statusCode ?? 0));
      },
    );
    call.once('error', fail);
    call.end();
  });
}

/**
 * Warms both isolates, keeps calls in flight through the other one, makes the change, and calls on until `CALLS` have
 * started after its answer. The old KV value is put back by hand all the while. Answers how the late ones ended.
 */
async function callAcross(secret: string, change: () => Promise<unknown>): Promise<Map<number, number>> {
  const kv = await miniflare.getKVNamespace('TOKEN_CACHE', 'here');
  const key = `t:${sha256(secret)}`;
  for (let round = 0; round < 3; round++) await Promise.all([ping(here, secret), ping(there, secret)]);
  await expect.poll(() => kv.get(key)).not.toBeNull();
  const old = String((await kv.get(key)) ?? '');

  const late = new Map<number, number>();
  let answered = false;
  let started = 0;
  const caller = async (): Promise<void> => {
    while (started < CALLS) {
      const isLate = answered;
      if (isLate) started++;
      const status = await ping(there, secret);
      if (isLate) late.set(status, (late.get(status) ?? 0) + 1);
      if (started % 500 === 0) await kv.put(key, old);
    }
  };
  const callers = Promise.all(Array.from({ length: CALLERS }, caller));
  await change();
  await kv.put(key, old);
  answered = true;
  await callers;
  return late;
}

describe('between two isolates', () => {
  it('no call of 10,000 is accepted after a deactivation has answered', { timeout: 120_000 }, async () => {
    const { path, secret } = await givenToken();
    const late = await callAcross(secret, () => write('PATCH', path, { active: false }));
    expect([...late.keys()]).toEqual([401]);
  });

  it('no call of 10,000 is refused after a reactivation has answered', { timeout: 120_000 }, async () => {
    const { path, secret } = await givenToken();
    await write('PATCH', path, { active: false });
    const late = await callAcross(secret, () => write('PATCH', path, { active: true }));
    expect([...late.keys()]).toEqual([200]);
  });

  it('no call of 10,000 is accepted after a deletion has answered', { timeout: 120_000 }, async () => {
    const { path, secret } = await givenToken();
    const late = await callAcross(secret, () => write('DELETE', path));
    expect([...late.keys()]).toEqual([401]);
  });

  it(
    'no call of 10,000 is accepted after the plan has changed, and all are when it is back',
    { timeout: 240_000 },
    async () => {
      const { organisation, secret } = await givenToken();
      const change = (plan: string) =>
        write('PUT', `/operator/organisations/${organisation}`, { name: 'Acme', plan });
      expect([...(await callAcross(secret, () => change('pro'))).keys()]).toEqual([403]);
      expect([...(await callAcross(secret, () => change('enterprise'))).keys()]).toEqual([200]);
    },
  );
});
