// Random values with a mark that shows that they were made here: session cookies and the codes of sign-in links. A made-up value has no
// valid mark, so it costs no query. The mark alone does not sign a person in: a row is needed too. The cookie of a known browser has no
// row, and gives only a separate limit of sign-in links.
import { randomValue, toBase64Url } from './random.ts';
import { currentKeyOf, isSameSecret, mac } from './token/secret.ts';
import type { TagKey, TagKeyRing } from './token/secret.ts';

type Use = 'session' | 'link' | 'known-browser';

const LENGTH = 43;
const BODY_LENGTH = 32;

/**
 * 192 random bits and a MAC of 64, in base64url: 43 characters. `bound` is ASCII and not in the value; `isMarked` must be given the
 * same one.
 */
export function markedValue(ring: TagKeyRing, use: Use, bound = ''): string {
  const body = randomValue().slice(0, BODY_LENGTH);
  return body + markOf(currentKeyOf(ring), use, body + bound);
}

/** Whether a key of the ring made the text for this use and `bound`. No I/O. */
export function isMarked(ring: TagKeyRing, use: Use, text: string, bound = ''): boolean {
  if (text.length !== LENGTH || !/^[\w-]+$/.test(text)) return false;
  const body = text.slice(0, BODY_LENGTH);
  return [...ring.keys.values()].some((key) =>
    isSameSecret(markOf(key, use, body + bound), text.slice(BODY_LENGTH)),
  );
}

function markOf(key: TagKey, use: Use, text: string): string {
  const { high, low } = mac(key, `dz-${use}-mark-v1:${text}`);
  const bytes = new DataView(new ArrayBuffer(8));
  bytes.setUint32(0, high);
  bytes.setUint32(4, low);
  return toBase64Url(new Uint8Array(bytes.buffer));
}
