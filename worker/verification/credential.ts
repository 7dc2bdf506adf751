// Reads the credential of a request (RFC 6750 section 2.1, and X-API-Key); reading is not refusing.
// Never from the query string, a cookie or a body.

export type Credential =
  | { ok: true; secret: string }
  | { ok: false; reason: 'authentication-required' | 'malformed-credential' };

// RFC 6750 section 2.1: b64token; the scheme's case is free (RFC 9110 section 11.1), one or more spaces follow it.
const BEARER = /^bearer +([A-Za-z0-9\-._~+/]+=*)$/i;
const BEARER_SCHEME = /^bearer(?![A-Za-z0-9!#$%&'*+\-.^_`|~])/i;
// RFC 9110 section 11.4: a scheme whose parameters have commas between them (Digest, AWS4-HMAC-SHA256). Two headers reach a
// Worker as one with a comma as well: then a scheme follows the comma, and no parameter. The spaces after the scheme are matched
// in one way alone: anybody may send a header of 100 KB of them, and the time must not grow by its square.
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
    // An empty value is a broken header, not another scheme.
    if (authorization === '' || BEARER_SCHEME.test(authorization)) return MALFORMED;
    if (authorization.includes(',') && !PARAMETERS.test(authorization)) return MALFORMED;
    return apiKey === null ? MISSING : { ok: true, secret: apiKey };
  }
  if (apiKey !== null && apiKey !== bearer) return MALFORMED;
  return { ok: true, secret: bearer };
}
