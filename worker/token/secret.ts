// The secret of a token: it is minted, recognised, hashed and shortened to a preview here. Pure and synchronous; randomness is a
// parameter. Layout (57 characters): 9p RRR _dz K _ S×30 T×11 C×6. Nothing here stores, logs or normalises a secret.
import { mac64, macKey, sha256, type MacKey } from './sha-256.ts';

declare const tokenHash: unique symbol;
/** SHA-256 of the whole secret, 64 hex characters: the only form of a secret at rest. */
export type TokenHash = string & { readonly [tokenHash]: true };

/** The id of a token, as `crypto.randomUUID` makes it. It is not a secret. */
export const TOKEN_ID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;

/** A tag key, and what every HMAC under it begins with. */
export type TagKey = { bytes: Uint8Array; mac: MacKey };

/** The tag keys by their id, which is one character. `current` is the id of the key for new secrets. */
export type TagKeyRing = { current: string; keys: ReadonlyMap<string, TagKey> };

/** Fills the array with random bytes, as `crypto.getRandomValues` does. */
export type Random = (bytes: Uint8Array<ArrayBuffer>) => Uint8Array;

/** How many characters a secret has. */
export const SECRET_CHARACTERS = 57;
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
// Literals, because a bundler leaves out those that nothing uses.
/** Of a preview. */
export const PREVIEW = /^9p[0-9A-Za-z]{3}$/;
const SHAPE = /^9p[0-9A-Za-z]{3}_dz[0-9A-Za-z]_[0-9A-Za-z]{47}$/;
/** A look ahead, because the end of one text of this shape may be the beginning of another. */
const SHAPE_WITHIN = /(?=(9p[0-9A-Za-z]{3}_dz[0-9A-Za-z]_[0-9A-Za-z]{47}))/g;
/** Likewise: one or several, each of which begins within the one before it. */
const SHAPES =
  /9p[0-9A-Za-z]{3}_dz[0-9A-Za-z]_[0-9A-Za-z]{47}(?:[0-9A-Za-z]{0,4}_dz[0-9A-Za-z]_[0-9A-Za-z]{47})*/g;
const TAG_LABEL = 'dz-token-tag-v1:';
const RECORD_LABEL = 'dz-cached-record-v1:';
const TAG_START = 40;
const CHECKSUM_START = 51;
const KEY_POSITION = 8;
/** The largest multiple of 62 that fits in a byte. Larger bytes are drawn again, so that every digit is equally likely. */
const UNBIASED = 248;

type RingReading = { ok: true; ring: TagKeyRing } | { ok: false; reason: string };

/** Reads the ring from its two settings. The reason names the setting, never its value. */
export function readTagKeyRing(json: string | undefined, current: string | undefined): RingReading {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json ?? '');
  } catch {
    parsed = null;
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    return { ok: false, reason: 'TAG_KEYS: not a JSON object' };
  }
  const keys = new Map<string, TagKey>();
  for (const [id, value] of Object.entries(parsed)) {
    if (!/^[0-9A-Za-z]$/.test(id)) return { ok: false, reason: 'TAG_KEYS: a key id is one base62 digit' };
    const bytes = typeof value === 'string' ? fromBase64Url(value) : null;
    if (bytes === null || bytes.length < 32) {
      return { ok: false, reason: 'TAG_KEYS: each key is at least 32 bytes in base64url' };
    }
    keys.set(id, tagKeyOf(bytes));
  }
  if (current === undefined || !keys.has(current)) {
    return { ok: false, reason: 'TAG_KEY_CURRENT: names no key of TAG_KEYS' };
  }
  return { ok: true, ring: { current, keys } };
}

export function tagKeyOf(bytes: Uint8Array): TagKey {
  return { bytes, mac: macKey(bytes) };
}

/** A new secret under the ring's current key: 178 random bits, a keyed tag and a public checksum. */
export function mintSecret(
  ring: TagKeyRing,
  random: Random = (bytes) => crypto.getRandomValues(bytes),
): string {
  const body = `9p${randomDigits(3, random)}_dz${ring.current}_${randomDigits(30, random)}`;
  const tagged = body + tagOf(currentKeyOf(ring), body);
  return tagged + checksumOf(tagged);
}

/** Whether the text has a secret's length and alphabet: 57 ASCII characters, each in its place. */
export function hasSecretShape(text: string): boolean {
  return text.length === SECRET_CHARACTERS && SHAPE.test(text);
}

/** Every part of the text that has the shape of a secret. */
export function secretShapesIn(text: string): string[] {
  return Array.from(text.matchAll(SHAPE_WITHIN), ([, shape = '']) => shape);
}

/** The text with its preview and `***` in place of every part that has the shape of a secret. */
export function maskSecrets(text: string): string {
  return text.replaceAll(SHAPES, (shape) => `${previewOfSecret(shape)}***`);
}

/** Whether the text was minted with a key of this ring. Checks length, shape, checksum and tag, in that order. No I/O. */
export function isGenuineSecret(ring: TagKeyRing, text: string): boolean {
  if (!hasSecretShape(text)) return false;
  if (checksumOf(text.slice(0, CHECKSUM_START)) !== text.slice(CHECKSUM_START)) return false;
  const key = ring.keys.get(text.charAt(KEY_POSITION));
  if (key === undefined) return false;
  return isSameSecret(tagOf(key, text.slice(0, TAG_START)), text.slice(TAG_START, CHECKSUM_START));
}

export function hashOfSecret(secret: string): TokenHash {
  // `TokenHash` is a SHA-256 in hex, which this is.
  return sha256(secret) as TokenHash;
}

/** Compares two texts. The time depends on their lengths only. */
export function isSameSecret(expected: string, sent: string): boolean {
  let difference = expected.length ^ sent.length;
  for (let index = 0; index < expected.length; index++) {
    difference |= expected.charCodeAt(index) ^ sent.charCodeAt(index);
  }
  return difference === 0;
}

/** Compares two texts by their digests: the time tells neither their content nor their length. */
export function isSameByDigest(expected: string, sent: string): boolean {
  return isSameSecret(sha256(expected), sha256(sent));
}

/** The first five characters. The dashboard shows them, followed by `***`. */
export function previewOfSecret(secret: string): string {
  return secret.slice(0, 5);
}

/**
 * The seal of a record in KV: 64 bits of a MAC in base62. It binds the record to its hash and to this deployment. Its own label
 * keeps tags and seals apart. `text` is ASCII. All hashes have one length, so hash and text are never confused.
 */
export function sealOf(key: TagKey, hash: TokenHash, text: string): string {
  return macOf(key, RECORD_LABEL + hash + text);
}

function tagOf(key: TagKey, body: string): string {
  return macOf(key, TAG_LABEL + body);
}

function macOf(key: TagKey, text: string): string {
  const { high, low } = mac(key, text);
  return base62(high, low, 11);
}

/** The first 64 bits of HMAC-SHA-256 over ASCII text, in two halves. Each kind of use begins its text with its own label. */
export function mac(key: TagKey, text: string): { high: number; low: number } {
  return mac64(key.mac, text);
}

/** The current key. Throws if the ring does not have it; `readTagKeyRing` never answers such a ring. */
export function currentKeyOf({ current, keys }: TagKeyRing): TagKey {
  const key = keys.get(current);
  if (key === undefined) throw new Error('TAG_KEY_CURRENT: names no key of TAG_KEYS');
  return key;
}

function checksumOf(text: string): string {
  return base62(0, crc32(text), 6);
}

/** The 64-bit number `high`·2³² + `low` in base62, left-padded with `0`. In two halves, because a double holds 53 bits. */
function base62(high: number, low: number, width: number): string {
  let text = '';
  for (let position = 0; position < width; position++) {
    const rest = (high % 62) * 0x1_0000_0000 + low;
    high = Math.floor(high / 62);
    low = Math.floor(rest / 62);
    text = DIGITS.charAt(rest % 62) + text;
  }
  return text;
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++)
    remainder = remainder & 1 ? (remainder >>> 1) ^ 0xed_b8_83_20 : remainder >>> 1;
  return remainder >>> 0;
});

function crc32(text: string): number {
  let crc = 0xff_ff_ff_ff;
  for (let index = 0; index < text.length; index++) {
    // The mask keeps the index inside the table's 256 entries.
    crc = (CRC_TABLE[(crc ^ text.charCodeAt(index)) & 0xff] as number) ^ (crc >>> 8);
  }
  return (crc ^ 0xff_ff_ff_ff) >>> 0;
}

function randomDigits(count: number, random: Random): string {
  let text = '';
  while (text.length < count) {
    for (const byte of random(new Uint8Array(count))) {
      if (byte < UNBIASED && text.length < count) text += DIGITS.charAt(byte % 62);
    }
  }
  return text;
}

/** The bytes, or null if the text is not base64url. */
export function fromBase64Url(text: string): Uint8Array<ArrayBuffer> | null {
  return /^[0-9A-Za-z_-]+$/.test(text) ? fromBase64(text.replaceAll('-', '+').replaceAll('_', '/')) : null;
}

/** The bytes, or null if the text is not base64 (as `atob` reads it: padding may be missing). */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> | null {
  try {
    return Uint8Array.from(atob(text), (digit) => digit.charCodeAt(0));
  } catch {
    return null;
  }
}

/** The hash of a row. The column has only hashes of secrets; that of a limited token is written in capitals. */
export function hashOfRow({ hash }: { hash: string }): TokenHash {
  return hash.toLowerCase() as TokenHash;
}
