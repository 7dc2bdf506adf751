// The gateway never passes an incomplete message on as a complete one (RFC 9112 section 8), in either direction. Both ends
// are raw sockets, because a library would hide how a message ends.
import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startDeployment, type Deployment } from './deployment.ts';
import { startSocketUpstream, type Connection } from './raw.ts';

const PART = 'x'.repeat(50_000);
const CHUNK = `${PART.length.toString(16)}\r\n${PART}\r\n`;
const LAST_CHUNK = '0\r\n\r\n';

let zone: Deployment;
let upstream: Awaited<ReturnType<typeof startSocketUpstream>>;
let secret: string;
let serve: (connection: Connection) => void;
/** The calls that reached the upstream, in their order. */
const connections: Connection[] = [];

beforeAll(async () => {
  upstream = await startSocketUpstream((connection) => {
    connections.push(connection);
    serve(connection);
  });
  zone = await startDeployment({ UPSTREAM_URL: upstream.origin });
  ({ secret } = await zone.givenToken());
});
beforeEach(() => {
  connections.length = 0;
  serve = () => {};
});
afterAll(async () => {
  await zone?.stop();
  await upstream?.stop();
});

function head(method: string, more: string): string {
  return `${method} /v1/files HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${secret}\r\n${more}\r\n`;
}

/** Waits until the call to the upstream is closed or complete. */
async function ended({ text, closed }: Connection): Promise<void> {
  let isClosed = false;
  void closed.then(() => (isClosed = true));
  await expect.poll(() => isClosed || text().endsWith(LAST_CHUNK), { timeout: 10_000 }).toBe(true);
}

/** Waits until the upstream has received this many bytes of a body. */
async function uploaded(bytes: number): Promise<Connection> {
  const sent = () => (connections[0]?.text().match(/x/g) ?? []).length;
  await expect.poll(sent, { timeout: 10_000 }).toBeGreaterThanOrEqual(bytes);
  const [connection] = connections;
  if (connection === undefined) throw new Error('nothing came');
  return connection;
}

describe('an upload that breaks off', () => {
  it.each([
    ['in chunks, by the end of the connection', 'Transfer-Encoding: chunked\r\n', CHUNK, 'end'],
    ['in chunks, by a cut of the connection', 'Transfer-Encoding: chunked\r\n', CHUNK, 'cut'],
    ['in the middle of a chunk', 'Transfer-Encoding: chunked\r\n', CHUNK.slice(0, -20), 'end'],
    ['by a chunk of no size', 'Transfer-Encoding: chunked\r\n', CHUNK, 'no size'],
    ['of known length, by the end of the connection', 'Content-Length: 100000\r\n', PART, 'end'],
    ['of known length, by a cut of the connection', 'Content-Length: 100000\r\n', PART, 'cut'],
  ])('is cut at the API as well: %s', async (_, length, body, then) => {
    const socket = connect(Number(new URL(zone.origin).port), '127.0.0.1');
    socket.on('error', () => {});
    socket.write(head('POST', length) + body);
    const connection = await uploaded(40_000);
    if (then === 'end') socket.end();
    if (then === 'cut') socket.resetAndDestroy();
    if (then === 'no size') socket.write('zz\r\n');
    await ended(connection);
    expect(connection.text().endsWith(LAST_CHUNK)).toBe(false);
    expect(connection.text().split('\r\n\r\n').slice(1).join('').length).toBeLessThan(100_000);
    socket.destroy();
  });

  it('is cut at the API as well: a program whose generator fails', async () => {
    const parts = async function* (): AsyncGenerator<string> {
      yield PART;
      await uploaded(1);
      throw new Error('the disk is gone');
    };
    const outgoing = request(`${zone.origin}/v1/files`, {
      method: 'POST',
      headers: { authorization: `Bearer ${secret}` },
      agent: false,
    });
    outgoing.on('error', () => {});
    const source = Readable.from(parts());
    source.once('error', (error) => outgoing.destroy(error));
    source.pipe(outgoing);
    const connection = await uploaded(1);
    await ended(connection);
    expect(connection.text().endsWith(LAST_CHUNK)).toBe(false);
  });

  it('that is complete ends at the API', async () => {
    serve = ({ socket, text }) => {
      const answer = (): void => {
        if (text().endsWith(LAST_CHUNK)) socket.end('HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n');
      };
      socket.on('data', answer);
      answer();
    };
    const socket = connect(Number(new URL(zone.origin).port), '127.0.0.1');
    socket.write(head('POST', 'Transfer-Encoding: chunked\r\n') + CHUNK + LAST_CHUNK);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(String(answer)).toMatch(/^HTTP\/1\.1 201 /);
    socket.destroy();
  });
});

describe('an answer that breaks off', () => {
  it.each([
    ['in chunks, by the end of the connection', 'Transfer-Encoding: chunked', CHUNK, 'end'],
    ['in chunks, by a cut of the connection', 'Transfer-Encoding: chunked', CHUNK, 'cut'],
    ['in the middle of a chunk', 'Transfer-Encoding: chunked', CHUNK.slice(0, -20), 'end'],
    ['by a chunk of no size', 'Transfer-Encoding: chunked', `${CHUNK}zz\r\n`, 'wait'],
    ['of known length, by the end of the connection', 'Content-Length: 100000', PART, 'end'],
    ['of known length, by a cut of the connection', 'Content-Length: 100000', PART, 'cut'],
  ])('is cut at the caller as well: %s', async (_, length, body, then) => {
    const socket = connect(Number(new URL(zone.origin).port), '127.0.0.1');
    let answer = '';
    serve = ({ socket: behind }) => {
      behind.write(`HTTP/1.1 200 OK\r\n${length}\r\n\r\n${body}`);
      socket.on('data', () => {
        if (answer.length < 40_000) return;
        if (then === 'end') behind.end();
        if (then === 'cut') behind.resetAndDestroy();
      });
    };
    socket.setEncoding('latin1');
    socket.on('error', () => {});
    socket.on('data', (chunk: string) => (answer += chunk));
    socket.write(head('GET', ''));
    await once(socket, 'close');
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    expect(answer.endsWith(LAST_CHUNK)).toBe(false);
    expect(answer.length).toBeLessThan(100_000);
  });
});
