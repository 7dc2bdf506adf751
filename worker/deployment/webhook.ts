// Where the events are pushed to, and the keys that sign the messages (Standard Webhooks).
import { sha256Hex } from '../random.ts';
import { fromBase64 } from '../token/secret.ts';
import type { Env } from './env.ts';
import { hasUser, isLocalHttp } from './reading.ts';
import type { Reading } from './reading.ts';

export type WebhookSettings = {
  url: string;
  /** The URL without its query, which may hold a secret. */
  shownUrl: string;
  /** SHA-256 of the URL in hex: the database knows the URL by it. */
  urlHash: string;
  /** One, or two while the secret is being replaced. */
  keys: readonly Uint8Array<ArrayBuffer>[];
};

const PREFIX = 'whsec_';
/** In bytes, as Standard Webhooks asks of a key. */
const LEAST = 24;
const MOST = 64;
/** Names of machines in private networks: RFC 6761, 6762 (appendix G), 8375, ICANN's .internal, and what many systems call themselves. */
const PRIVATE_ENDINGS =
  /\.(?:localhost|localdomain|local|internal|intranet|private|corp|home|lan|home\.arpa)$/;

/** Null where no URL is set: then nothing is pushed. */
export function readWebhook(env: Env, isLocalMode: boolean): Reading<WebhookSettings | null> {
  const { WEBHOOK_URL: url = '' } = env;
  const fault = (text: string) => ({ value: null, fault: text });
  if (url === '') return { value: null };
  const parsed = URL.parse(url);
  if (parsed === null) return fault('WEBHOOK_URL: not a URL');
  const wrong = faultOf(parsed, isLocalMode);
  if (wrong !== null) return fault(`WEBHOOK_URL: ${wrong}`);
  const { WEBHOOK_SECRET: secret = '', WEBHOOK_SECRET_NEXT: next = '' } = env;
  if (secret === '') return fault('WEBHOOK_SECRET: not set. WEBHOOK_URL needs the key of its signatures');
  const keys: Uint8Array<ArrayBuffer>[] = [];
  for (const [name, value] of Object.entries({ WEBHOOK_SECRET: secret, WEBHOOK_SECRET_NEXT: next })) {
    if (value === '') continue;
    const key = keyOf(value);
    if (key === null) return fault(`${name}: not ${PREFIX} and ${LEAST} to ${MOST} bytes in base64`);
    keys.push(key);
  }
  const { href, origin, pathname } = parsed;
  return { value: { url: href, shownUrl: `${origin}${pathname}`, urlHash: sha256Hex(href), keys } };
}

/**
 * A Worker cannot see which address a name leads to. What can be seen is refused: an address, which Cloudflare does not call either,
 * and a name that only a private network knows.
 */
function faultOf(url: URL, isLocalMode: boolean): string | null {
  if (hasUser(url) || url.hash !== '') return 'has a user, a password or a fragment';
  if (isLocalHttp(isLocalMode, url)) return null;
  if (url.protocol !== 'https:') return 'not https';
  // `URL` writes an IPv4 address in its usual form, however it was written, and puts brackets around an IPv6 address.
  const host = url.hostname.replace(/\.+$/, '');
  if (host.startsWith('[') || /(?:^|\.)\d+$/.test(host)) return 'names an address. It has to name a host';
  if (!host.includes('.') || PRIVATE_ENDINGS.test(host)) return 'names a host of a private network';
  return null;
}

function keyOf(secret: string): Uint8Array<ArrayBuffer> | null {
  const text = secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : '';
  if (!/^(?:[A-Za-z\d+/]{4})*(?:[A-Za-z\d+/]{2}==|[A-Za-z\d+/]{3}=)?$/.test(text)) return null;
  const bytes = fromBase64(text);
  return bytes !== null && bytes.length >= LEAST && bytes.length <= MOST ? bytes : null;
}
