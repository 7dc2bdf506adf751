// An API that fails in the middle of a call: it closes idle connections, stops reading, or answers statuses that Cloudflare
// also uses.
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startDeployment, type Deployment } from './deployment.ts';
import { call, startSocketUpstream, type Connection } from './raw.ts';

const TIMEOUT_MS = 1500;
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

let zone: Deployment;
let upstream: Awaited<ReturnType<typeof startSocketUpstream>>;
let headers: { authorization: string };
let serve: (connection: Connection) => void;

beforeAll(async () => {
  upstream = await startSocketUpstream((connection) => serve(connection));
  zone = await startDeployment({ UPSTREAM_URL: upstream.origin, UPSTREAM_TIMEOUT_MS: String(TIMEOUT_MS) });
  headers = { authorization: `Bearer ${(await zone.givenToken()).secret}` };
});
beforeEach(() => {
  serve = () => {};
});
afterAll(async () => {
  await zone?.stop();
  await upstream?.stop();
});

const slugOf = (body: string): string => String(JSON.parse(body).type).split('#')[1] ?? '';

describe('an API that closes a connection when the next call comes on it', () => {
  /** The first line of every request that came. */
  const lines: string[] = [];
  beforeEach(() => {
    lines.length = 0;
    serve = ({ socket, text }) => {
      let answered = 0;
      const read = (): void => {
        const all = text().match(/^\w+ \/v1\/\S* HTTP/gm) ?? [];
        lines.push(...all.slice(answered));
        if (answered > 0 || all[0]?.includes('/v1/never') === true) socket.destroy();
        else socket.write(all[0]?.startsWith('HEAD') === true ? OK.slice(0, -2) : OK);
        answered = all.length;
      };
      socket.on('data', read);
      read();
    };
  });

  it.each(['GET', 'HEAD'])('gets a %s without a body once more', async (method) => {
    for (let index = 0; index < 10; index++) {
      expect((await call(`${zone.origin}/v1/things/${index}`, { method, headers })).status).toBe(200);
    }
    // Some of them came twice; otherwise this test would show nothing.
    expect(lines.length).toBeGreaterThan(10);
  });

  it('gets a call at most twice', async () => {
    const answer = await call(`${zone.origin}/v1/never`, { headers });
    expect([answer.status, slugOf(answer.body)]).toEqual([502, 'upstream-unreachable']);
    expect(lines).toHaveLength(2);
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])('gets no %s twice', async (method) => {
    for (let index = 0; index < 4; index++) {
      const answer = await call(`${zone.origin}/v1/things/${index}`, { method, headers, body: 'x' });
      expect([200, 502]).toContain(answer.status);
    }
    expect(new Set(lines).size).toBe(lines.length);
    expect(lines).toHaveLength(4);
  });
});

describe('an API that stops reading in the middle of an upload', () => {
  const uploadTo = async (path: string): Promise<{ answer: () => string; closed: Promise<unknown> }> => {
    const socket = connect(Number(new URL(zone.origin).port), '127.0.0.1');
    let answer = '';
    socket.setEncoding('latin1');
    socket.on('error', () => {});
    socket.on('data', (chunk: string) => {
      answer += chunk;
      if (answer.includes('requestId')) socket.destroy();
    });
    const closed = once(socket, 'close');
    socket.write(
      `POST ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${headers.authorization}\r\nContent-Length: 50000000\r\n\r\n`,
    );
    socket.write('x'.repeat(50_000_000));
    return { answer: () => answer, closed };
  };

  it('has the time limit of an answer: 504, and the connection is closed', async () => {
    let behind: Connection | undefined;
    serve = (connection) => {
      behind = connection;
      connection.socket.pause();
    };
    const { answer, closed } = await uploadTo('/v1/stuck');
    await closed;
    expect(answer()).toMatch(/^HTTP\/1\.1 504 /);
    expect(answer()).toContain('#upstream-timeout');
    behind?.socket.resume();
    await behind?.closed;
    expect(behind?.text().length).toBeLessThan(50_000_000);
  });

  it('is waited for while it still reads some bytes from time to time', async () => {
    // The kernel buffers a few megabytes before either side sees progress.
    const some = 8_000_000;
    serve = ({ socket, text }) => {
      let taken = 0;
      let pauses = 0;
      socket.on('data', () => {
        if (text().length > 50_000_000)
          socket.end(OK.replace('Length: 2', 'Length: 9').replace('ok', 'requestId'));
        if (pauses === 4 || text().length < taken + some) return;
        taken = text().length;
        pauses++;
        socket.pause();
        setTimeout(() => socket.resume(), TIMEOUT_MS / 3);
      });
    };
    const { answer, closed } = await uploadTo('/v1/slow');
    await closed;
    expect(answer()).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe('an answer with a status that Cloudflare also uses', () => {
  const statuses = [520, 521, 522, 523, 524, 525, 526, 527, 528, 529, 530];
  const serveStatus = (status: number, more = ''): void => {
    serve = ({ socket }) =>
      socket.end(
        `HTTP/1.1 ${status} Odd\r\nContent-Length: 8\r\nRetry-After: 7\r\n${more}Connection: close\r\n\r\noverload`,
      );
  };

  it.each(statuses)('is passed on as the API’s own answer: %i', async (status) => {
    serveStatus(status);
    const answer = await call(`${zone.origin}/v1/things`, { headers });
    expect(answer).toMatchObject({ status, body: 'overload', headers: { 'retry-after': '7' } });
  });

  it.each(statuses)('counts as Cloudflare’s when it has Server: cloudflare: %i', async (status) => {
    serveStatus(status, 'Server: cloudflare\r\n');
    const answer = await call(`${zone.origin}/v1/things`, { headers });
    const timeout = { status: 504, body: expect.stringContaining('#upstream-timeout') };
    const others = { status, body: 'overload' };
    const special = { 522: timeout, 524: timeout, 527: others, 528: others, 529: others };
    const unreachable = { status: 502, body: expect.stringContaining('#upstream-unreachable') };
    expect(answer).toMatchObject(special[status as keyof typeof special] ?? unreachable);
  });
});
