// Finds output that must never be printed: the secret of a token, the cookie of a session, the code of a sign-in link; in a line
// of the Worker's log also a hash, an address or a query. The report gives the kind and the line, never the secret.
import { stripVTControlCharacters } from 'node:util';

const PATTERNS = [
  // The pattern that scanners look for (docs/decisions/0003-the-shape-of-a-secret.md).
  { kind: 'the secret of a token', pattern: /\b9p[0-9A-Za-z]{3}_dz[0-9A-Za-z]_[0-9A-Za-z]{47}\b/ },
  { kind: 'a session cookie', pattern: /(?:__Host-|local-)session=[\w-]{43}/ },
  { kind: 'a single sign-on under way', pattern: /(?:__Host-|local-)oidc-[\w-]{8}=[\w-]{20}/ },
  { kind: 'a sign-in code', pattern: /#code=[\w-]{20}/ },
] as const;

/** A Worker must never print these. Tools and test reports may, because they print hashes of files. */
const WORKER_PATTERNS = [
  // 32 random bytes: all our cookies, codes, keys and nonces. The second pattern is their SHA-256.
  { kind: 'a random value', pattern: /(?<![\w-])[\w-]{43}(?![\w-])/ },
  { kind: 'a hash', pattern: /[0-9a-f]{64}/i },
] as const;

/** A line of the Worker's own log (worker/http/log.ts) is told by how it begins, and must hold even less. */
const LOG_LINE = /^\{"(?:method":"\w+","route|level":"error","event)":/;
const LOG_PATTERNS = [
  { kind: 'an e-mail address', pattern: /[\w.+-](?:@|%40)[\w-]+\./ },
  { kind: 'a query', pattern: /\?\w+=/ },
] as const;

export type Leak = { kind: string; line: number };

/** The first line with a leak (counted from 1), or null. `isOfWorker`: a Worker printed all of the text. */
export function findLeak(text: string, isOfWorker = false): Leak | null {
  // A colour code ends in a letter, so a secret right after it would not be at a word boundary.
  for (const [index, line] of stripVTControlCharacters(text).split('\n').entries()) {
    const isLog = LOG_LINE.test(line);
    const found = [
      ...PATTERNS,
      ...(isOfWorker || isLog ? WORKER_PATTERNS : []),
      ...(isLog ? LOG_PATTERNS : []),
    ].find(({ pattern }) => pattern.test(line));
    if (found !== undefined) return { kind: found.kind, line: index + 1 };
  }
  return null;
}
