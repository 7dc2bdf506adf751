// HTTP without the corrections of a library: an upstream that records raw requests, and calls that send given bytes.
import { createServer, request } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http';
import { connect, createServer as createSocketServer } from 'node:net';
import type { AddressInfo, Server as SocketServer, Socket } from 'node:net';

export type Answer = { status: number; headers: IncomingHttpHeaders; body: string };
export type Upstream = {
  origin: string;
  port: number;
  /** Every request so far: its line and its headers, as they came. */
  seen: { method: string; url: string; headers: [string, string][] }[];
  stop(): Promise<void>;
};

/** By default answers 200 `ok`. */
export async function startUpstream(
  answer: (incoming: IncomingMessage, reply: ServerResponse) => void = (incoming, reply) => {
    incoming.resume();
    incoming.once('end', () => reply.end('ok'));
  },
): Promise<Upstream> {
  const seen: Upstream['seen'] = [];
  const server = createServer((incoming, reply) => {
    const headers: [string, string][] = [];
    for (let index = 0; index < incoming.rawHeaders.length; index += 2) {
      headers.push([(incoming.rawHeaders[index] ?? '').toLowerCase(), incoming.rawHeaders[index + 1] ?? '']);
    }
    seen.push({ method: incoming.method ?? '', url: incoming.url ?? '', headers });
    answer(incoming, reply);
  });
  const port = await listen(server);
  return { origin: `http://127.0.0.1:${port}`, port, seen, stop: () => close(server) };
}

async function listen(server: Server | SocketServer): Promise<number> {
  await new Promise<void>((done) => {
    server.listen(0, '127.0.0.1', done);
  });
  // Listening on a port, so the address is one.
  return (server.address() as AddressInfo).port;
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((done) => {
    server.close(done);
  });
}

/** All bytes that came back on a connection: the first answer, and the number of answers. */
export type Reply = { status: number; head: string; body: string; answers: number };

/** Sends bytes as they are (one for each character, up to U+00FF) and reads until the other side hangs up. */
export function sendBytes(port: number, bytes: string): Promise<Reply> {
  return new Promise((done, fail) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => (text += chunk));
    // A server that refuses may hang up before everything was sent.
    socket.on('error', () => {});
    socket.setTimeout(10_000, () => {
      socket.destroy();
      fail(new Error(`no answer, or no end of it: ${text.slice(0, 200)}`));
    });
    socket.on('close', () => {
      const end = text.indexOf('\r\n\r\n');
      const head = end < 0 ? text : text.slice(0, end);
      const body = end < 0 ? '' : text.slice(end + 4);
      const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1] ?? 0);
      done({ status, head: head.toLowerCase(), body, answers: text.split(/HTTP\/1\.[01] \d{3}/).length - 1 });
    });
    socket.write(Buffer.from(bytes, 'latin1'));
  });
}

/** One call on a connection of its own. A header may be given several times. `from`: an address of this machine. */
export function call(
  url: string,
  options: {
    method?: string;
    headers?: Record<string, string | string[]>;
    body?: string;
    from?: string;
  } = {},
): Promise<Answer> {
  return new Promise((done, fail) => {
    const outgoing = request(
      url,
      {
        method: options.method ?? 'GET',
        agent: false,
        headers: options.headers ?? {},
        ...(options.from === undefined ? {} : { localAddress: options.from }),
      },
      (incoming) => {
        let body = '';
        incoming.setEncoding('utf8');
        incoming.on('data', (text: string) => (body += text));
        incoming.once('error', fail);
        incoming.once('end', () =>
          done({ status: incoming.statusCode ?? 0, headers: incoming.headers, body }),
        );
      },
    );
    outgoing.once('error', fail);
    outgoing.end(options.body);
  });
}

/** Sends the bytes and reads until the answer matches or the other side closes (send `Connection: close`). */
export function exchange(port: number, text: string, until?: RegExp): Promise<string> {
  return new Promise((done, fail) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    let answer = '';
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      answer += chunk;
      if (until?.test(answer) === true) socket.destroy();
    });
    socket.once('error', fail);
    socket.once('close', () => done(answer));
  });
}

export type Connection = {
  socket: Socket;
  /** The bytes received so far, one character for each byte. */
  text(): string;
  /** Settles when the other side has ended or cut the connection. */
  closed: Promise<void>;
};

/** An upstream that does not parse HTTP: each connection is passed to `serve` at its first bytes. */
export async function startSocketUpstream(
  serve: (connection: Connection) => void,
): Promise<{ origin: string; port: number; stop(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server = createSocketServer((socket) => {
    sockets.add(socket);
    let text = '';
    const closed = new Promise<void>((done) => {
      socket.once('end', done);
      socket.once('close', () => {
        sockets.delete(socket);
        done();
      });
    });
    socket.on('error', () => {});
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      const isFirst = text === '';
      text += chunk;
      if (isFirst) serve({ socket, text: () => text, closed });
    });
  });
  const port = await listen(server);
  return {
    origin: `http://127.0.0.1:${port}`,
    port,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((done) => {
        server.close(done);
      });
    },
  };
}
