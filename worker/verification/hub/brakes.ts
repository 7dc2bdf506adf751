// The rules that keep a hub from asking more than the database can answer (isolate/brakes.ts has those of an isolate). Pure.

/** So many reads of records are under way in a hub at once, each for so many tokens. */
const READS = 6;
const TOKENS_PER_READ = 100;

export const HUB_BRAKES = {
  /** Whether a hub may read records while `underWay` other reads are; tokens that wait meanwhile share the next read. */
  mayRead(underWay: number): boolean {
    return underWay < READS;
  },
  tokensPerRead(): number {
    return TOKENS_PER_READ;
  },
};
export type HubBrakes = typeof HUB_BRAKES;
