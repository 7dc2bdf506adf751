// Bounds what secrets without a row may cost: a genuine secret of a token that was deleted is in no cache, so that each
// look-up of it reaches the hub and the database. No clock of its own.
import type { TokenHash } from '../../token/secret.ts';

/** So many look-ups of an isolate may end without a row at once, and so many more each second. */
const AT_ONCE = 100;
const PER_SECOND = 5;

export class Misses {
  #left = AT_ONCE;
  #countedAt = 0;
  /** Counted lately: a thousand calls that ask together for one secret are one look-up of it. */
  readonly #counted = new Set<TokenHash>();

  /** Whether a hash that nothing is known of may be looked up; `now` in ms. */
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
