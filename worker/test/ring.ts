// Tag keys for tests that need several of them.
import { readTagKeyRing } from '../token/secret.ts';
import type { TagKeyRing } from '../token/secret.ts';

/** A ring with one key for each character of `ids`; an id has the same key in every ring. */
export function ringOf(current: string, ids: string): TagKeyRing {
  const keys = Object.fromEntries(
    [...ids].map((id) => [id, Buffer.alloc(32, `key ${id}`).toString('base64url')]),
  );
  const reading = readTagKeyRing(JSON.stringify(keys), current);
  if (!reading.ok) throw new Error(reading.reason);
  return reading.ring;
}
