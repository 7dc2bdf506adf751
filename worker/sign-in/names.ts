// The ways to sign in, by the name that sessions, the activity and the data of the page have for each. The compiler asks for the
// settings (deployment/sign-in.ts) and the method (methods.ts) of every name.

/**
 * `form`: our own page asks. `redirect`: the browser goes to another site by /api/sign-in/<name>, and comes back by
 * /api/sign-in/<name>/callback.
 */
const KINDS = { link: 'form', oidc: 'redirect' } as const;

export type MethodName = keyof typeof KINDS;

// The keys of a literal.
export const METHOD_NAMES = Object.keys(KINDS) as [MethodName, ...MethodName[]];

/** What a mail says of a sign-in by the method. */
export const IN_MAIL = {
  link: 'by a mailed link',
  oidc: 'by single sign-on',
} as const satisfies Record<MethodName, string>;

export function isRedirect(name: MethodName): boolean {
  return KINDS[name] === 'redirect';
}
