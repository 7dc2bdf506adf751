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

/** Of the caller, as Cloudflare says it; `agent` as it says itself. */
export type From = {
  address?: string;
  agent?: string;
  cf?: { asn: number; asOrganization: string; country: string };
};

/** One GET with a bearer credential, as bytes; CF-Ray as every request carries it on Cloudflare. */
export function request(path: string, secret: string, { address, agent, cf }: From = {}): Uint8Array {
  const headers = {
    Host: 'localhost',
    Authorization: `Bearer ${secret}`,
    Accept: 'application/json',
    'CF-Ray': '9e2b41f0cd3a5b17-SYD',
    'CF-Connecting-IP': address,
    'User-Agent': agent,
    // Miniflare makes `request.cf` of it.
    'MF-CF-Blob': cf === undefined ? undefined : JSON.stringify(cf),
  };
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${value}\r\n`],
  );
  return Buffer.from(`GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1');
}
