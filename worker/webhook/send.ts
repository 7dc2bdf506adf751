// Sends one message to WEBHOOK_URL, and says in a word of our own what became of it. Nothing that the receiver sends is kept but its
// status.
import type { Message, Sign } from './message.ts';

export type Delivery =
  | { ok: true }
  | {
      ok: false;
      /** A sentence of our own, without anything of the URL or of the answer but its status. */
      reason: string;
      /** `again`: the same message may be taken a moment later. `gone`: 410. `limited`: this run may send no more requests. */
      kind: 'again' | 'later' | 'gone' | 'limited';
    };

/** A receiver that has not answered by then is too slow. */
const TIMEOUT_MS = 10_000;

export async function send(url: string, sign: Sign, message: Message): Promise<Delivery> {
  const headers = await sign(message, Date.now());
  let answer: Response;
  try {
    answer = await fetch(url, {
      method: 'POST',
      headers,
      body: message.body,
      // Another address is for the operator to set. A message about one customer is not sent to wherever an answer says.
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (error) {
    return failureOf(error);
  }
  // The body is not read: it may be endless. A connection that breaks now changes nothing.
  await answer.body?.cancel().catch(() => undefined);
  return deliveryOf(answer.status);
}

function deliveryOf(status: number): Delivery {
  if (status >= 200 && status < 300) return { ok: true };
  const reason = `answered ${status}`;
  if (status === 410) return { ok: false, reason, kind: 'gone' };
  return { ok: false, reason, kind: status >= 500 ? 'again' : 'later' };
}

/** The message of an error may name the URL, so it is not told. */
function failureOf(error: unknown): Delivery {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  if (name === 'TimeoutError' || name === 'AbortError')
    return { ok: false, reason: `no answer within ${TIMEOUT_MS / 1000} seconds`, kind: 'later' };
  if (/too many subrequests/i.test(message))
    return { ok: false, reason: 'too many requests', kind: 'limited' };
  return { ok: false, reason: 'no connection', kind: 'again' };
}
