// One isolate's verifier: memory under a lease, then KV and the region's hub, then the truth itself. Clock and ports are
// passed in, so that the same code runs in a simulation. Nothing is shared between requests: in a Worker a promise
// belongs to the request that began it, and hangs for the others when that one is cancelled.
import { opensDeveloperZone } from '../organisation/organisation.ts';
import type { Plan } from '../organisation/organisation.ts';
import type { TokenHash } from '../token/secret.ts';
import type { Answer, Ask } from './hub.ts';
import { Memory } from './memory.ts';
import type { Remembered } from './memory.ts';
import { isSameHead } from './record.ts';
import type { CachedRecord, Head, Holder, Lookups, TokenRecord } from './record.ts';

export type Verification =
  | { ok: true; tokenId: string; organisationId: string; plan: Plan }
  | { ok: false; reason: 'enterprise-plan-required'; tokenId: string; organisationId: string; plan: Plan }
  | { ok: false; reason: 'invalid-token' }
  /** The truth cannot be reached and nothing current is held; `retryAfter` in seconds. */
  | { ok: false; reason: 'verification-unavailable'; retryAfter: number };

/** Accepted and refused calls by token id, since they were last told to a hub. A Map: no id is a property of an object. */
export type Counts = Map<string, [accepted: number, refused: number]>;

export type Ports = {
  now(): number;
  sleep(ms: number): Promise<void>;
  hub: { sync(ask: Ask, counts: Counts): Promise<Answer> };
  /** KV, by hash: a hint that may be of any age. */
  cache: {
    get(hash: TokenHash): Promise<CachedRecord | null>;
    put(hash: TokenHash, record: CachedRecord): Promise<unknown>;
  };
  truth: Lookups;
  leaseMs: number;
};
/** `taken`: the generation of memory that may keep what the answer says; null for none. */
type Synced = { answer: Answer; taken: number | null };
type WaitUntil = (promise: Promise<unknown>) => void;

const CACHE_MS = 250;
const HUB_MS = 2000;
const TRUTH_MS = 5000;
/** A hub that was too slow is not waited for again so soon: the database is asked at once. */
const HUB_REST_MS = 5000;
/** Changes that an isolate learns from the truth itself in one go; more of them is a fresh start. */
const DIRECT_PAGE = 1000;
/** When traffic stops, what was counted last is told within this time. */
const FLUSH_MS = 10_000;
const INVALID: Verification = { ok: false, reason: 'invalid-token' };
const UNAVAILABLE: Verification = { ok: false, reason: 'verification-unavailable', retryAfter: 1 };

export class Verifier {
  readonly memory = new Memory();
  readonly #ports: Ports;
  #leaseUntil = 0;
  /** From here on one request renews the lease in the background; it moves the mark, so that the next one does not. */
  #renewAt = 0;
  #learnedAt = 0;
  #counts: Counts = new Map();
  #flushAt = 0;
  #hubRestsUntil = 0;

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  /** The answer for a hash that is remembered under a good lease: no I/O, no promise. Undefined: ask `lookUp`. */
  recall(hash: TokenHash, waitUntil: WaitUntil): Verification | undefined {
    const now = this.#ports.now();
    if (now >= this.#leaseUntil) return undefined;
    const remembered = this.memory.get(hash);
    if (remembered === undefined) return undefined;
    if (now >= this.#renewAt) {
      this.#renewAt = now + this.#ports.leaseMs / 4;
      void this.#ask({ head: this.memory.head }, waitUntil);
    }
    return this.#judge(remembered.holder, now, waitUntil);
  }

  /** The answer from beyond this isolate. Never wrong: where the truth cannot be had, it says so. */
  async lookUp(hash: TokenHash, waitUntil: WaitUntil): Promise<Verification> {
    const remembered = this.memory.get(hash);
    const holder =
      remembered === undefined
        ? await this.#fetchHolder(hash, waitUntil)
        : await this.#renew(hash, waitUntil);
    if (holder === undefined) return UNAVAILABLE;
    return this.#judge(holder, this.#ports.now(), waitUntil);
  }

  /** The lease has run out over a record that is remembered: what changed meanwhile is all that is missing. */
  async #renew(hash: TokenHash, waitUntil: WaitUntil): Promise<Holder | null | undefined> {
    const synced = await this.#ask({ head: this.memory.head }, waitUntil);
    const kept = this.#kept(hash);
    if (kept !== undefined) return kept.holder;
    return synced === undefined ? this.#fetchFromTruth(hash, waitUntil) : this.#fetchHolder(hash, waitUntil);
  }

  /** What is remembered under a good lease: perhaps only since another request brought it. */
  #kept(hash: TokenHash): Remembered | undefined {
    return this.#ports.now() < this.#leaseUntil ? this.memory.get(hash) : undefined;
  }

  async #fetchHolder(hash: TokenHash, waitUntil: WaitUntil): Promise<Holder | null | undefined> {
    const cached = await this.#within(CACHE_MS, this.#ports.cache.get(hash)).catch(() => null);
    const ask: Ask = { head: this.memory.head, hash, ...(cached === null ? {} : { cached: cached.asOf }) };
    const synced = await this.#ask(ask, waitUntil);
    if (synced !== undefined) {
      const { record, head } = synced.answer;
      // The hub judged either record at its own head, so it holds up to there.
      if (record === 'cached' && cached !== null) {
        if (synced.taken === this.memory.generation) this.memory.put(hash, head.seq, cached.holder);
        return cached.holder;
      }
      if (typeof record === 'object') return this.#keep(hash, record, head.seq, synced.taken, waitUntil);
    }
    return this.#fetchFromTruth(hash, waitUntil);
  }

  async #fetchFromTruth(hash: TokenHash, waitUntil: WaitUntil): Promise<Holder | null | undefined> {
    // A hub that is away must not send a thousand who asked together to the database.
    const kept = this.#kept(hash);
    if (kept !== undefined) return kept.holder;
    const fresh = await this.#within(TRUTH_MS, this.#readTruth(hash)).catch(() => undefined);
    if (fresh === undefined) return undefined;
    return this.#keep(hash, fresh.record, fresh.record.asOf.seq, fresh.taken, waitUntil);
  }

  /** Keeps a record that was read, as of `seq` where it may be kept at all; one of many who read it fills KV. */
  #keep(
    hash: TokenHash,
    { asOf, holder }: TokenRecord,
    seq: number,
    taken: number | null,
    waitUntil: WaitUntil,
  ): Holder | null {
    const isFirst = this.memory.get(hash) === undefined;
    // Another answer may have begun a new generation since this one was taken.
    if (taken === this.memory.generation) this.memory.put(hash, seq, holder);
    if (holder !== null && isFirst) {
      waitUntil(this.#ports.cache.put(hash, { asOf, holder }).catch(() => undefined));
    }
    return holder;
  }

  /** The hub is away: the record and the changes come from the truth, and so does the lease. */
  async #readTruth(hash: TokenHash): Promise<{ record: TokenRecord; taken: number | null }> {
    const asked = this.#ports.now();
    const { head, generation } = this.memory;
    const [record, changes] = await Promise.all([
      this.#ports.truth.read(hash),
      head === null ? [] : this.#ports.truth.changesFrom(head.seq, DIRECT_PAGE),
    ]);
    const [own, ...newer] = changes;
    const newest = newer.at(-1) ?? own;
    const joins =
      own !== undefined && own.seq === head?.seq && own.nonce === head.nonce && changes.length < DIRECT_PAGE;
    const taken = this.#take(asked, generation, head, {
      head: joins && newest !== undefined ? { seq: newest.seq, nonce: newest.nonce } : record.asOf,
      changes: joins ? newer.map((change) => [change.hash, change.seq]) : 'reset',
      remaining: this.#ports.leaseMs,
    });
    // The two were read apart: a database that was restored in between gave them from two pasts, under the same numbers.
    const { seq, nonce } = record.asOf;
    const isOfOnePast = !joins || changes.some((change) => change.seq === seq && change.nonce === nonce);
    return { record, taken: isOfOnePast ? taken : null };
  }

  /** Asks the hub; undefined when it cannot be had. Goes on when the caller hangs up: the counts of others ride on it. */
  #ask(ask: Ask, waitUntil: WaitUntil): Promise<Synced | undefined> {
    const synced = this.#sync(ask).catch(() => undefined);
    waitUntil(synced);
    return synced;
  }

  async #sync(ask: Ask): Promise<Synced> {
    // The lease begins before the call: by the time of the answer the view may be as old as the call was long.
    const asked = this.#ports.now();
    if (asked < this.#hubRestsUntil) throw new Error('hub: too slow a moment ago');
    const { generation } = this.memory;
    const counts = this.#counts;
    this.#counts = new Map();
    try {
      const answer = await this.#within(HUB_MS, this.#ports.hub.sync(ask, counts));
      return { answer, taken: this.#take(asked, generation, ask.head, answer) };
    } catch (error) {
      const now = this.#ports.now();
      if (now - asked >= HUB_MS) this.#hubRestsUntil = now + HUB_REST_MS;
      for (const [tokenId, [accepted, refused]] of counts) this.#count(tokenId, accepted, refused);
      throw error;
    }
  }

  /** Learns an answer and takes its lease: the generation it holds in, or null when it says nothing about what is known by now. */
  #take(
    asked: number,
    generation: number,
    from: Head | null,
    { head, changes, remaining }: Answer,
  ): number | null {
    if (generation !== this.memory.generation) return null;
    if (changes === 'reset') {
      // Another answer came while this one was under way, and its head may be the newer one.
      if (asked < this.#learnedAt) {
        this.memory.forget();
        return null;
      }
      this.memory.restart(head);
      // Leases of the past that is gone mean nothing for what comes now.
      this.#leaseUntil = 0;
    } else {
      // Another answer was learned while this one was under way. Unless both end at the same point they may tell of two
      // pasts, before and after the database was restored, under the same numbers.
      const known = this.memory.head;
      if (!isSameHead(known, from) && !isSameHead(known, head)) return null;
      this.memory.learn(head, changes);
    }
    const now = this.#ports.now();
    this.#learnedAt = now;
    // The shorter of the two, never their sum: leases do not stack.
    const until = asked + Math.min(this.#ports.leaseMs, remaining);
    if (until > this.#leaseUntil) {
      this.#leaseUntil = until;
      this.#renewAt = asked + (until - asked) / 2;
    }
    return this.memory.generation;
  }

  #judge(holder: Holder | null, now: number, waitUntil: WaitUntil): Verification {
    if (holder === null) return INVALID;
    const { tokenId, organisationId, plan, active } = holder;
    const ok = active && opensDeveloperZone(plan);
    this.#count(tokenId, ok ? 1 : 0, ok ? 0 : 1);
    if (now >= this.#flushAt) {
      this.#flushAt = now + FLUSH_MS;
      waitUntil(this.#flush());
    }
    if (ok) return { ok, tokenId, organisationId, plan };
    return active ? { ok, reason: 'enterprise-plan-required', tokenId, organisationId, plan } : INVALID;
  }

  #count(tokenId: string, accepted: number, refused: number): void {
    const counted = this.#counts.get(tokenId);
    if (counted === undefined) this.#counts.set(tokenId, [accepted, refused]);
    else {
      counted[0] += accepted;
      counted[1] += refused;
    }
  }

  async #flush(): Promise<void> {
    await this.#ports.sleep(FLUSH_MS);
    if (this.#counts.size > 0) await this.#sync({ head: this.memory.head }).catch(() => undefined);
  }

  async #within<T>(ms: number, promise: Promise<T>): Promise<T> {
    const late = this.#ports.sleep(ms).then((): never => {
      throw new Error('too late');
    });
    // Whoever loses must not be an unhandled rejection.
    late.catch(() => undefined);
    return Promise.race([promise, late]);
  }
}
