// The verifier of one isolate. It looks in its memory while it has a lease, then asks KV and the region's hub, then the database.
// Clock and ports are parameters, so that the same code runs in a simulation. Requests share no promise: in a Worker a promise
// belongs to the request that began it, and never settles for the others if that request is cancelled.
import type { Plan } from '../../organisation/organisation.ts';
import type { TokenHash } from '../../token/secret.ts';
import { BRAKES } from './brakes.ts';
import type { Brakes } from './brakes.ts';
import { Counting } from './counting.ts';
import { reasonAgainst } from './judgement.ts';
import { Memory } from './memory.ts';
import type { Remembered } from './memory.ts';
import { Misses } from './misses.ts';
import type { Caller } from '../caller.ts';
import { ISOLATE_RULES } from './rules.ts';
import type { IsolateRules } from './rules.ts';
import { isSameHead } from '../record.ts';
import type { Reason } from '../../token/callers.ts';
import type { CachedRecord, Change, Head, Holder, Lookups, TokenRecord } from '../record.ts';
import type { Answer, Ask, Counts } from '../sync.ts';

export type Verification =
  /** `expiresAt` (RFC 3339): the secret is refused from then on. Absent: it has no end. */
  | {
      ok: true;
      tokenId: string;
      organisationId: string;
      plan: Plan;
      expiresAt?: string;
      /** Absent: full access. */
      access?: 'read';
    }
  /** `access-denied`: the token is good, and may not make this call. `organisation-paused`: the operator has paused its organisation. */
  | {
      ok: false;
      reason: 'organisation-paused' | 'enterprise-plan-required' | 'access-denied';
      tokenId: string;
      organisationId: string;
      plan: Plan;
    }
  | { ok: false; reason: 'invalid-token' }
  /** The database cannot be reached, and no current record is known. `retryAfter` in seconds. */
  | { ok: false; reason: 'verification-unavailable'; retryAfter: number };

export type Ports = {
  now(): number;
  sleep(ms: number): Promise<void>;
  hub: { sync(ask: Ask, counts: Counts): Promise<Answer> };
  /** KV, by hash. A record in it may be of any age. */
  cache: {
    get(hash: TokenHash): Promise<CachedRecord | null>;
    put(hash: TokenHash, record: CachedRecord): Promise<unknown>;
  };
  source: Lookups;
  /** Whether READ_REQUESTS names this call beside GET and HEAD. */
  isRead(method: string, path: string): boolean;
  /** Told of each question that failed, or was not answered in time. Only for the log. */
  failed?(asked: Asked, error: unknown): void;
  /** From 0 to 1. */
  random(): number;
  leaseMs: number;
};
export type Asked = 'hub' | 'cache' | 'cache-write' | 'database';
/** One call: who calls, and what may outlive its answer. */
export type Context = { readonly caller: Caller; waitUntil(promise: Promise<unknown>): void };
/** `taken`: the generation of the memory that may keep the answer; null for none. */
type Synced = { answer: Answer; taken: number | null };
/** The answer of the database: a record, or `learned` if the memory has learned the newest changes. */
type Direct = { record: TokenRecord; taken: number | null } | 'learned';

const CACHE_MS = 250;
const HUB_MS = 2000;
const DIRECT_MS = 3000;
/** How long a hub that was too slow is not asked again. The database is asked instead. */
const SLOW_HUB_REST_MS = 5000;
/** How long a call waits in all for the questions of other calls. */
const WAIT_MS = 5000;
/** An isolate reads changes from the database in pages, at most as many as a hub knows. */
const DIRECT_PAGE = 5000;
const DIRECT_PAGES = 10;
/** How many tokens a direct read reads at most. */
const DIRECT_TOKENS = 100;
/** When calls stop, the last counts are sent within this time. */
const FLUSH_MS = 10_000;
/** If the hub cannot be reached then, it is asked again after these times. Work after an answer may take 30 s in all. */
const FLUSH_AGAIN_MS = [5000, 10_000];
const TOO_LATE = 'too late';
export const INVALID: Verification = { ok: false, reason: 'invalid-token' };
/** The reasons that the caller is told. The others are told as for a token that does not exist. */
const TOLD: Partial<Record<Reason, Extract<Verification, { ok: false; plan: Plan }>['reason']>> = {
  paused: 'organisation-paused',
  plan: 'enterprise-plan-required',
  access: 'access-denied',
};
const UNAVAILABLE: Verification = { ok: false, reason: 'verification-unavailable', retryAfter: 1 };

export class IsolateVerifier {
  readonly memory: Memory;
  readonly #ports: Ports;
  readonly #brakes: Brakes;
  readonly #rules: IsolateRules;
  readonly #misses = new Misses();
  #leaseUntil = 0;
  /** From this time on a request renews the lease in the background. It moves this time, so that the next request does not renew too. */
  #renewAt = 0;
  #learnedAt = 0;
  readonly #counting: Counting;
  #flushAt = 0;
  /** Until when a renewal, or a direct read, is under way. Times and not promises, because a promise belongs to one request. */
  #renewingUntil = 0;
  #readingUntil = 0;
  /** The tokens that calls wait for. The next direct read reads them too. Requests may share hashes, because they are data. */
  readonly #wanted = new Set<TokenHash>();
  #hubRestsUntil = 0;
  #databaseRestsUntil = 0;

  constructor(ports: Ports, brakes: Brakes = BRAKES, rules: IsolateRules = ISOLATE_RULES) {
    this.memory = new Memory(rules);
    this.#ports = ports;
    this.#counting = new Counting(ports.random);
    this.#brakes = brakes;
    this.#rules = rules;
  }

  /** The answer for a hash that is remembered under a lease: no I/O, no promise. Undefined: ask `lookUp`. */
  recall(hash: TokenHash, context: Context): Verification | undefined {
    const now = this.#ports.now();
    if (now >= this.#leaseUntil) return undefined;
    const remembered = this.memory.get(hash);
    if (remembered === undefined) return undefined;
    if (now >= this.#renewAt) {
      this.#renewAt = now + this.#ports.leaseMs / 4;
      if (this.#brakes.mayRenew(now, this.#renewingUntil)) void this.#renew(now, context);
    }
    return this.#judge(hash, remembered.holder, now, context);
  }

  /** The answer from KV, the hub or the database. `verification-unavailable` if none of them can be asked. */
  async lookUp(hash: TokenHash, context: Context): Promise<Verification> {
    const isRemembered = this.memory.get(hash) !== undefined;
    if (!isRemembered && !(await this.#mayAskFor(hash))) return UNAVAILABLE;
    const holder = await this.#find(hash, context).finally(() => this.#wanted.delete(hash));
    if (holder === undefined) return UNAVAILABLE;
    if (holder === null && !isRemembered) this.#misses.count(hash, this.#ports.now());
    return this.#judge(hash, holder, this.#ports.now(), context);
  }

  /** Whether the hash may be looked up. While too many look-ups end without a row, only hashes in KV are: they had a row once. */
  async #mayAskFor(hash: TokenHash): Promise<boolean> {
    if (this.#misses.areFew(this.#ports.now())) return true;
    return (await this.#readCache(hash)) !== null;
  }

  /** The holder, or null for none. Undefined if neither the hub nor the database answers in time. */
  async #find(hash: TokenHash, context: Context): Promise<Holder | null | undefined> {
    const startedAt = this.#ports.now();
    for (let now = startedAt; now - startedAt < WAIT_MS; now = this.#ports.now()) {
      const kept = this.#kept(hash, startedAt, now);
      if (kept !== undefined) return kept.holder;
      const isHubAsked = now >= this.#hubRestsUntil;
      // A remembered record only lacks the newest changes. One call asks for them, for all records.
      const isRemembered = this.memory.get(hash) !== undefined;
      if (!isRemembered && this.#wanted.size < DIRECT_TOKENS) this.#wanted.add(hash);
      const isRenewing = isRemembered && !this.#brakes.mayRenew(now, this.#renewingUntil);
      if (isHubAsked && isRemembered && !isRenewing) {
        if ((await this.#renew(now, context)) !== undefined) continue;
      } else if (isHubAsked && !isRemembered) {
        const found = await this.#fetchHolder(hash, context);
        if (found !== undefined) return found;
      }
      const later = this.#ports.now();
      if (!(isHubAsked && isRenewing)) {
        if (later < this.#databaseRestsUntil) return undefined;
        if (this.#brakes.mayReadDirectly(later, this.#readingUntil)) {
          const direct = await this.#askDirectly(hash, later, context);
          if (direct === undefined) return undefined;
          if (direct === 'learned') continue;
          const { record, taken } = direct;
          return this.#keep(hash, record, record.asOf.seq, taken, context);
        }
      }
      const rest = Math.max(0, startedAt + WAIT_MS - later);
      await this.#ports.sleep(Math.min(this.#brakes.lookAgainMs(later - startedAt), rest));
    }
    // Another call may have learned the record during the last wait.
    return this.#kept(hash, startedAt, this.#ports.now())?.holder;
  }

  /** The remembered record, if the lease covers a call that began at `startedAt`. */
  #kept(hash: TokenHash, startedAt: number, now: number): Remembered | undefined {
    return this.#brakes.isAnswered(startedAt, this.#leaseUntil, now) ? this.memory.get(hash) : undefined;
  }

  /** Asks the hub what changed. Undefined if it does not answer. */
  #renew(now: number, context: Context): Promise<Synced | undefined> {
    const until = now + HUB_MS;
    this.#renewingUntil = until;
    return this.#ask({ head: this.memory.head }, context).finally(() => {
      if (this.#renewingUntil === until) this.#renewingUntil = 0;
    });
  }

  /** The holder from KV and the hub. Undefined if the hub does not answer, or has no record. */
  async #fetchHolder(hash: TokenHash, context: Context): Promise<Holder | null | undefined> {
    const cached = await this.#readCache(hash);
    const ask: Ask = { head: this.memory.head, hash, ...(cached === null ? {} : { cached: cached.asOf }) };
    const synced = await this.#ask(ask, context);
    if (synced === undefined) return undefined;
    const { record, head } = synced.answer;
    // The hub found the record current at its own head, so the record is as of that head.
    if (record === 'cached' && cached !== null) {
      if (synced.taken === this.memory.generation) this.memory.put(hash, head.seq, cached.holder);
      return cached.holder;
    }
    if (typeof record === 'object') return this.#keep(hash, record, head.seq, synced.taken, context);
    return undefined;
  }

  /**
   * Asks the database, one call at a time: while a hub is away, not every call may ask the database. Answers the record, `learned`
   * if the remembered record may be current now, or undefined if the database does not answer.
   */
  async #askDirectly(hash: TokenHash, now: number, context: Context): Promise<Direct | undefined> {
    const until = now + DIRECT_MS;
    this.#readingUntil = until;
    const asked = this.#within(DIRECT_MS, this.#readDirectly(hash))
      .catch((error: unknown) => {
        this.#ports.failed?.('database', error);
        this.#databaseRestsUntil = this.#ports.now() + this.#brakes.restMs(this.#ports.random());
        return undefined;
      })
      .finally(() => {
        if (this.#readingUntil === until) this.#readingUntil = 0;
      });
    // Other calls wait for the answer, so the read must go on if this caller hangs up.
    context.waitUntil(asked);
    return asked;
  }

  /** Keeps a record that was read, as of `seq`, if `taken` allows it. The first call that reads the record also writes it to KV. */
  #keep(
    hash: TokenHash,
    { asOf, holder }: TokenRecord,
    seq: number,
    taken: number | null,
    context: Context,
  ): Holder | null {
    const isFirst = this.memory.get(hash) === undefined;
    // Another answer may have begun a new generation since this one was taken.
    if (taken === this.memory.generation) this.memory.put(hash, seq, holder);
    if (holder !== null && isFirst) {
      const put = this.#ports.cache.put(hash, { asOf, holder });
      context.waitUntil(put.catch((error: unknown) => this.#ports.failed?.('cache-write', error)));
    }
    return holder;
  }

  /** Takes the changes and a lease from the database, and the record too unless it is remembered. */
  async #readDirectly(hash: TokenHash): Promise<Direct> {
    const asked = this.#ports.now();
    const { head, generation } = this.memory;
    const isRemembered = head !== null && this.memory.get(hash) !== undefined;
    const hashes = [...new Set([hash, ...this.#wanted])].slice(0, DIRECT_TOKENS);
    const [read, changes] = await Promise.all([
      isRemembered ? undefined : this.#ports.source.read(hashes),
      head === null ? undefined : this.#readChanges(head),
    ]);
    const newest = changes?.at(-1);
    const learned: Omit<Answer, 'head'> = {
      changes: changes?.slice(1).map((change) => [change.hash, change.seq]) ?? 'reset',
      remaining: this.#ports.leaseMs,
    };
    if (read === undefined && newest !== undefined) {
      this.#take(asked, generation, head, { ...learned, head: { seq: newest.seq, nonce: newest.nonce } });
      return 'learned';
    }
    const records = read ?? (await this.#ports.source.read(hashes));
    const record = records.get(hash);
    if (record === undefined) throw new Error('database: no record');
    const taken = this.#take(asked, generation, head, {
      ...learned,
      head: newest === undefined ? record.asOf : { seq: newest.seq, nonce: newest.nonce },
    });
    // Record and changes were read by two statements. If the database was restored in between, they belong to two pasts that use
    // the same numbers.
    const { seq, nonce } = record.asOf;
    const isOfOnePast =
      changes === undefined || changes.some((change) => change.seq === seq && change.nonce === nonce);
    if (!isOfOnePast) return { record, taken: null };
    for (const [other, { holder }] of records) {
      if (other !== hash && taken === this.memory.generation) this.memory.put(other, seq, holder);
    }
    return { record, taken };
  }

  /** The changes from `head` on, including `head`. Undefined if the database does not have `head`, or too many changes are newer. */
  async #readChanges(head: Head): Promise<Change[] | undefined> {
    const changes: Change[] = [];
    let last = head;
    for (let page = 0; page < DIRECT_PAGES; page++) {
      const [own, ...newer] = await this.#ports.source.changesFrom(last.seq, DIRECT_PAGE);
      if (own === undefined || !isSameHead(own, last)) return undefined;
      if (page === 0) changes.push(own);
      changes.push(...newer);
      if (newer.length < DIRECT_PAGE - 1) return changes;
      last = newer.at(-1) ?? last;
    }
    return undefined;
  }

  /** Asks the hub. Undefined if it does not answer. Goes on if the caller hangs up, because other calls wait for the answer and the question carries their counts. */
  #ask(ask: Ask, context: Context): Promise<Synced | undefined> {
    const synced = this.#sync(ask).catch(() => undefined);
    context.waitUntil(synced);
    return synced;
  }

  async #sync(ask: Ask): Promise<Synced> {
    const asked = this.#ports.now();
    if (asked < this.#hubRestsUntil) throw new Error('hub: failed a moment ago');
    const { generation } = this.memory;
    const counts = this.#counting.take();
    try {
      const answer = await this.#within(HUB_MS, this.#ports.hub.sync(ask, counts));
      return { answer, taken: this.#take(asked, generation, ask.head, answer) };
    } catch (error) {
      this.#ports.failed?.('hub', error);
      const now = this.#ports.now();
      const rest = now - asked >= HUB_MS ? SLOW_HUB_REST_MS : this.#brakes.restMs(this.#ports.random());
      this.#hubRestsUntil = Math.max(this.#hubRestsUntil, now + rest);
      this.#counting.giveBack(counts);
      throw error;
    }
  }

  /** Learns an answer and takes its lease. Answers the generation that may keep the record, or null if the answer is out of date. */
  #take(
    asked: number,
    generation: number,
    asker: Head | null,
    { head, changes, remaining }: Answer,
  ): number | null {
    if (generation !== this.memory.generation) return null;
    if (this.#rules.isReset(changes, this.memory.head)) {
      // Another answer arrived while this one was under way, and its head may be newer.
      if (asked < this.#learnedAt) {
        this.memory.forget();
        return null;
      }
      this.memory.restart(head);
      // A lease for the other past does not hold any more.
      this.#leaseUntil = 0;
    } else {
      // Another answer may have been learned while this one was under way. Unless both end at the same point they may belong to two
      // pasts, before and after the database was restored, that use the same numbers.
      const known = this.memory.head;
      if (!isSameHead(known, asker) && !isSameHead(known, head)) return null;
      this.memory.learn(head, changes);
    }
    const now = this.#ports.now();
    this.#learnedAt = now;
    const from = this.#rules.leaseBegins(asked, now);
    const until = from + this.#rules.leaseLasts(this.#ports.leaseMs, remaining);
    if (until > this.#leaseUntil) {
      this.#leaseUntil = until;
      this.#renewAt = from + (until - from) / 2;
    }
    return this.memory.generation;
  }

  #judge(hash: TokenHash, holder: Holder | null, now: number, context: Context): Verification {
    if (holder === null) return INVALID;
    const { tokenId, organisationId, plan, expiresAt, limits } = holder;
    const reason = reasonAgainst(holder, now, context.caller, this.#rules, this.#ports.isRead);
    this.#counting.count(hash, tokenId, reason, context.caller);
    if (now >= this.#flushAt) {
      this.#flushAt = now + FLUSH_MS;
      context.waitUntil(this.#flush());
    }
    if (reason !== null) {
      const told = TOLD[reason];
      return told === undefined ? INVALID : { ok: false, reason: told, tokenId, organisationId, plan };
    }
    if (expiresAt === undefined && limits === undefined) return { ok: true, tokenId, organisationId, plan };
    return {
      ok: true,
      tokenId,
      organisationId,
      plan,
      ...(expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt).toISOString() }),
      ...(limits?.access === 'read' ? { access: 'read' } : {}),
    };
  }

  async #flush(): Promise<void> {
    for (const ms of [FLUSH_MS, ...FLUSH_AGAIN_MS]) {
      await this.#ports.sleep(ms);
      if (this.#counting.isEmpty) return;
      await this.#sync({ head: this.memory.head }).catch(() => undefined);
    }
  }

  /** The record in KV, or null if KV has none or does not answer in time. */
  #readCache(hash: TokenHash): Promise<CachedRecord | null> {
    return this.#within(CACHE_MS, this.#ports.cache.get(hash)).catch((error: unknown) => {
      this.#ports.failed?.('cache', error);
      return null;
    });
  }

  async #within<T>(ms: number, promise: Promise<T>): Promise<T> {
    const late = this.#ports.sleep(ms).then((): never => {
      throw new Error(TOO_LATE);
    });
    // Avoid an unhandled rejection when the deadline loses the race.
    late.catch(() => undefined);
    return Promise.race([promise, late]);
  }
}

/** Whether an error that `failed` was told of means that an answer did not come in time. */
export function isTooLate(error: unknown): boolean {
  return error instanceof Error && error.message === TOO_LATE;
}
