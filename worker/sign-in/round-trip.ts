// The state of a single sign-on is a sealed cookie in the browser that began it, for ten minutes. So a beginning costs the
// database nothing. A browser can send the cookie twice, because no row is used up. The provider takes each code once (RFC
// 6749 section 4.1.2), and nonce and PKCE tie the code to this cookie: the provider refuses a second callback.
import { COOKIE_ATTRIBUTES } from './cookie.ts';
import { seal, unseal } from '../seal.ts';
import type { TagKeyRing } from '../token/secret.ts';

export type RoundTrip = { state: string; nonce: string; codeVerifier: string; returnTo: string };

const ROUND_TRIP_MS = 10 * 60 * 1000;
/** Each tab has its own cookie, named by the beginning of its state. */
const PREFIX = '__Host-oidc-';
const STATE_LENGTH = 8;
const NAME = new RegExp(`^${PREFIX}[\\w-]{${STATE_LENGTH}}$`);
/** As many tabs of one browser may be under way; a further one ends the others. */
const TABS = 3;
/** As many are ended at a time. A caller can send thousands of names, and each one is a header of the answer. */
const MOST_ENDED = 20;

function nameOf(state: string): string {
  return PREFIX + state.slice(0, STATE_LENGTH);
}

/**
 * The `Set-Cookie` values that begin a round trip. `bound` (issuer, client, callback) is what the callback has to agree in;
 * `cookies` are those that the browser sent, by name.
 */
export async function beginRoundTrip(
  ring: TagKeyRing,
  trip: RoundTrip,
  bound: string,
  cookies: Record<string, string>,
  now: number,
): Promise<string[]> {
  const text = JSON.stringify({ ...trip, expiresAt: now + ROUND_TRIP_MS });
  const sealed = await seal(ring, 'round-trip', text, bound);
  const others = Object.keys(cookies)
    .filter((name) => NAME.test(name))
    .slice(0, MOST_ENDED);
  return [
    `${nameOf(trip.state)}=${sealed}; Max-Age=${ROUND_TRIP_MS / 1000}; ${COOKIE_ATTRIBUTES}`,
    ...(others.length < TABS ? [] : others.map((name) => `${name}=; Max-Age=0; ${COOKIE_ATTRIBUTES}`)),
  ];
}

/** The round trip that this browser began with this state; null where it began none, or more than ten minutes ago. */
export async function readRoundTrip(
  ring: TagKeyRing,
  state: string,
  bound: string,
  cookies: Record<string, string>,
  now: number,
): Promise<RoundTrip | null> {
  const text = await unseal(ring, 'round-trip', cookies[nameOf(state)] ?? '', bound);
  if (text === null) return null;
  // Sealed for this use by `beginRoundTrip` alone.
  const { expiresAt, ...trip } = JSON.parse(text) as RoundTrip & { expiresAt: number };
  return trip.state === state && expiresAt > now ? trip : null;
}

/** The `Set-Cookie` value that ends a round trip. */
export function endRoundTrip(state: string): string {
  return `${nameOf(state)}=; Max-Age=0; ${COOKIE_ATTRIBUTES}`;
}
