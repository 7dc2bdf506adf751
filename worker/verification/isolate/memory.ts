// What one isolate remembers: records, bounded, and the changes it has learned, so that nothing older than what it
// knows is ever kept. No I/O, no clock.
import type { TokenHash } from '../../token/secret.ts';
import type { Head, Holder } from '../record.ts';
import { ISOLATE_RULES } from './rules.ts';
import type { IsolateRules } from './rules.ts';

/** Two generations of at most this many: 10,000 records, 3.7 MB with ids of 36 characters. */
const GENERATION = 5000;
/** Secrets without a row, likewise: apart, so that however many of them are asked for, no token is forgotten. */
const GENERATION_WITHOUT_ROW = 1000;
const CHANGES = 2000;

export type Remembered = { holder: Holder | null };

export class Memory {
  /** The newest point in the changes that this isolate has learned; null before the first sync. */
  head: Head | null = null;
  /** Counts the resets that were taken over: an answer to a question of an earlier generation says nothing any more. */
  generation = 0;
  /** Below this `seq` the isolate does not know what changed. */
  #floor = 0;
  readonly #changed = new Map<TokenHash, number>();
  readonly #tokens = new Recent(GENERATION);
  readonly #withoutRow = new Recent(GENERATION_WITHOUT_ROW);
  readonly #rules: IsolateRules;

  constructor(rules: IsolateRules = ISOLATE_RULES) {
    this.#rules = rules;
  }

  /** Remembered and not known to have changed. A record that is asked for stays; hits alone move nothing. */
  get(hash: TokenHash): Remembered | undefined {
    return this.#tokens.get(hash) ?? this.#withoutRow.get(hash);
  }

  /** Keeps a record unless a change that was learned meanwhile is newer, or it is older than what was learned at all. */
  put(hash: TokenHash, asOf: number, holder: Holder | null): void {
    if (this.#rules.isOvertaken(asOf, this.#changed.get(hash) ?? 0, this.#floor)) return;
    const [kept, other] =
      holder === null ? [this.#withoutRow, this.#tokens] : [this.#tokens, this.#withoutRow];
    other.delete(hash);
    kept.keep(hash, { holder });
  }

  /** Learns the changes up to `head`. Answers overtake each other, so the head only grows. */
  learn(head: Head, changes: readonly (readonly [hash: TokenHash, seq: number])[]): void {
    for (const [hash, seq] of changes) {
      this.#tokens.delete(hash);
      this.#withoutRow.delete(hash);
      if (seq <= (this.#changed.get(hash) ?? 0)) continue;
      // Again at the end: the map's order is the order of learning, and the oldest goes first.
      this.#changed.delete(hash);
      this.#changed.set(hash, seq);
    }
    if (this.head === null || head.seq > this.head.seq) this.head = head;
    for (const [hash, seq] of this.#changed) {
      if (this.#changed.size <= CHANGES) break;
      this.#changed.delete(hash);
      if (seq > this.#floor) this.#floor = seq;
    }
  }

  /** Forgets everything, for its past has nothing to do with `head` any more, and goes on from there. */
  restart(head: Head): void {
    this.forget();
    this.#changed.clear();
    this.head = head;
    this.#floor = head.seq;
    this.generation++;
  }

  /** Forgets the records; nothing older than the newest head that is known may come back. */
  forget(): void {
    this.#tokens.clear();
    this.#withoutRow.clear();
    if (this.head !== null && this.head.seq > this.#floor) this.#floor = this.head.seq;
  }

  get size(): number {
    return this.#tokens.size + this.#withoutRow.size;
  }
}

/** The records that were asked for last, in two generations of at most `limit`; hits alone move nothing. */
class Recent {
  readonly #limit: number;
  #young = new Map<TokenHash, Remembered>();
  #old = new Map<TokenHash, Remembered>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get(hash: TokenHash): Remembered | undefined {
    const hit = this.#young.get(hash);
    if (hit !== undefined) return hit;
    const aged = this.#old.get(hash);
    if (aged !== undefined) this.keep(hash, aged);
    return aged;
  }

  keep(hash: TokenHash, record: Remembered): void {
    this.#old.delete(hash);
    this.#young.set(hash, record);
    if (this.#young.size < this.#limit) return;
    this.#old = this.#young;
    this.#young = new Map();
  }

  delete(hash: TokenHash): void {
    this.#young.delete(hash);
    this.#old.delete(hash);
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }
}
