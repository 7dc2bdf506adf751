// A deployment under load, in virtual time: the real Hub and IsolateVerifier between servers that have a queue. It answers one
// question: when a disturbance is over, does the deployment come back? world.ts checks whether
// answers are right. Times are in ms; one seed gives one history.
import type { TokenHash } from '../../token/secret.ts';
import { HUB_BRAKES } from '../hub/brakes.ts';
import type { HubBrakes } from '../hub/brakes.ts';
import { BRAKES } from '../isolate/brakes.ts';
import type { Brakes } from '../isolate/brakes.ts';
import { Hub } from '../hub/hub.ts';
import type { Answer, Ask } from '../sync.ts';
import { IsolateVerifier } from '../isolate/verifier.ts';
import type { Context, Ports } from '../isolate/verifier.ts';
import type { CachedRecord, Change, Head, Holder, Source } from '../record.ts';
import { randomFrom } from './random.ts';
import { SERVER } from './table.ts';

/** Brakes that are to be overridden: a twin lacks one of them. */
export type Overridden = { isolate?: Partial<Brakes>; hub?: Partial<HubBrakes> };

export type Disturbance =
  /** The database answers each question with an error, or not at all, from `from` until `until`. */
  | { kind: 'database-fails' | 'database-hangs'; from: number; until: number }
  /** Every hub's answer is on its way for longer than an isolate's lease lasts. */
  | { kind: 'hubs-slow'; from: number; until: number }
  /** One statement changes every token that is in use. */
  | { kind: 'change-all'; from: number }
  /** Every isolate starts anew, with nothing in memory. */
  | { kind: 'cold-isolates'; from: number };

/**
 * What happened to the calls that began in one second. `waitedMs` is the longest wait of one of them, `statements` is how
 * many the database was asked in that second, whether it answered or not.
 */
export type Second = {
  calls: number;
  warm: number;
  unavailable: number;
  waitedMs: number;
  statements: number;
};

const LEASE_MS = 1000;
const HUB_LEASE_MS = 10_000;
const REGIONS = 3;
const DATABASE_WAY_MS = 10;
const HUB_WAY_MS = 5;
const SLOW_HUB_WAY_MS = 600;
const CACHE_MS = 5;
const HUB_READ_MS = 5000;
/** Tokens that one isolate is called with again and again. */
const TOKENS_PER_ISOLATE = 60;
/** Calls with a token that neither the isolate nor KV has seen; the others, 99.5 %, are answered from memory. */
const NEW_SHARE = 0.005;
/** The database's work for each token that a statement reads, in statements. */
const STATEMENTS_PER_TOKEN = 0.02;
/** A hub's work for each change in an answer, in requests: 10,000 changes count as 8 ms (1.5 ms of CPU were measured). */
const REQUESTS_PER_CHANGE = 0.001;

/**
 * The parts of the deployment at full size. A smaller deployment has the same proportions: fewer isolates, calls and tokens, and
 * servers that are slower by the same factor, so that a call waits in a queue as long.
 */
const SIZE = {
  isolatesPerRegion: 100,
  callsPerMs: 6,
  /** In use: a customer calls from one region. 10,000 in all, so that `change-all` is 10,000 changes. */
  tokensPerRegion: 3333.4,
  database: { perSecond: 1000, queue: 1000 },
  hub: { perSecond: 1250, queue: 2000 },
};

/** One server: it does one thing after the other, and refuses what finds the queue full. */
class Server {
  #freeAt = 0;
  readonly #perMs: number;
  readonly #queue: number;

  constructor({ perSecond, queue }: { perSecond: number; queue: number }, scale: number) {
    this.#perMs = (perSecond * scale) / 1000;
    this.#queue = queue * scale;
  }

  /** When work that arrives now will be done. Null: the queue is full. */
  admit(now: number, requests = 1): number | null {
    const start = Math.max(now, this.#freeAt);
    if ((start - now) * this.#perMs > this.#queue) return null;
    this.#freeAt = start + requests / this.#perMs;
    return this.#freeAt;
  }
}

type Region = { hub: Hub; server: Server; cache: Map<TokenHash, CachedRecord>; tokens: TokenHash[] };

export class Overload {
  readonly seconds: Second[] = [];
  readonly #brakes: Brakes;
  readonly #random: () => number;
  #time = 0;
  /** What is due at each millisecond. */
  readonly #due = new Map<number, (() => void)[]>();
  readonly #disturbance: Disturbance;
  readonly #scale: number;
  readonly #database: Server;
  readonly #changes: Change[] = [{ seq: 1, nonce: 'n1', hash: '' as TokenHash }];
  readonly #regions: Region[];
  #isolates: { verifier: IsolateVerifier; tokens: TokenHash[] }[] = [];
  #calls = 0;
  #newTokens = 0;

  /** `scale`: 1 for the whole size, 0.1 for a tenth of it. */
  constructor(disturbance: Disturbance, seed: number, scale: number, overridden: Overridden = {}) {
    this.#brakes = { ...BRAKES, ...overridden.isolate };
    const hubBrakes = { ...HUB_BRAKES, ...overridden.hub };
    this.#scale = scale;
    this.#database = new Server(SIZE.database, scale);
    this.#disturbance = disturbance;
    this.#random = randomFrom(seed);
    this.#regions = Array.from({ length: REGIONS }, (_region, region) => {
      const tokens = Array.from(
        { length: Math.ceil(SIZE.tokensPerRegion * scale) },
        (_, index) => `${region}.${index}` as TokenHash,
      );
      return {
        hub: new Hub(this.#hubSource(), () => this.#time, HUB_LEASE_MS, hubBrakes),
        server: new Server(SIZE.hub, scale),
        cache: new Map(tokens.map((hash) => [hash, { asOf: this.#head, holder: holderOf(hash) }])),
        tokens,
      };
    });
    this.#startIsolates();
    for (const { verifier, tokens } of this.#isolates) {
      verifier.memory.restart(this.#head);
      for (const hash of tokens) verifier.memory.put(hash, this.#head.seq, holderOf(hash));
    }
  }

  /** Runs so many seconds. The results are in `seconds`. */
  async run(seconds: number): Promise<void> {
    const { kind, from } = this.#disturbance;
    for (let ms = 1; ms <= seconds * 1000; ms++) {
      this.#time = ms;
      if (ms === from && kind === 'change-all') this.#changeAll();
      if (ms === from && kind === 'cold-isolates') this.#startIsolates();
      const due = this.#due.get(ms) ?? [];
      this.#due.delete(ms);
      for (const run of due) run();
      const calls = Math.floor(ms * SIZE.callsPerMs * this.#scale);
      for (; this.#calls < calls; this.#calls++) this.#call();
      // Lets every promise that was settled run to its next wait.
      await new Promise((done) => {
        setImmediate(done);
      });
    }
  }

  // --- callers --------------------------------------------------------------------------------------------------

  /** One call at a random isolate. */
  #call(): void {
    const { verifier, tokens } = this.#pick(this.#isolates);
    const hash = this.#random() < NEW_SHARE ? (`new.${this.#newTokens++}` as TokenHash) : this.#pick(tokens);
    const second = this.#second();
    second.calls++;
    const context: Context = {
      caller: SERVER,
      waitUntil: (promise) => void promise.catch(() => undefined),
    };
    if (verifier.recall(hash, context) !== undefined) {
      second.warm++;
      return;
    }
    const from = this.#time;
    void verifier.lookUp(hash, context).then((said) => {
      second.waitedMs = Math.max(second.waitedMs, this.#time - from);
      if (!said.ok) second.unavailable++;
    });
  }

  #second(): Second {
    return (this.seconds[Math.floor(Math.max(0, this.#time - 1) / 1000)] ??= {
      calls: 0,
      warm: 0,
      unavailable: 0,
      waitedMs: 0,
      statements: 0,
    });
  }

  // --- the actors -----------------------------------------------------------------------------------------------

  #startIsolates(): void {
    this.#isolates = Array.from(
      { length: Math.ceil(REGIONS * SIZE.isolatesPerRegion * this.#scale) },
      (_, index) => {
        const region = this.#regions[index % REGIONS];
        if (region === undefined) throw new Error('no such region');
        const ports: Ports = {
          now: () => this.#time,
          sleep: (ms) => this.#sleep(ms),
          random: this.#random,
          isRead: () => false,
          hub: {
            sync: (ask) => this.#askHub(ask, region),
          },
          cache: {
            get: async (hash) => {
              await this.#sleep(CACHE_MS);
              return region.cache.get(hash) ?? null;
            },
            put: async (hash, record) => {
              await this.#sleep(CACHE_MS);
              region.cache.set(hash, record);
            },
          },
          source: this.#source(),
          leaseMs: LEASE_MS,
        };
        const known = this.#isolates[index]?.tokens;
        return {
          verifier: new IsolateVerifier(ports, this.#brakes),
          tokens: known ?? Array.from({ length: TOKENS_PER_ISOLATE }, () => this.#pick(region.tokens)),
        };
      },
    );
  }

  async #askHub(ask: Ask, { hub, server }: Region): Promise<Answer> {
    const wayMs = this.#isDisturbed('hubs-slow') ? SLOW_HUB_WAY_MS : HUB_WAY_MS;
    await this.#sleep(wayMs);
    const done = server.admit(this.#time);
    if (done === null) {
      await this.#sleep(wayMs);
      throw new Error('hub: overloaded');
    }
    await this.#sleep(done - this.#time);
    try {
      const answer = await hub.sync(ask);
      if (answer.changes !== 'reset') server.admit(this.#time, answer.changes.length * REQUESTS_PER_CHANGE);
      return answer;
    } finally {
      // As the Durable Object around it does.
      if (hub.isStale) hub.refresh().catch(() => undefined);
      await this.#sleep(wayMs);
    }
  }

  #source(): Source {
    return {
      read: (hashes) =>
        this.#askDatabase(
          () => new Map(hashes.map((hash) => [hash, { asOf: this.#head, holder: holderOf(hash) }])),
          1 + hashes.length * STATEMENTS_PER_TOKEN,
        ),
      changesFrom: (seq, limit) =>
        this.#askDatabase(() => {
          // Numbers begin at 1 and have no gap.
          return this.#changes.slice(seq - 1, seq - 1 + limit);
        }),
      newestChanges: (limit) => this.#askDatabase(() => this.#changes.slice(-limit)),
      addUsage: () => Promise.resolve(),
    };
  }

  /** As the Durable Object around the hub does: a read that hangs is given up. */
  #hubSource(): Source {
    const source = this.#source();
    const inTime = async <T>(answer: Promise<T>): Promise<T> =>
      Promise.race([
        answer,
        this.#sleep(HUB_READ_MS).then((): never => {
          throw new Error('database: too late');
        }),
      ]);
    return {
      ...source,
      read: (hashes) => inTime(source.read(hashes)),
      changesFrom: (seq, limit) => inTime(source.changesFrom(seq, limit)),
      newestChanges: (limit) => inTime(source.newestChanges(limit)),
    };
  }

  async #askDatabase<T>(answer: () => T, statements = 1): Promise<T> {
    await this.#sleep(DATABASE_WAY_MS);
    this.#second().statements++;
    if (this.#isDisturbed('database-hangs')) await new Promise<never>(() => undefined);
    const done = this.#isDisturbed('database-fails') ? null : this.#database.admit(this.#time, statements);
    if (done === null) {
      await this.#sleep(DATABASE_WAY_MS);
      throw new Error('database: away or overloaded');
    }
    await this.#sleep(done - this.#time);
    const value = answer();
    await this.#sleep(DATABASE_WAY_MS);
    return value;
  }

  #isDisturbed(kind: Disturbance['kind']): boolean {
    const disturbance = this.#disturbance;
    if (disturbance.kind !== kind || this.#time < disturbance.from) return false;
    return !('until' in disturbance) || this.#time < disturbance.until;
  }

  #changeAll(): void {
    for (const { tokens } of this.#regions) {
      for (const hash of tokens) {
        const seq = this.#head.seq + 1;
        this.#changes.push({ seq, nonce: `n${seq}`, hash });
      }
    }
    for (const { hub } of this.#regions) hub.advance(this.#head).catch(() => undefined);
  }

  // --- time and chance ------------------------------------------------------------------------------------------

  get #head(): Head {
    const { seq, nonce } = this.#changes.at(-1) ?? { seq: 0, nonce: '' };
    return { seq, nonce };
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((done) => {
      const at = Math.max(this.#time + 1, Math.ceil(this.#time + ms));
      const due = this.#due.get(at);
      if (due === undefined) this.#due.set(at, [done]);
      else due.push(done);
    });
  }

  #pick<T>(list: readonly T[]): T {
    // An index below the length of a list that is never empty.
    return list[Math.floor(this.#random() * list.length)] as T;
  }
}

function holderOf(hash: TokenHash): Holder {
  return { tokenId: hash, organisationId: 'o', plan: 'enterprise', active: true };
}
