// An event as a message of Standard Webhooks (github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md). Pure, but
// for the signature, which WebCrypto makes.
import type { OperatorEvent } from '../activity/store.ts';
import { sha256Hex } from '../random.ts';

/** `id`: the header `webhook-id`, by which a receiver knows a message again. `body`: JSON. */
export type Message = { id: string; body: string };

/**
 * The same event has the same id at every try, in every release, and after a restore. So the id is made of what the event says, and
 * not of its number: a restored database gives the numbers of lost events to new events, and an event that is put on record again
 * gets another number.
 */
export function messageOf(event: OperatorEvent): Message {
  const { at, requestId, action, organisationId, tokenId, preview, detail } = event;
  const said = JSON.stringify([at, requestId, action, organisationId, tokenId, preview, detail]);
  return {
    id: `evt_${sha256Hex(said).slice(0, 32)}`,
    body: JSON.stringify({ type: action, timestamp: at, data: event }),
  };
}

/** A message about no event, with an id of its own. `now`: ms. */
export function testMessage(now: number): Message {
  const timestamp = new Date(now).toISOString();
  return {
    id: `test_${crypto.randomUUID()}`,
    body: JSON.stringify({ type: 'webhook.test', timestamp, data: {} }),
  };
}

/** The headers of a message that is sent at `now` (ms). */
export type Sign = (message: Message, now: number) => Promise<Record<string, string>>;

const HMAC = { name: 'HMAC', hash: 'SHA-256' };

/** Signs once with each key, so that a receiver that knows one of them accepts the message. */
export async function signerOf(keys: readonly Uint8Array<ArrayBuffer>[]): Promise<Sign> {
  const imported = await Promise.all(
    keys.map((key) => crypto.subtle.importKey('raw', key, HMAC, false, ['sign'])),
  );
  return async ({ id, body }, now) => {
    const timestamp = String(Math.floor(now / 1000));
    const signed = new TextEncoder().encode(`${id}.${timestamp}.${body}`);
    const signatures = await Promise.all(
      imported.map(async (key) => {
        const mac = new Uint8Array(await crypto.subtle.sign(HMAC, key, signed));
        return `v1,${btoa(String.fromCharCode(...mac))}`;
      }),
    );
    return {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': signatures.join(' '),
    };
  };
}
