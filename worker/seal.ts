// Sealed text, which a browser keeps for us but can neither read nor make. AES-256-GCM (WebCrypto) with a new nonce, under a key that
// HKDF-SHA-256 derives from a tag key, with a label for each use. So it needs no further secret, and changes with the ring.
// A person with a tag key can seal text, so sealed text alone must never grant access.
import { toBase64Url } from './random.ts';
import { currentKeyOf, fromBase64Url } from './token/secret.ts';
import type { TagKey, TagKeyRing } from './token/secret.ts';

/** The use of the text. Text that was sealed for one use is not valid for another. */
type Use = 'activity-cursor' | 'round-trip';

const NONCE_BYTES = 12;
const encoder = new TextEncoder();

/**
 * Seals the text under the current key. The answer is the id of the key, then base64url of nonce, ciphertext and tag. `bound` is
 * not in it; `unseal` must be given the same one.
 */
export async function seal(ring: TagKeyRing, use: Use, text: string, bound: string): Promise<string> {
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const sealed = await crypto.subtle.encrypt(
    { name: 'AES-GCM', iv: nonce, additionalData: encoder.encode(bound) },
    await derive(currentKeyOf(ring), use),
    encoder.encode(text),
  );
  return ring.current + toBase64Url(new Uint8Array([...nonce, ...new Uint8Array(sealed)]));
}

/** The text, or null where this ring has not sealed it for this use and `bound`. Every key of the ring opens what it sealed. */
export async function unseal(
  ring: TagKeyRing,
  use: Use,
  sealed: string,
  bound: string,
): Promise<string | null> {
  const key = ring.keys.get(sealed.slice(0, 1));
  const bytes = fromBase64Url(sealed.slice(1));
  if (key === undefined || bytes === null || bytes.length <= NONCE_BYTES) return null;
  try {
    const text = await crypto.subtle.decrypt(
      {
        name: 'AES-GCM',
        iv: bytes.slice(0, NONCE_BYTES),
        additionalData: encoder.encode(bound),
      },
      await derive(key, use),
      bytes.slice(NONCE_BYTES),
    );
    return new TextDecoder().decode(text);
  } catch {
    return null;
  }
}

async function derive({ bytes }: TagKey, use: Use): Promise<CryptoKey> {
  const material = await crypto.subtle.importKey('raw', bytes.slice(), 'HKDF', false, ['deriveKey']);
  return crypto.subtle.deriveKey(
    {
      name: 'HKDF',
      hash: 'SHA-256',
      salt: new Uint8Array(0),
      info: encoder.encode(`developer-zone seal v1: ${use}`),
    },
    material,
    { name: 'AES-GCM', length: 256 },
    false,
    ['encrypt', 'decrypt'],
  );
}
