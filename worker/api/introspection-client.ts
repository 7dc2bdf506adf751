// Who asks for an introspection: a client id and a secret, by HTTP Basic or in the form (RFC 6749 section 2.3.1).
import { sha256Hex } from '../random.ts';
import { isSameSecret } from '../token/secret.ts';

export type ClientCredential = { id: string; secret: string };

/**
 * What an Authorization header may mean, or nothing where it is no HTTP Basic. RFC 6749 has id and secret form-encoded first;
 * curl and many libraries send them as they are.
 */
export function basicCredentials(authorization: string): ClientCredential[] {
  const basic = /^Basic +([A-Za-z0-9+/]+=*)$/i.exec(authorization)?.[1];
  const text = basic === undefined ? null : decodeBase64(basic);
  const colon = text?.indexOf(':') ?? -1;
  if (text === null || colon < 0) return [];
  const raw = { id: text.slice(0, colon), secret: text.slice(colon + 1) };
  return [raw, { id: formDecoded(raw.id), secret: formDecoded(raw.secret) }];
}

/** What the fields of a form say, or nothing. */
export function formCredentials(form: URLSearchParams): ClientCredential[] {
  const [id, secret] = [form.get('client_id'), form.get('client_secret')];
  return id === null || secret === null ? [] : [{ id, secret }];
}

/**
 * Whether one of the credentials is that of a client; `clients` has secrets by id. All are compared, even for an unknown id, by
 * digests: the time tells neither ids nor secrets.
 */
export function isClient(
  clients: Readonly<Record<string, string>>,
  credentials: ClientCredential[],
): boolean {
  const matches = credentials.map(({ id, secret }) => {
    const expected = Object.hasOwn(clients, id) ? clients[id] : undefined;
    const same = isSameSecret(sha256Hex(String(expected)), sha256Hex(secret));
    return same && typeof expected === 'string';
  });
  return matches.includes(true);
}

/** As UTF-8, which the challenge asks for; as Latin-1 where it is none (Python's requests). Null for broken base64. */
function decodeBase64(base64: string): string | null {
  let bytes: string;
  try {
    bytes = atob(base64);
  } catch {
    return null;
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
      Uint8Array.from(bytes, (byte) => byte.charCodeAt(0)),
    );
  } catch {
    return bytes;
  }
}

function formDecoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}
