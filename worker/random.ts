// Opaque values that a browser holds, and the form in which the database keeps them. Never log either.
import { sha256 } from './token/sha-256.ts';

/** 32 random bytes in base64url: session cookies, sign-in codes, states. */
export function randomValue(): string {
  return toBase64Url(crypto.getRandomValues(new Uint8Array(32)));
}

/** Whether a text has the form of a `randomValue`. It may be anybody's. */
export function isRandomValue(text: string): boolean {
  return /^[\w-]{43}$/.test(text);
}

export function toBase64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '');
}

/** SHA-256 of the text, 64 hex characters. */
export function sha256Hex(text: string): string {
  return sha256(text);
}
