// What the operator can do to the push of events: try the receiver, and choose from which event on it is sent.
import type { Cause } from '../activity/events.ts';
import type { Db } from '../database.ts';
import { signerOf, testMessage } from './message.ts';
import { begin, moveCursor, startAgain } from './outbox.ts';
import { send } from './send.ts';

export type Receiver = { url: string; urlHash: string; keys: readonly Uint8Array<ArrayBuffer>[] };

/** Sends one message that is about no event; `now` in ms. Where the receiver accepts it, a stopped or failing push goes on at once. */
export async function testReceiver(
  db: Db,
  { url, urlHash, keys }: Receiver,
  now: number,
): Promise<{ ok: true; reason: null } | { ok: false; reason: string }> {
  const delivery = await send(url, await signerOf(keys), testMessage(now));
  if (!delivery.ok) return { ok: false, reason: delivery.reason };
  await begin(db, urlHash);
  await startAgain(db, urlHash);
  return { ok: true, reason: null };
}

/**
 * Puts the push behind the event of this number: events up to it are not sent, or are sent again. On record like every change, and
 * the event about it is pushed as well. `above-newest`: there is no such event yet.
 */
export async function movePush(
  db: Db,
  urlHash: string,
  cause: Cause,
  cursor: number,
): Promise<{ ok: true } | { ok: false; reason: 'above-newest' }> {
  await begin(db, urlHash);
  return (await moveCursor(db, cause, cursor)) ? { ok: true } : { ok: false, reason: 'above-newest' };
}
