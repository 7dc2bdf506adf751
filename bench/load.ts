// Hands loads to the client's thread, and makes the requests that it sends.
import { Worker } from 'node:worker_threads';
import type { Load, Measured } from './client.ts';

export type Client = { run(load: Load): Promise<Measured>; close(): Promise<number> };

type Reply = { ok: true; measured: Measured } | { ok: false; reason: string };

export function openClient(): Client {
  const thread = new Worker(new URL('client.ts', import.meta.url));
  return {
    run: (load) =>
      new Promise((resolve, reject) => {
        thread.once('error', reject);
        thread.once('message', (reply: Reply) => {
          thread.off('error', reject);
          if (reply.ok) resolve(reply.measured);
          else reject(new Error(reply.reason));
        });
        thread.postMessage(load);
      }),
    close: () => thread.terminate(),
  };
}

/** One GET with a bearer credential, as bytes; CF-Ray as every request carries it on Cloudflare. */
/** `address`: of the caller, as Cloudflare says it. */
export function request(path: string, secret: string, address?: string): Uint8Array {
  const caller = address === undefined ? '' : `CF-Connecting-IP: ${address}\r\n`;
  return Buffer.from(
    `GET ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${secret}\r\nAccept: application/json\r\nCF-Ray: 9e2b41f0cd3a5b17-SYD\r\n${caller}\r\n`,
    'latin1',
  );
}
