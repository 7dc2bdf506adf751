// Reads the credential of a request: Authorization (RFC 6750 section 2.1) or X-API-Key, never the query string, a cookie or a body.
// Whether the credential is accepted is decided elsewhere.

export type Credential =
  | { ok: true; secret: string }
  | { ok: false; reason: 'authentication-required' | 'malformed-credential' };

// RFC 6750 section 2.1: b64token. The scheme is in any case (RFC 9110 section 11.1), with one or more spaces after it.
const BEARER = /^bearer +([A-Za-z0-9\-._~+/]+=*)$/i;
const BEARER_SCHEME = /^bearer(?![A-Za-z0-9!#$%&'*+\-.^_`|~])/i;
// RFC 9110 section 11.4: a scheme whose parameters have commas between them (Digest, AWS4-HMAC-SHA256). A Worker gets two headers
// as one with a comma too, but then a scheme follows the comma and not a parameter. Spaces after the scheme match in one way only:
// anybody may send 100 KB of spaces, and the time must not grow with the square of their number.
const PARAMETERS =
  /^[^\s,"=]+ +(?! )(?:[^,"]|"(?:[^"\\]|\\.)*")*(?:,[ \t]*[^\s,"=]+[ \t]*=(?:[^,"]|"(?:[^"\\]|\\.)*")*)+$/;
const API_KEY = /^[A-Za-z0-9\-._~+/]+=*$/;

const MISSING = { ok: false, reason: 'authentication-required' } as const;
const MALFORMED = { ok: false, reason: 'malformed-credential' } as const;

export function readCredential(headers: Pick<Headers, 'get'>): Credential {
  const authorization = headers.get('authorization');
  const apiKey = headers.get('x-api-key');
  if (apiKey !== null && !API_KEY.test(apiKey)) return MALFORMED;
  if (authorization === null) return apiKey === null ? MISSING : { ok: true, secret: apiKey };
  const bearer = BEARER.exec(authorization)?.[1];
  if (bearer === undefined) {
    // An empty value is a malformed header, not another scheme.
    if (authorization === '' || BEARER_SCHEME.test(authorization)) return MALFORMED;
    if (authorization.includes(',') && !PARAMETERS.test(authorization)) return MALFORMED;
    return apiKey === null ? MISSING : { ok: true, secret: apiKey };
  }
  if (apiKey !== null && apiKey !== bearer) return MALFORMED;
  return { ok: true, secret: bearer };
}
