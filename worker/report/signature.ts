// ECDSA signatures over P-256 and SHA-256, as GitHub sends them: in ASN.1 DER, by a key in PEM. WebCrypto takes the two numbers as 32
// bytes each.
import { fromBase64 } from '../token/secret.ts';

const NUMBER_BYTES = 32;
const SEQUENCE = 0x30;
const INTEGER = 0x02;

/** Whether the signature (DER in base64) over these bytes is of this key (SPKI in PEM). False also for a broken one. */
export async function isSignedBy(pem: string, signature: string, bytes: Uint8Array): Promise<boolean> {
  const raw = rawOfDer(fromBase64(signature));
  const spki = fromBase64(pem.replaceAll(/-----[A-Z ]+-----|\s/g, ''));
  if (raw === null || spki === null) return false;
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  try {
    const key = await crypto.subtle.importKey('spki', spki, algorithm, false, ['verify']);
    return await crypto.subtle.verify(algorithm, key, raw, bytes as Uint8Array<ArrayBuffer>);
  } catch {
    // Not a key of this kind.
    return false;
  }
}

/** A sequence of two numbers, each in its shortest form, and nothing after them; or null. */
function rawOfDer(der: Uint8Array | null): Uint8Array<ArrayBuffer> | null {
  if (der === null || der[0] !== SEQUENCE || der[1] !== der.length - 2) return null;
  const raw = new Uint8Array(2 * NUMBER_BYTES);
  let at = 2;
  for (const end of [NUMBER_BYTES, 2 * NUMBER_BYTES]) {
    const length = der[at + 1] ?? 0;
    const number = der.subarray(at + 2, at + 2 + length);
    // A first byte of zero says that the number is positive.
    const digits = number[0] === 0 ? number.subarray(1) : number;
    const isGood =
      der[at] === INTEGER && length > 0 && number.length === length && digits.length <= NUMBER_BYTES;
    if (!isGood) return null;
    raw.set(digits, end - digits.length);
    at += 2 + length;
  }
  return at === der.length ? raw : null;
}
