// Where Durable Objects and D1 can both be kept by law (developers.cloudflare.com/durable-objects/reference/data-location, and
// /d1/configuration/data-location). The deployment reads this list as well. Pure.

/** The setting JURISDICTION is one of these, or empty. */
export const JURISDICTIONS = ['eu', 'fedramp', 'us'] as const;
export type Jurisdiction = (typeof JURISDICTIONS)[number];

/** `value` as a jurisdiction, or null where it is none. */
export function jurisdictionOf(value: string): Jurisdiction | null {
  return JURISDICTIONS.find((jurisdiction) => jurisdiction === value) ?? null;
}
