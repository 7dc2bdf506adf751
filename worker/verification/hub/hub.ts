// What a region knows of the changes: the logic of ChangeHub, with clock and source passed in, so that it runs under a
// simulated schedule as it runs in a Durable Object. It answers only while a lease of its own is good, and the lease is
// counted from before its last read of the database: a hub that was not told of a change must come to see it, or fall silent.
import type { TokenHash } from '../../token/secret.ts';
import { HUB_BRAKES } from './brakes.ts';
import type { HubBrakes } from './brakes.ts';
import { HUB_RULES } from './rules.ts';
import type { HubRules } from './rules.ts';
import type { Change, Head, TokenRecord, Source } from '../record.ts';
import type { Answer, Ask, HubLook } from '../sync.ts';

/** How many changes a hub keeps; a caller or a record from before them must start afresh. */
const KEPT = 50_000;
/** The changes that a first load reads. One statement: between two of them a change could fall through. */
const FIRST_LOAD = KEPT;
const PAGE = 5000;
const ROUNDS = 3;
/** Records that were read, for all who ask for them at the same time: more than one read brings. */
const RECORDS = 5000;

type Waiting = { hash: TokenHash; done: () => void; fail: (error: unknown) => void };

export class Hub {
  readonly #source: Source;
  readonly #now: () => number;
  readonly #leaseMs: number;
  readonly #startedAt: number;
  #head: Head | null = null;
  /** The oldest point from which on every change is known. */
  #floor = 0;
  #nonces = new Map<number, string>();
  #changed = new Map<TokenHash, number>();
  #log: Change[] = [];
  #leaseUntil = 0;
  #refreshing: Promise<void> | null = null;
  readonly #brakes: HubBrakes;
  readonly #rules: HubRules;
  readonly #reads = new Map<TokenHash, Promise<void>>();
  /** Tokens whose read has not begun. */
  #waiting: Waiting[] = [];
  #readsUnderWay = 0;
  #records = new Map<TokenHash, TokenRecord>();

  constructor(
    source: Source,
    now: () => number,
    leaseMs: number,
    brakes: HubBrakes = HUB_BRAKES,
    rules: HubRules = HUB_RULES,
  ) {
    this.#source = source;
    this.#now = now;
    this.#leaseMs = leaseMs;
    this.#startedAt = now();
    this.#brakes = brakes;
    this.#rules = rules;
  }

  /** Answers under a lease that is good at the moment of the answer; rejects when none can be had. */
  async sync(ask: Ask): Promise<Answer> {
    if (this.#head === null || this.#now() >= this.#leaseUntil || this.#isBehind(ask)) await this.refresh();
    // The refresh that was joined may have begun before the caller learned what it knows.
    if (this.#isBehind(ask)) await this.refresh();
    let record = this.#currentRecord(ask);
    // A read that began earlier may have been overtaken by a change: only what is current after it counts.
    for (let round = 0; record === undefined && ask.hash !== undefined && round < ROUNDS; round++) {
      const read = await this.#read(ask.hash).then(
        () => true,
        () => false,
      );
      if (this.#now() >= this.#leaseUntil || this.#readAhead(ask.hash)) await this.refresh();
      record = this.#currentRecord(ask);
      if (!read) break;
    }
    const head = this.#head;
    if (head === null || this.#now() >= this.#leaseUntil) throw new Error('hub: no lease');
    return {
      head,
      changes: this.#changesSince(ask.head),
      remaining: this.#leaseUntil - this.#now(),
      ...(record === undefined ? {} : { record }),
    };
  }

  /** Resolves when every change up to `point` is known here: read, not merely heard of. */
  async advance(point: Head): Promise<void> {
    if (this.#rules.readsBeforeConfirming()) {
      // The refresh under way may have begun before the change.
      await this.#refreshing?.catch(() => undefined);
      await this.refresh();
    }
    if (!this.#rules.confirms(this.#knows(point), this.#head, point))
      throw new Error('hub: the change is not there');
  }

  /** What is known here, without a question to the database. */
  look(): HubLook {
    const ageMs = this.#head === null ? null : this.#now() - (this.#leaseUntil - this.#leaseMs);
    return { head: this.#head, ageMs, startedAt: this.#startedAt };
  }

  /** Whether half the lease has gone: time to renew it before anybody has to wait. */
  get isStale(): boolean {
    return this.#now() >= this.#leaseUntil - this.#leaseMs / 2;
  }

  /** One load at a time. Requests may share a promise in a Durable Object. */
  refresh(): Promise<void> {
    if (this.#refreshing !== null && this.#rules.joinsLoads()) return this.#refreshing;
    this.#refreshing = this.#load().finally(() => {
      this.#refreshing = null;
    });
    return this.#refreshing;
  }

  async #load(): Promise<void> {
    // Before the read: what commits while it is under way may be missing from it.
    const asked = this.#now();
    if (this.#head === null) this.#restart(await this.#source.newestChanges(FIRST_LOAD));
    else {
      for (let more = true; more;) {
        const { seq, nonce } = this.#head;
        const page = await this.#source.changesFrom(seq, PAGE);
        const [own, ...newer] = page;
        if (own?.seq !== seq || !this.#rules.isSameNonce(nonce, own.nonce)) {
          // Pruned, or the number of another past: a restored database counts again.
          this.#restart(await this.#source.newestChanges(FIRST_LOAD));
          break;
        }
        this.#append(newer);
        more = page.length === PAGE;
      }
    }
    this.#leaseUntil = Math.max(this.#leaseUntil, asked + this.#leaseMs);
  }

  #restart(changes: Change[]): void {
    const newest = changes.at(-1);
    if (newest === undefined) throw new Error('changes: no row at all');
    this.#log = [];
    this.#nonces = new Map();
    this.#changed = new Map();
    this.#records = new Map();
    this.#floor = changes[0]?.seq ?? newest.seq;
    this.#append(changes);
  }

  #append(changes: Change[]): void {
    for (const change of changes) {
      this.#log.push(change);
      this.#nonces.set(change.seq, change.nonce);
      this.#changed.set(change.hash, change.seq);
      this.#head = { seq: change.seq, nonce: change.nonce };
    }
    if (this.#log.length <= KEPT + PAGE) return;
    for (const change of this.#log.splice(0, this.#log.length - KEPT)) {
      this.#nonces.delete(change.seq);
      if (this.#changed.get(change.hash) === change.seq) this.#changed.delete(change.hash);
    }
    this.#floor = this.#log[0]?.seq ?? this.#floor;
  }

  #changesSince(head: Head | null): Answer['changes'] {
    if (head === null || !this.#knows(head)) return 'reset';
    const changes: [TokenHash, number][] = [];
    for (let index = this.#log.length - 1; index >= 0; index--) {
      const change = this.#log[index];
      if (change === undefined || change.seq <= head.seq) break;
      changes.push([change.hash, change.seq]);
    }
    return changes.toReversed();
  }

  #knows({ seq, nonce }: Head): boolean {
    return seq >= this.#floor && this.#rules.isSameNonce(this.#nonces.get(seq), nonce);
  }

  /** The caller has seen more than this hub: it asked the database itself. */
  #isBehind({ head }: Ask): boolean {
    return head !== null && this.#head !== null && head.seq > this.#head.seq;
  }

  #readAhead(hash: TokenHash): boolean {
    const record = this.#records.get(hash);
    return record !== undefined && this.#head !== null && record.asOf.seq > this.#head.seq;
  }

  #currentRecord({ hash, cached }: Ask): Answer['record'] {
    if (hash === undefined) return undefined;
    if (cached !== undefined && this.#rules.trustsCached(this.#isCurrent(hash, cached))) return 'cached';
    const record = this.#records.get(hash);
    if (record === undefined) return undefined;
    return this.#rules.trustsRead(this.#isCurrent(hash, record.asOf)) ? record : undefined;
  }

  #isCurrent(hash: TokenHash, asOf: Head): boolean {
    return this.#knows(asOf) && asOf.seq >= (this.#changed.get(hash) ?? 0);
  }

  /** One read for all who ask for a token, and one for the tokens that are asked for while enough others are under way. */
  #read(hash: TokenHash): Promise<void> {
    let read = this.#reads.get(hash);
    if (read === undefined) {
      read = new Promise<void>((done, fail) => {
        this.#waiting.push({ hash, done, fail });
      }).finally(() => this.#reads.delete(hash));
      this.#reads.set(hash, read);
      this.#readWaiting();
    }
    return read;
  }

  #readWaiting(): void {
    while (this.#waiting.length > 0 && this.#brakes.mayRead(this.#readsUnderWay)) {
      void this.#readTogether(this.#waiting.splice(0, this.#brakes.tokensPerRead()));
    }
  }

  async #readTogether(asked: Waiting[]): Promise<void> {
    this.#readsUnderWay++;
    try {
      await this.#loadRecords(asked.map(({ hash }) => hash));
      for (const { done } of asked) done();
    } catch (error) {
      for (const { fail } of asked) fail(error);
    } finally {
      this.#readsUnderWay--;
      this.#readWaiting();
    }
  }

  async #loadRecords(hashes: TokenHash[]): Promise<void> {
    const read = await this.#source.read(hashes);
    // Before any of them is kept: a caller finds the record that it waited for.
    if (this.#records.size + read.size > RECORDS) this.#records = new Map();
    for (const [hash, record] of read) this.#records.set(hash, record);
  }
}
