// The cookie by which a browser shows in whose name members signed in with it. It holds a marked value for each of the last few
// members. It opens nothing: a member's known browsers have a share of sign-in links of their own, and a sign-in by a browser that
// is not known is told to the member by mail. The database holds nothing about it.
import { isMarked, markedValue } from '../marked.ts';
import { isRandomValue } from '../random.ts';
import type { TagKeyRing } from '../token/secret.ts';
import { COOKIE_ATTRIBUTES } from './cookie.ts';

export const KNOWN_COOKIE = '__Host-known-browser';
const KNOWN_SECONDS = 180 * 24 * 60 * 60;
/** Members of one browser. The one who signed in longest ago is forgotten first. */
const MEMBERS = 4;

function valuesOf(cookie: string | undefined): string[] {
  return (cookie ?? '').split('.', MEMBERS).filter(isRandomValue);
}

/** Whether the member has signed in with the browser that sent this cookie, within 180 days. No I/O. */
export function isKnownBrowser(ring: TagKeyRing, cookie: string | undefined, email: string): boolean {
  return valuesOf(cookie).some((value) => isMarked(ring, 'known-browser', value, email));
}

/** The `Set-Cookie` value for a browser that sent this cookie, and in which the member has signed in now. */
export function knownCookie(ring: TagKeyRing, cookie: string | undefined, email: string): string {
  const others = valuesOf(cookie).filter((value) => !isMarked(ring, 'known-browser', value, email));
  const values = [markedValue(ring, 'known-browser', email), ...others].slice(0, MEMBERS);
  return `${KNOWN_COOKIE}=${values.join('.')}; Max-Age=${KNOWN_SECONDS}; ${COOKIE_ATTRIBUTES}`;
}
