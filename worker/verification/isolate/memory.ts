// The memory of one isolate: a bounded number of records, and the changes that it has learned. A record that is older than those
// changes is never kept. No I/O, no clock.
import type { TokenHash } from '../../token/secret.ts';
import type { Head, Holder } from '../record.ts';
import { ISOLATE_RULES } from './rules.ts';
import type { IsolateRules } from './rules.ts';

/** Two generations of at most this many: 10,000 records, 3.7 MB with ids of 36 characters. */
const GENERATION = 5000;
/** The same for secrets without a row. They are kept apart, so that many of them never push out a token. */
const GENERATION_WITHOUT_ROW = 1000;
const CHANGES = 2000;

export type Remembered = { holder: Holder | null };

export class Memory {
  #head: Head | null = null;
  #generation = 0;
  /** The isolate does not know which tokens changed before this `seq`. */
  #floor = 0;
  readonly #changed = new Map<TokenHash, number>();
  readonly #tokens = new Recent(GENERATION);
  readonly #withoutRow = new Recent(GENERATION_WITHOUT_ROW);
  readonly #rules: IsolateRules;

  constructor(rules: IsolateRules = ISOLATE_RULES) {
    this.#rules = rules;
  }

  /** The newest point in the changes that this isolate has learned; null before the first sync. */
  get head(): Head | null {
    return this.#head;
  }

  /** The number of resets. An answer to a question of an earlier generation is not used. */
  get generation(): number {
    return this.#generation;
  }

  /** The record, if it is remembered and no change of it is known. */
  get(hash: TokenHash): Remembered | undefined {
    return this.#tokens.get(hash) ?? this.#withoutRow.get(hash);
  }

  /** Keeps a record, unless it is older than a learned change of the token, or older than all learned changes. */
  put(hash: TokenHash, asOf: number, holder: Holder | null): void {
    if (this.#rules.isOvertaken(asOf, this.#changed.get(hash) ?? 0, this.#floor)) return;
    const [kept, other] =
      holder === null ? [this.#withoutRow, this.#tokens] : [this.#tokens, this.#withoutRow];
    other.delete(hash);
    kept.keep(hash, { holder });
  }

  /** Learns the changes up to `head`. The head never goes back, because answers may arrive out of order. */
  learn(head: Head, changes: readonly (readonly [hash: TokenHash, seq: number])[]): void {
    for (const [hash, seq] of changes) {
      this.#tokens.delete(hash);
      this.#withoutRow.delete(hash);
      if (seq <= (this.#changed.get(hash) ?? 0)) continue;
      // Moves the entry to the end of the map, because the entry that was learned first is dropped first.
      this.#changed.delete(hash);
      this.#changed.set(hash, seq);
    }
    if (this.#head === null || head.seq > this.#head.seq) this.#head = head;
    for (const [hash, seq] of this.#changed) {
      if (this.#changed.size <= CHANGES) break;
      this.#changed.delete(hash);
      if (seq > this.#floor) this.#floor = seq;
    }
  }

  /** Forgets everything and begins again at `head`, because the known changes belong to another past. */
  restart(head: Head): void {
    this.forget();
    this.#changed.clear();
    this.#head = head;
    this.#floor = head.seq;
    this.#generation++;
  }

  /** Forgets the records. Records that are older than the known head are not kept from now on. */
  forget(): void {
    this.#tokens.clear();
    this.#withoutRow.clear();
    if (this.#head !== null && this.#head.seq > this.#floor) this.#floor = this.#head.seq;
  }

  get size(): number {
    return this.#tokens.size + this.#withoutRow.size;
  }
}

/** The records that were asked for last, in two generations of at most `limit`. A hit in the young generation moves nothing. */
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
