// Bounds the cost of secrets without a row. The secret of a deleted token is genuine but in no cache, so each look-up of it reaches
// the hub and the database. Times are parameters.
import type { TokenHash } from '../../token/secret.ts';

/** How many look-ups of an isolate may end without a row at once, and how many more each second. */
const AT_ONCE = 100;
const PER_SECOND = 5;

export class Misses {
  #left = AT_ONCE;
  #countedAt = 0;
  /** The hashes that were counted lately. A thousand calls at once with one secret count as one look-up. */
  readonly #counted = new Set<TokenHash>();

  /** Whether an unknown hash may be looked up. `now` in ms. */
  areFew(now: number): boolean {
    return this.#left + this.#earnedBy(now) >= 1;
  }

  /** Counts a look-up that ended without a row. */
  count(hash: TokenHash, now: number): void {
    if (this.#counted.has(hash)) return;
    if (this.#counted.size >= AT_ONCE) this.#counted.clear();
    this.#counted.add(hash);
    this.#left = Math.min(AT_ONCE, this.#left + this.#earnedBy(now)) - 1;
    this.#countedAt = now;
  }

  #earnedBy(now: number): number {
    return (Math.max(0, now - this.#countedAt) / 1000) * PER_SECOND;
  }
}
