/** What the Worker fills into the documentation: `{{origin}}` and so on in the files that docs/site builds. */
export const PLACEHOLDERS = ['origin', 'product', 'verify-host'] as const;
