// The tenant and its plan, as the product document names them. Pure: no I/O, no clock.

export const PLANS = ['trial', 'pay-as-you-go', 'pro', 'enterprise'] as const;
export type Plan = (typeof PLANS)[number];
export type Organisation = { id: string; name: string; plan: Plan };

/** Up to this many tokens, active or inactive, per organisation; migrations/ repeats it as a trigger. */
export const TOKEN_LIMIT = 10;

export function isPlan(value: unknown): value is Plan {
  return PLANS.some((plan) => plan === value);
}

/** Developer Zone, and every token made in it, is for the Enterprise plan alone. */
export function opensDeveloperZone(plan: Plan): boolean {
  return plan === 'enterprise';
}
