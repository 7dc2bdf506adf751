// The promise between two isolates of the real bundle in workerd: when one isolate has answered a deactivation, the other one
// refuses the token, although it was warm, calls are in flight, and KV holds the old record.
import { connect } from 'node:net';
import type { Miniflare } from 'miniflare';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startIsolates } from './isolates.ts';
import { inD1, sha256, signIn } from './member.ts';
import type { Member } from './member.ts';

const CALLS = 10_000;
const CALLERS = 32;
/** Calls before the change is asked for. */
const EARLY = 1000;

let miniflare: Miniflare;
let member: Member;
let here: string;
let there: string;

beforeAll(async () => {
  miniflare = await startIsolates(['here', 'there']);
  here = (await miniflare.unsafeGetDirectURL('here')).origin;
  there = (await miniflare.unsafeGetDirectURL('there')).origin;
  member = await signIn(inD1(await miniflare.getD1Database('DB', 'here')));
});
afterAll(async () => {
  await miniflare?.dispose();
});

const write = (method: string, path: string, body?: object) => member.write(here, method, path, body);
const givenToken = () => member.givenToken(here);

/** A kept connection with one call at a time. It is a raw socket, so that the client is fast enough. */
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
 * Warms both isolates, keeps calls in flight through the other one, makes the change, and continues until `CALLS` calls have
 * started after its answer. Meanwhile it writes the old value to KV again and again. Returns the statuses of the calls that ended
 * before the change was asked for, and of those that began after its answer.
 */
async function callAcross(
  secret: string,
  change: () => Promise<unknown>,
): Promise<{ early: number[]; late: number[] }> {
  const kv = await miniflare.getKVNamespace('TOKEN_CACHE', 'here');
  const key = `t:${sha256(secret)}`;
  for (let round = 0; round < 3; round++)
    await Promise.all([pingOnce(here, secret), pingOnce(there, secret)]);
  await expect.poll(() => kv.get(key)).not.toBeNull();
  const old = String((await kv.get(key)) ?? '');

  const early = new Set<number>();
  const late = new Set<number>();
  let asked = false;
  let answered = false;
  let started = 0;
  let calls = 0;
  const caller = async (line: Line): Promise<void> => {
    while (started < CALLS) {
      const isLate = answered;
      if (isLate) started++;
      const status = await line.ping(secret);
      if (isLate) late.add(status);
      else if (!asked) early.add(status);
      if (calls++ % 500 === 0) await kv.put(key, old);
    }
  };
  // New connections, because a server closes idle ones after some seconds.
  const lines = Array.from({ length: CALLERS }, () => openLine(there));
  const callers = Promise.all(lines.map(caller));
  await expect.poll(() => calls, { timeout: 20_000 }).toBeGreaterThan(EARLY);
  asked = true;
  await change();
  await kv.put(key, old);
  answered = true;
  await callers;
  for (const line of lines) line.close();
  return { early: [...early], late: [...late] };
}

describe('between two isolates', () => {
  it('no call of 10,000 is accepted after a deactivation has answered', { timeout: 120_000 }, async () => {
    const { path, secret } = await givenToken();
    const statuses = await callAcross(secret, () => write('PATCH', path, { active: false }));
    expect(statuses).toEqual({ early: [200], late: [401] });
  });

  it('no call of 10,000 is refused after a reactivation has answered', { timeout: 120_000 }, async () => {
    const { path, secret } = await givenToken();
    await write('PATCH', path, { active: false });
    const statuses = await callAcross(secret, () => write('PATCH', path, { active: true }));
    expect(statuses).toEqual({ early: [401], late: [200] });
  });

  it('no call of 10,000 is accepted after a deletion has answered', { timeout: 120_000 }, async () => {
    const { path, secret } = await givenToken();
    const statuses = await callAcross(secret, () => write('DELETE', path));
    expect(statuses).toEqual({ early: [200], late: [401] });
  });

  it(
    'no call of 10,000 is accepted after a token was limited to other networks, none refused before, and none refused after they were taken away',
    { timeout: 240_000 },
    async () => {
      const { path, secret } = await givenToken();
      const change = (networks: string[]) => () => write('PATCH', path, { networks });
      expect(await callAcross(secret, change(['203.0.113.0/24']))).toEqual({ early: [200], late: [401] });
      expect(await callAcross(secret, change([]))).toEqual({ early: [401], late: [200] });
    },
  );

  it(
    'no call of 10,000 is accepted after the paths of a token were narrowed, and none refused before',
    { timeout: 120_000 },
    async () => {
      const { path, secret } = await givenToken();
      const statuses = await callAcross(secret, () => write('PATCH', path, { paths: ['/v1/events'] }));
      expect(statuses).toEqual({ early: [200], late: [403] });
    },
  );

  it(
    'no call of 10,000 is accepted after the plan has changed, and all are accepted after it has changed back',
    { timeout: 240_000 },
    async () => {
      const { organisation, secret } = await givenToken();
      const change = (plan: string) =>
        write('PUT', `/operator/organisations/${organisation}`, { name: 'Acme', plan });
      expect(await callAcross(secret, () => change('pro'))).toEqual({ early: [200], late: [403] });
      expect(await callAcross(secret, () => change('enterprise'))).toEqual({ early: [403], late: [200] });
    },
  );
});
