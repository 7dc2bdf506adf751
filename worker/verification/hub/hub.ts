// The logic of ChangeHub: what a region knows of the changes. Clock and source are parameters, so that the same code runs in a
// simulation and in a Durable Object. A hub answers only while it has a lease. The lease begins before the hub's last read of the
// database. So a hub that was not told of a change must read it, or stop answering.
import type { TokenHash } from '../../token/secret.ts';
import { HUB_BRAKES } from './brakes.ts';
import type { HubBrakes } from './brakes.ts';
import { HUB_RULES } from './rules.ts';
import type { HubRules } from './rules.ts';
import type { Change, Head, TokenRecord, Source } from '../record.ts';
import type { Answer, Ask, HubLook } from '../sync.ts';

/** How many changes a hub keeps. A caller that knows only older ones is reset, and an older record is read again. */
const KEPT = 50_000;
/** How many changes the first load reads, in one statement: a change could be lost between two statements. */
const FIRST_LOAD = KEPT;
const PAGE = 5000;
const ROUNDS = 3;
/** How many records a hub keeps for callers that ask at the same time. It is more than one read answers. */
const RECORDS = 5000;

type Waiting = { hash: TokenHash; done: () => void; fail: (error: unknown) => void };

export class Hub {
  readonly #source: Source;
  readonly #now: () => number;
  readonly #leaseMs: number;
  readonly #startedAt: number;
  #head: Head | null = null;
  /** Every change from this number on is known. */
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

  /** Answers while the hub has a lease. Rejects when it cannot get one. */
  async sync(ask: Ask): Promise<Answer> {
    if (this.#head === null || this.#now() >= this.#leaseUntil || this.#isBehind(ask)) await this.refresh();
    // The refresh above may have begun before the caller learned of its head.
    if (this.#isBehind(ask)) await this.refresh();
    let record = this.#currentRecord(ask);
    // A change may have come during the read. So a record is used only if it is current after the read.
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

  /** Resolves when the hub has read every change up to `point` from the database. */
  async advance(point: Head): Promise<void> {
    if (this.#rules.readsBeforeConfirming()) {
      // The refresh under way may have begun before the change.
      await this.#refreshing?.catch(() => undefined);
      await this.refresh();
    }
    if (!this.#rules.confirms(this.#knows(point), this.#head, point))
      throw new Error('hub: the change is not there');
  }

  /** What the hub knows. Does not ask the database. */
  look(): HubLook {
    const ageMs = this.#head === null ? null : this.#now() - (this.#leaseUntil - this.#leaseMs);
    return { head: this.#head, ageMs, startedAt: this.#startedAt };
  }

  /** Whether half of the lease has passed. A hub renews its lease then, so that no caller has to wait for it. */
  get isStale(): boolean {
    return this.#now() >= this.#leaseUntil - this.#leaseMs / 2;
  }

  /** Loads the newest changes, one load at a time. In a Durable Object, requests may share a promise. */
  refresh(): Promise<void> {
    if (this.#refreshing !== null && this.#rules.joinsLoads()) return this.#refreshing;
    this.#refreshing = this.#load().finally(() => {
      this.#refreshing = null;
    });
    return this.#refreshing;
  }

  async #load(): Promise<void> {
    // The time before the read, because a change that commits during the read may be missing from it.
    const asked = this.#now();
    if (this.#head === null) this.#restart(await this.#source.newestChanges(FIRST_LOAD));
    else {
      for (let more = true; more;) {
        const { seq, nonce } = this.#head;
        const page = await this.#source.changesFrom(seq, PAGE);
        const [own, ...newer] = page;
        if (own?.seq !== seq || !this.#rules.isSameNonce(nonce, own.nonce)) {
          // The change was pruned, or the database was restored and gave its number to another change.
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

  /** Whether the caller knows newer changes than this hub, because it asked the database itself. */
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

  /** Reads the record of a token. All callers share one read of a token. Tokens that must wait for other reads are read together. */
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
    // Old records are dropped before new ones are kept, so that each caller finds the record that it waited for.
    if (this.#records.size + read.size > RECORDS) this.#records = new Map();
    for (const [hash, record] of read) this.#records.set(hash, record);
  }
}
