// The promise between two isolates of the real bundle in workerd: what one of them switches off, the other refuses from
// the moment of the answer on, though it was warm, though calls are in flight, though KV says otherwise.
import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import type { Miniflare } from 'miniflare';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SETTINGS, newSessionCookie, startIsolates } from './isolates.ts';

const CALLS = 10_000;
const CALLERS = 32;
const cookie = newSessionCookie();

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
  await miniflare?.dispose();
});

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** A write through `here`, as the dashboard or the platform sends it. */
async function write(method: string, path: string, body?: object): Promise<Record<string, never>> {
  const headers: Record<string, string> = path.startsWith('/operator')
    ? { authorization: `Bearer ${SETTINGS.OPERATOR_SECRET}` }
    : { cookie: `local-session=${cookie}`, origin: here };
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

/** A connection that is kept, with one call at a time: raw, because the client must not be the slow one here. */
type Line = { ping(secret: string): Promise<number>; close(): void };

function openLine(origin: string): Line {
  const { hostname, port } = new URL(origin);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true }).setEncoding('latin1');
  let answer = '';
  let settle: { done(status: number): void; fail(error: Error): void } | undefined;
  socket.on('data', (chunk: string) => {
    answer += chunk;
    const head = answer.indexOf('\r\n\r\n');
    const length = /^content-length: (\d+)/im.exec(answer.slice(0, head))?.[1];
    if (head === -1 || length === undefined || answer.length < head + 4 + Number(length)) return;
    const status = Number(answer.slice(9, 12));
    answer = '';
    settle?.done(status);
  });
  socket.once('error', (error) => settle?.fail(error));
  socket.once('close', () => settle?.fail(new Error('the connection ended')));
  return {
    ping: (secret) =>
      new Promise((done, fail) => {
        settle = { done, fail };
        socket.write(
          `GET /v1/ping HTTP/1.1\r\nHost: ${hostname}:${port}\r\nAuthorization: Bearer ${secret}\r\n\r\n`,
        );
      }),
    close: () => socket.destroy(),
  };
}

async function pingOnce(origin: string, secret: string): Promise<void> {
  const line = openLine(origin);
  await line.ping(secret);
  line.close();
}

/**
 * Warms both isolates, keeps calls in flight through the other one, makes the change, and calls on until `CALLS` have
 * started after its answer. The old KV value is put back by hand all the while. Answers how the late ones ended.
 */
async function callAcross(secret: string, change: () => Promise<unknown>): Promise<Map<number, number>> {
  const kv = await miniflare.getKVNamespace('TOKEN_CACHE', 'here');
  const key = `t:${sha256(secret)}`;
  for (let round = 0; round < 3; round++)
    await Promise.all([pingOnce(here, secret), pingOnce(there, secret)]);
  await expect.poll(() => kv.get(key)).not.toBeNull();
  const old = String((await kv.get(key)) ?? '');

  const late = new Map<number, number>();
  let answered = false;
  let started = 0;
  let calls = 0;
  const caller = async (line: Line): Promise<void> => {
    while (started < CALLS) {
      const isLate = answered;
      if (isLate) started++;
      const status = await line.ping(secret);
      if (isLate) late.set(status, (late.get(status) ?? 0) + 1);
      if (calls++ % 500 === 0) await kv.put(key, old);
    }
  };
  // Opened for this alone: a server ends what is idle for some seconds.
  const lines = Array.from({ length: CALLERS }, () => openLine(there));
  const callers = Promise.all(lines.map(caller));
  await change();
  await kv.put(key, old);
  answered = true;
  await callers;
  for (const line of lines) line.close();
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
