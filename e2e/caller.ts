// A separate process that calls with many tokens over pipelined connections, for load.test.ts. The first message tells it
// where to call. At the second message it stops, and sends a message with all results.
import { connect } from 'node:net';
import { monotonicNow } from './monotonic.ts';

export type Orders = { origins: string[]; secrets: string[]; depth: number };
/** The index of the secret, when the call was written to the socket and when its answer was complete (monotonicNow), the status. */
export type Seen = [secret: number, sentAt: number, doneAt: number, status: number];

const seen: Seen[] = [];
let isOver = false;

/** One connection with `depth` open calls: each answer lets it write the next call, without a wait for the other answers. */
function open(origin: string, { secrets, depth }: Orders, first: number): Promise<void> {
  const { hostname, port } = new URL(origin);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true }).setEncoding('latin1');
  const waiting: { secret: number; sentAt: number }[] = [];
  let next = first;
  const send = (): void => {
    const secret = next++ % secrets.length;
    waiting.push({ secret, sentAt: monotonicNow() });
    socket.write(
      `GET /v1/ping HTTP/1.1\r\nHost: ${hostname}:${port}\r\nAuthorization: Bearer ${secrets[secret]}\r\n\r\n`,
    );
  };
  let text = '';
  return new Promise((done, fail) => {
    socket.once('connect', () => {
      for (let count = 0; count < depth; count++) send();
    });
    socket.once('error', fail);
    socket.once('close', () => (waiting.length === 0 ? done() : fail(new Error('a connection ended early'))));
    socket.on('data', (chunk: string) => {
      text += chunk;
      for (;;) {
        const head = text.indexOf('\r\n\r\n');
        const length = /^content-length: (\d+)/im.exec(text.slice(0, head))?.[1];
        const end = head + 4 + Number(length);
        if (head === -1 || length === undefined || text.length < end) return;
        const call = waiting.shift();
        if (call !== undefined)
          seen.push([call.secret, call.sentAt, monotonicNow(), Number(text.slice(9, 12))]);
        text = text.slice(end);
        if (!isOver) send();
        else if (waiting.length === 0) socket.end();
      }
    });
  });
}

process.once('message', (orders: Orders) => {
  // Two connections to each isolate; each begins with a different token.
  const lines = [...orders.origins, ...orders.origins].map((origin, index) =>
    open(origin, orders, process.pid + index * 7),
  );
  process.once('message', () => {
    isOver = true;
    void Promise.all(lines).then(() =>
      process.send?.(seen, undefined, undefined, () => process.disconnect()),
    );
  });
  process.send?.('calling');
});
