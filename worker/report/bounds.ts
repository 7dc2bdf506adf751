// How much a report may hold. Read by the documentation as well.

export const REPORT_KIB = 64;
/** Tokens in one report, at most. */
export const REPORTED = 100;
/** In characters: the address where a token was seen. */
export const SEEN_LENGTH = 2048;
