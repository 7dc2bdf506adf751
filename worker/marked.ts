// Random values that show that they were made here: session cookies and the codes of sign-in links. A made-up one is told by its
// mark alone, so that it costs no query. The mark alone does not sign a person in; the row is needed.
import { randomValue, toBase64Url } from './random.ts';
import { currentKeyOf, isSameSecret, mac } from './token/secret.ts';
import type { TagKeyRing } from './token/secret.ts';

type Use = 'session' | 'link';

const LENGTH = 43;
const BODY_LENGTH = 32;

/** 192 random bits and a MAC of 64, in base64url: 43 characters. */
export function markedValue(ring: TagKeyRing, use: Use): string {
  const body = randomValue().slice(0, BODY_LENGTH);
  return body + markOf(currentKeyOf(ring), use, body);
}

/** Whether a key of the ring made the text for this use. No I/O. */
export function isMarked(ring: TagKeyRing, use: Use, text: string): boolean {
  if (text.length !== LENGTH || !/^[\w-]+$/.test(text)) return false;
  const body = text.slice(0, BODY_LENGTH);
  return [...ring.keys.values()].some((key) => isSameSecret(markOf(key, use, body), text.slice(BODY_LENGTH)));
}

function markOf(key: Uint8Array, use: Use, body: string): string {
  const { high, low } = mac(key, `dz-${use}-mark-v1:${body}`);
  const bytes = new DataView(new ArrayBuffer(8));
  bytes.setUint32(0, high);
  bytes.setUint32(4, low);
  return toBase64Url(new Uint8Array(bytes.buffer));
}
