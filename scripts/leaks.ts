// What must never be printed: the secret of a token, the cookie of a session, the code of a sign-in link. Says what kind
// and where, never the thing itself.
import { stripVTControlCharacters } from 'node:util';

const PATTERNS = [
  // The pattern that scanners look for (docs/decisions/0003-the-shape-of-a-secret.md).
  { kind: 'the secret of a token', pattern: /\b9p[0-9A-Za-z]{3}_dz[0-9A-Za-z]_[0-9A-Za-z]{47}\b/ },
  { kind: 'a session cookie', pattern: /__Host-session=[\w-]{43}/ },
  { kind: 'a sign-in code', pattern: /#code=[\w-]{20}/ },
] as const;

export type Leak = { kind: string; line: number };

/** The first line that holds one (counted from 1), or null. */
export function findLeak(text: string): Leak | null {
  // A colour code ends in a letter: a secret right after one would begin no word.
  for (const [index, line] of stripVTControlCharacters(text).split('\n').entries()) {
    const found = PATTERNS.find(({ pattern }) => pattern.test(line));
    if (found !== undefined) return { kind: found.kind, line: index + 1 };
  }
  return null;
}
