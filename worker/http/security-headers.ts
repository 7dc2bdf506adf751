// The headers for browsers in every answer that is not a page. With them a browser loads nothing, sends no Referer, does not guess the
// type, allows no frame, and keeps to https.

/** How long a browser keeps to https, in seconds: two years. */
const HSTS = 'max-age=63072000';

/** The headers that answers under /v1 have too. They are few, because every header costs time there. */
export const BRIEF_SECURITY_HEADERS = {
  'content-security-policy':
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'strict-transport-security': HSTS,
  'x-content-type-options': 'nosniff',
} as const;

export const SECURITY_HEADERS = {
  ...BRIEF_SECURITY_HEADERS,
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
} as const;

/** The same answer with these headers, where it has none of its own under their names. */
export function withSecurityHeaders(answer: Response): Response {
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) {
    if (!answer.headers.has(name)) answer.headers.set(name, value);
  }
  return answer;
}

/** Extends https to the subdomains of this host. A browser keeps the newest value, so every answer has to say the same. */
export function coverSubdomains(answer: Response): void {
  answer.headers.set('strict-transport-security', `${HSTS}; includeSubDomains`);
}
