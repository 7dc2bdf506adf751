// The client that asks for an introspection: its id and secret, by HTTP Basic or in the form (RFC 6749 section 2.3.1).
import { isSameByDigest } from '../token/secret.ts';

/** The fields of the form; `token_type_hint` is not read, because there is one type. */
export type FormField = 'token' | 'token_type_hint' | 'ip' | 'origin' | 'client_id' | 'client_secret';

/** The secrets of the configured clients by their ids. */
export type Clients = Readonly<Record<string, string>>;

export type ClientCredential = { id: string; secret: string };

/**
 * The credentials that an Authorization header may mean; none if it is not HTTP Basic. RFC 6749 wants id and secret form-encoded;
 * curl and many libraries send them unencoded.
 */
export function basicCredentials(authorization: string): ClientCredential[] {
  const basic = /^Basic +([A-Za-z0-9+/]+=*)$/i.exec(authorization)?.[1];
  const text = basic === undefined ? null : decodeBase64(basic);
  const colon = text?.indexOf(':') ?? -1;
  if (text === null || colon < 0) return [];
  const raw = { id: text.slice(0, colon), secret: text.slice(colon + 1) };
  return [raw, { id: formDecoded(raw.id), secret: formDecoded(raw.secret) }];
}

/** The credential in the fields of a form, or none. */
export function formCredentials(form: URLSearchParams): ClientCredential[] {
  const field = (name: FormField) => form.get(name);
  const [id, secret] = [field('client_id'), field('client_secret')];
  return id === null || secret === null ? [] : [{ id, secret }];
}

/**
 * The id of the client that one of the credentials belongs to, or null. All credentials are compared by their digests,
 * even for an unknown id, so that the time tells neither ids nor secrets.
 */
export function clientOf(clients: Clients, credentials: ClientCredential[]): string | null {
  const matches = credentials.map(({ id, secret }) => {
    const expected = Object.hasOwn(clients, id) ? clients[id] : undefined;
    const same = isSameByDigest(String(expected), secret);
    return same && typeof expected === 'string';
  });
  return credentials[matches.indexOf(true)]?.id ?? null;
}

/** Decodes as UTF-8, which the challenge asks for, or as Latin-1 if it is not UTF-8 (Python's requests). Null for broken base64. */
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
