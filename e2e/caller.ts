// A process of its own that calls with many tokens over pipelined connections, for load.test.ts. It starts with the message that
// says whom to call, and ends with the next one, by a message with all that it saw.
import { connect } from 'node:net';
import { monotonicNow } from './monotonic.ts';

export type Orders = { origins: string[]; secrets: string[]; depth: number };
/** The index of the secret, when the call was handed to the socket and when its answer was there (monotonicNow), the status. */
export type Seen = [secret: number, sentAt: number, doneAt: number, status: number];

const seen: Seen[] = [];
let isOver = false;

/** One connection with `depth` calls under way: the next is written when an answer has come, without a wait for the others. */
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
  // Two connections to each isolate, each begins with another token.
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
