// The tenant and its plan, as the product document names them. Pure: no I/O, no clock.

export const PLANS = ['trial', 'pay-as-you-go', 'pro', 'enterprise'] as const;
export type Plan = (typeof PLANS)[number];
/** `pausedAt`: since when the operator has paused it (RFC 3339); null: it is not paused. */
export type Organisation = { id: string; name: string; plan: Plan; pausedAt: string | null };

/** Ids travel in headers, URLs and logs: the unreserved characters of RFC 3986 and no others. */
export const ORGANISATION_ID = /^[A-Za-z0-9][\w.~-]{0,127}$/;

/** Up to this many tokens, active or inactive, per organisation; migrations/ repeats it as a trigger. */
export const TOKEN_LIMIT = 10;

/** How many organisations, or members of one, a page of a list holds. */
export const LIST_PAGE = 100;

export function isPlan(value: unknown): value is Plan {
  return PLANS.some((plan) => plan === value);
}

/** The plans that have Developer Zone. Only their tokens are accepted. */
export const OPEN_PLANS = ['enterprise'] as const satisfies readonly Plan[];

export function opensDeveloperZone(plan: Plan): boolean {
  return OPEN_PLANS.some((open) => open === plan);
}
