// The one form of an e-mail address: ASCII, lower-case, exact match ever after. Pure.

// No quoted local parts, no IP literals: what a directory or an identity provider really hands out (RFC 5321 limits).
const ADDRESS =
  /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * The address in its one form, or null. Compatibility characters (full-width letters and the like) are refused rather
 * than folded: two spellings must never meet in one account.
 */
export function normaliseEmail(text: string): string | null {
  if (text.length > 254 || text.normalize('NFKC') !== text) return null;
  const address = text.toLowerCase();
  if (!ADDRESS.test(address) || address.indexOf('@') > 64) return null;
  return address;
}
