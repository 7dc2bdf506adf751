// The jurisdictions that Durable Objects and D1 both have (developers.cloudflare.com/durable-objects/reference/data-location, and
// /d1/configuration/data-location). Pure. scripts/ read this list too.

/** The setting JURISDICTION is one of these, or empty. */
export const JURISDICTIONS = ['eu', 'fedramp', 'us'] as const;
export type Jurisdiction = (typeof JURISDICTIONS)[number];

/** `value` as a jurisdiction, or null if it is not one. */
export function jurisdictionOf(value: string): Jurisdiction | null {
  return JURISDICTIONS.find((jurisdiction) => jurisdiction === value) ?? null;
}
