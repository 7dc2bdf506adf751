// What every answer that is not a page says to a browser: load nothing, guess nothing, frame nothing, remember https.

export const SECURITY_HEADERS = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'strict-transport-security': 'max-age=63072000; includeSubDomains',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
} as const;

/** The same answer with these headers, where it has no stricter word of its own. */
export function withSecurityHeaders(answer: Response): Response {
  const copy = new Response(answer.body, answer);
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) {
    if (!copy.headers.has(name)) copy.headers.set(name, value);
  }
  return copy;
}
