// The address at which a leaked secret was seen, as it may be kept. A stranger writes it.
import { maskSecrets, secretShapesIn } from '../token/secret.ts';
import { SEEN_LENGTH } from './bounds.ts';

/** How often text is decoded to look for a secret in it. */
const DECODINGS = 5;

/**
 * The address without a user, a password, a fragment and any secret of ours, or null if it is not http(s) or too long, as it was sent
 * or as it is kept. Where a secret stands in an encoding, only the origin is kept.
 */
export function seenAt(text: string): string | null {
  const url = text.length > SEEN_LENGTH ? null : URL.parse(text);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) return null;
  url.username = '';
  url.password = '';
  url.hash = '';
  const masked = maskSecrets(url.href);
  const kept = hidesSecret(masked) ? `${maskSecrets(url.origin)}/` : masked;
  return kept.length > SEEN_LENGTH ? null : kept;
}

/** Whether the text has a secret once its percent-encoding is taken away, as often as somebody may have written it. */
function hidesSecret(text: string): boolean {
  let decoded = text;
  for (let times = 0; times < DECODINGS; times++) {
    const next = decoded.replaceAll(/%([2-7][0-9a-f])/gi, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
    if (secretShapesIn(next).length > 0) return true;
    if (next === decoded) return false;
    decoded = next;
  }
  // Encoded more often than anybody does by accident.
  return true;
}
