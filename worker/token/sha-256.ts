// SHA-256 and HMAC-SHA-256 (FIPS 180-4, RFC 2104) for the short texts of this product, synchronous and pure.
// Why not node:crypto or crypto.subtle: in workerd each of their calls takes about 6 µs, against 1.3 µs here, and most of the
// time of a warm verification is hashing. Importing node:crypto also adds 5 ms to the start of every isolate. Do not use this for
// streams. A test compares it with node:crypto.

/** A key with its two padded blocks already absorbed, so that a tag costs three blocks instead of five. */
export type MacKey = { inner: Int32Array; outer: Int32Array };

const BLOCK = 64;
const PRIMES = [2];
for (let candidate = 3; PRIMES.length < 64; candidate += 2) {
  if (PRIMES.every((prime) => candidate % prime > 0)) PRIMES.push(candidate);
}
// The first 32 bits of the fractional parts of the square roots of the first 8 primes (FIPS 180-4 section 5.3.3), and of
// the cube roots of the first 64 (section 4.2.2). A double holds 53 bits, of which these take 35.
const INITIAL = Int32Array.from(PRIMES.slice(0, 8), (prime) => (Math.sqrt(prime) % 1) * 2 ** 32);
const ROUND = Int32Array.from(PRIMES, (prime) => (Math.cbrt(prime) % 1) * 2 ** 32);
// The message schedule: one for the isolate, since nothing here waits.
const words = new Int32Array(BLOCK);
// The state of the hash, also one for the isolate: a new typed array for each call would be most of its cost.
const work = new Int32Array(8);
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** SHA-256 of the text's UTF-8 bytes, 64 hex characters. */
export function sha256(text: string): string {
  work.set(INITIAL);
  absorb(work, isAscii(text) ? text : binary(new TextEncoder().encode(text)), 0);
  let hex = '';
  for (let index = 0; index < work.length; index++) {
    const word = work[index] as number;
    hex += byteHex(word >>> 24) + byteHex(word >>> 16) + byteHex(word >>> 8) + byteHex(word);
  }
  return hex;
}

/** Prepares a key; one longer than a block is hashed first (RFC 2104 section 2). */
export function macKey(key: Uint8Array): MacKey {
  const keyWords = new Int32Array(16);
  if (key.length > BLOCK) {
    const state = INITIAL.slice();
    absorb(state, binary(key), 0);
    keyWords.set(state);
  } else {
    for (const [index, byte] of key.entries()) {
      const word = index >> 2;
      keyWords[word] = (keyWords[word] as number) | (byte << (24 - 8 * (index & 3)));
    }
  }
  return { inner: padded(keyWords, 0x36363636), outer: padded(keyWords, 0x5c5c5c5c) };
}

/** The first 64 bits of HMAC-SHA-256 over an ASCII text, as two unsigned 32-bit halves. */
export function mac64(key: MacKey, text: string): { high: number; low: number } {
  work.set(key.inner);
  absorb(work, text, BLOCK);
  words.set(work);
  words.fill(0, work.length, 15);
  words[work.length] = 0x80000000;
  words[15] = (BLOCK + 32) * 8;
  work.set(key.outer);
  compress(work);
  // A state has eight words.
  return { high: (work[0] as number) >>> 0, low: (work[1] as number) >>> 0 };
}

function padded(keyWords: Int32Array, pad: number): Int32Array {
  const state = INITIAL.slice();
  for (const [index, word] of keyWords.entries()) words[index] = word ^ pad;
  compress(state);
  return state;
}

/** Absorbs a text of one byte per character and its padding; `before` counts the bytes that the state holds already. */
function absorb(state: Int32Array, text: string, before: number): void {
  const blocks = Math.ceil((text.length + 9) / BLOCK);
  for (let block = 0; block < blocks; block++) {
    for (let word = 0; word < 16; word++) {
      const at = block * BLOCK + word * 4;
      words[word] =
        (byteAt(text, at) << 24) |
        (byteAt(text, at + 1) << 16) |
        (byteAt(text, at + 2) << 8) |
        byteAt(text, at + 3);
    }
    // The length in bits; its upper half stays 0, for texts below 512 MB.
    if (block === blocks - 1) words[15] = (before + text.length) * 8;
    compress(state);
  }
}

function byteAt(text: string, at: number): number {
  if (at < text.length) return text.charCodeAt(at);
  return at === text.length ? 0x80 : 0;
}

/** FIPS 180-4 section 6.2.2. Indexes stay below 64 by the loops' bounds. */
function compress(state: Int32Array): void {
  for (let t = 16; t < 64; t++) {
    const x = words[t - 15] as number;
    const y = words[t - 2] as number;
    const small0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const small1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    words[t] = small1 + (words[t - 7] as number) + small0 + (words[t - 16] as number);
  }
  let a = state[0] as number;
  let b = state[1] as number;
  let c = state[2] as number;
  let d = state[3] as number;
  let e = state[4] as number;
  let f = state[5] as number;
  let g = state[6] as number;
  let h = state[7] as number;
  for (let t = 0; t < 64; t++) {
    const large1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const one = (h + large1 + ((e & f) ^ (~e & g)) + (ROUND[t] as number) + (words[t] as number)) | 0;
    const large0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const two = (large0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + one) | 0;
    d = c;
    c = b;
    b = a;
    a = (one + two) | 0;
  }
  add(state, 0, a);
  add(state, 1, b);
  add(state, 2, c);
  add(state, 3, d);
  add(state, 4, e);
  add(state, 5, f);
  add(state, 6, g);
  add(state, 7, h);
}

function add(state: Int32Array, index: number, value: number): void {
  state[index] = (state[index] as number) + value;
}

function byteHex(value: number): string {
  return HEX[value & 0xff] as string;
}

function isAscii(text: string): boolean {
  return /^\p{ASCII}*$/u.test(text);
}

function binary(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
