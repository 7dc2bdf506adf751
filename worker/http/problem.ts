// Every refusal on the wire (RFC 9457): one catalogue, one class, one rendering.
// A problem never carries a secret, a hash, SQL, a stack or an exception's message.
import { SECURITY_HEADERS } from './security-headers.ts';

type Entry = { status: number; title: string };

export const PROBLEMS = {
  'authentication-required': { status: 401, title: 'Authentication required' },
  'malformed-credential': { status: 400, title: 'Malformed credential' },
  'invalid-token': { status: 401, title: 'Invalid token' },
  'organisation-paused': { status: 403, title: 'Organisation paused' },
  'enterprise-plan-required': { status: 403, title: 'Enterprise Plan Required' },
  'access-denied': { status: 403, title: 'Access denied' },
  'verification-unavailable': { status: 503, title: 'Verification unavailable' },
  'sign-in-required': { status: 401, title: 'Sign-in required' },
  'another-member': { status: 409, title: 'Another member' },
  'sign-in-link-invalid': { status: 401, title: 'Sign-in link invalid' },
  'organisation-not-found': { status: 404, title: 'Organisation not found' },
  'token-limit-reached': { status: 409, title: 'Token limit reached' },
  'token-not-found': { status: 404, title: 'Token not found' },
  'secret-changed': { status: 409, title: 'Secret changed' },
  'stale-version': { status: 409, title: 'Stale version' },
  'invalid-body': { status: 422, title: 'Invalid body' },
  'signature-invalid': { status: 403, title: 'Signature invalid' },
  'cross-site-request': { status: 403, title: 'Cross-site request' },
  'https-required': { status: 403, title: 'HTTPS required' },
  'misdirected-request': { status: 421, title: 'Misdirected request' },
  'too-many-requests': { status: 429, title: 'Too many requests' },
  'not-found': { status: 404, title: 'Not found' },
  'method-not-allowed': { status: 405, title: 'Method not allowed' },
  'payload-too-large': { status: 413, title: 'Payload too large' },
  'not-forwardable': { status: 400, title: 'Not forwardable' },
  'upstream-unreachable': { status: 502, title: 'Upstream unreachable' },
  'upstream-refused': { status: 502, title: 'Upstream refused' },
  'upstream-timeout': { status: 504, title: 'Upstream timeout' },
  misconfigured: { status: 500, title: 'Deployment misconfigured' },
  'storage-unavailable': { status: 503, title: 'Storage unavailable' },
  unexpected: { status: 500, title: 'Unexpected error' },
} as const satisfies Record<string, Entry>;

export type Slug = keyof typeof PROBLEMS;

/** Thrown by routes only; the code below them answers with data. */
export class Problem extends Error {
  readonly slug: Slug;
  readonly detail: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** What OAuth calls it (RFC 6749 section 5.2), for clients that read nothing else. */
  readonly error: string | undefined;

  constructor(
    slug: Slug,
    detail?: string,
    headers: Readonly<Record<string, string>> = {},
    error?: 'invalid_client' | 'invalid_request',
  ) {
    super(slug);
    this.slug = slug;
    this.detail = detail;
    this.headers = headers;
    this.error = error;
  }
}

/** A refusal that is returned, not thrown: a thrown Error costs more than a whole verification. */
export type Refusal = Pick<Problem, 'slug' | 'detail' | 'headers'> & { readonly error?: string | undefined };

/** The body of a problem, JSON. `origin` is this deployment's own. */
export function problemBody({ slug, detail, error }: Refusal, origin: string, requestId: string): string {
  const { status, title } = PROBLEMS[slug];
  const type = `${origin}/docs/problems#${slug}`;
  // JSON leaves out what is undefined.
  return JSON.stringify({ type, title, status, detail, error, requestId });
}

/** The answer to a caller: `application/problem+json`, never cached. `origin` is this deployment's own, `id` that of the call. */
export function problemResponse(problem: Refusal, { origin, id }: { origin: string; id: string }): Response {
  return new Response(problemBody(problem, origin, id), {
    status: PROBLEMS[problem.slug].status,
    headers: {
      ...SECURITY_HEADERS,
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      'x-request-id': id,
      ...problem.headers,
    },
  });
}
