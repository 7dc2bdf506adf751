// Rules that keep a hub from asking more than the database can answer (isolate/brakes.ts has those of an isolate). Pure.

/** At most this many reads of records are under way in a hub at once, each for at most this many tokens. */
const READS = 6;
const TOKENS_PER_READ = 100;

export const HUB_BRAKES = {
  /** Whether a hub may begin a read while `underWay` other reads are under way. Tokens that wait meanwhile share the next read. */
  mayRead(underWay: number): boolean {
    return underWay < READS;
  },
  tokensPerRead(): number {
    return TOKENS_PER_READ;
  },
};
export type HubBrakes = typeof HUB_BRAKES;
