// Simulates bad conditions around the real verifier, memory, hub and publish code: clocks that differ, messages that are slow,
// lost or repeated, a KV that answers any value that it ever held, hubs and isolates that die, and a database that is restored
// from a backup, in its place or into another database while hubs still read the old one. Time is virtual. Every request and every
// response is a separate step of the schedule. One seed gives one history.
import type { TokenHash } from '../../token/secret.ts';
import type { Hub } from '../hub/hub.ts';
import type { Answer, Ask } from '../sync.ts';
import type { Committed, PublishPorts } from '../publish.ts';
import type { CachedRecord, Change, Head, Holder, Source } from '../record.ts';
import type { Place } from '../region.ts';
import { termsOf } from '../terms.ts';
import type { Terms, answerUnder, askUnder } from '../terms.ts';
import type { Context, Ports, Verification, IsolateVerifier } from '../isolate/verifier.ts';
import { randomFrom } from './random.ts';
import type { Limits } from '../../token/limits.ts';
import { parseNetwork } from '../../token/network.ts';
import type { Caller } from '../caller.ts';
import { SERVER } from './table.ts';

/** The code under test: the real modules, or a twin that lacks one rule. */
export type Code = {
  Hub: new (source: Source, now: () => number, leaseMs: number) => Hub;
  IsolateVerifier: new (ports: Ports) => IsolateVerifier;
  publishChange(ports: PublishPorts, change: Committed): Promise<{ effectiveAt: string }>;
  askUnder: typeof askUnder;
  answerUnder: typeof answerUnder;
};

type Leases = { leaseMs: number; hubLeaseMs: number };
/** In the proportion of a usual deployment; and one where the lease of an isolate is longer than that of a hub. */
const USUAL: Leases = { leaseMs: 1000, hubLeaseMs: 4000 };
const LONG: Leases = { leaseMs: 4000, hubLeaseMs: 1000 };
const LONGEST_MS = 4000;
const LENGTH_MS = 14_000;
const HASHES = ['a', 'b'] as TokenHash[];
const REGIONS: readonly Place[] = ['weur', 'enam'];
const ISOLATES = 3;
/**
 * The end of a secret is compared with the clock of the isolate. Where secrets have an end, clocks agree within a second: half of
 * it either way, and what their rates add in the length of a history.
 */
const OFFSET_MS = 500;
const SKEW_MS = OFFSET_MS + 260;

const FREE: Limits = { access: 'full', paths: [], networks: [], origins: [] };
const OFFICE = parseNetwork('203.0.113.0/24');
/** What a token may be limited to, and what is said to a caller who does not keep to it; null: the caller does. */
const LIMITS: { limits: Limits | undefined; judge: (caller: Caller) => Verdict | null }[] = [
  { limits: undefined, judge: () => null },
  { limits: { ...FREE, access: 'read' }, judge: ({ method }) => (method === 'GET' ? null : 'denied') },
  { limits: { ...FREE, paths: ['/v1/a'] }, judge: ({ path }) => (path === '/v1/a/1' ? null : 'denied') },
  {
    limits: { ...FREE, networks: OFFICE === null ? [] : [OFFICE] },
    judge: ({ address }) => (address === '203.0.113.7' ? null : 'refused'),
  },
  {
    limits: { ...FREE, origins: ['https://shop.example'] },
    judge: ({ origin }) => (origin === 'https://other.example' ? 'refused' : null),
  },
];
const CALLERS: Caller[] = [
  SERVER,
  { ...SERVER, method: 'POST', path: '/v1/a/1', address: '203.0.113.7', origin: 'https://shop.example' },
  { ...SERVER, path: '/v1/a/1', address: '203.0.114.7', origin: 'https://other.example' },
];

/** What a deployment binds its isolates and hubs to. */
type Database = { changes: Change[]; holders: Map<TokenHash, Holder | null> };
type Deployment = { database: Database; terms: Terms };
type Seat = { hub: Hub; life: number; deployment: Deployment };

type State = { at: number; answeredAt: number; holder: Holder | null };
type Verdict = 'accepted' | 'paused' | 'plan' | 'denied' | 'refused';
export type Wrong = { hash: string; startedAt: number; endedAt: number; said: Verdict; allowed: Verdict[] };

export class World {
  readonly wrong: Wrong[] = [];
  checked = 0;
  readonly #code: Code;
  readonly #random: () => number;
  /** A separate stream, so that a schedule without a move is the same with and without this. */
  readonly #moves: () => number;
  /** For the isolates' own use: how often they ask must not change what else happens. */
  readonly #isolateRandom: () => number;
  /** Likewise, for the secrets that are replaced. */
  readonly #ends: () => number;
  /** Likewise, for the limits of tokens, and for who calls. */
  readonly #limits: () => number;
  /** Likewise, for the pauses of the organisation. */
  readonly #pauses: () => number;
  /** Half of all histories have secrets with an end. In the others the clocks differ without a limit. */
  readonly #haveEnds: boolean;
  readonly #haveLimits: boolean;
  readonly #havePauses: boolean;
  readonly #leases: Leases;
  #time = 0;
  #order = 0;
  /** Grows with every restore of the database, after which the same numbers come again. */
  #past = 0;
  readonly #queue: { at: number; order: number; run: () => void }[] = [];
  /** The newest deployment; hubs may still be of the one before. */
  #deployment: Deployment = {
    database: { changes: [], holders: new Map() },
    terms: termsOf(1),
  };
  readonly #history = new Map<TokenHash, State[]>();
  readonly #cached = new Map<TokenHash, (CachedRecord | null)[]>();
  readonly #hubs: Seat[];
  #isolates: IsolateVerifier[];
  /** Until when a link is cut: `hub0-db`, `publisher-hub1`, `isolate2-hub0` and so on. */
  readonly #cuts = new Map<string, number>();

  constructor(code: Code, seed: number) {
    this.#code = code;
    this.#random = randomFrom(seed);
    this.#moves = randomFrom(seed ^ 0x5b_d1_e9_95);
    this.#isolateRandom = randomFrom(~seed);
    this.#ends = randomFrom(seed ^ 0x27_d4_eb_2f);
    this.#limits = randomFrom(seed ^ 0x16_56_67_b1);
    this.#pauses = randomFrom(seed ^ 0x2c_1b_3c_6d);
    this.#haveEnds = seed % 2 !== 0;
    this.#haveLimits = seed % 3 === 0;
    this.#havePauses = seed % 5 < 2;
    this.#leases = seed % 4 === 0 ? LONG : USUAL;
    this.#deployment.database.changes.push({ seq: 1, nonce: 'n1', hash: '' as TokenHash });
    for (const hash of HASHES) {
      const holder = {
        tokenId: hash,
        organisationId: 'o',
        plan: 'enterprise' as const,
        active: this.#chance(0.7),
      };
      this.#commit(hash, holder);
      this.#history.set(hash, [{ at: 0, answeredAt: 0, holder }]);
      this.#cached.set(hash, [null]);
    }
    this.#hubs = REGIONS.map((_, index) => this.#newHub(index, 0, this.#deployment));
    this.#isolates = Array.from({ length: ISOLATES }, (_, index) => this.#newIsolate(index));
  }

  /** Runs the whole history. The wrong answers are in `wrong`. */
  async run(): Promise<void> {
    this.#plan();
    for (let next = this.#pop(); next !== undefined && this.wrong.length === 0; next = this.#pop()) {
      this.#time = next.at;
      next.run();
      // Lets every promise that this event settled run to its next wait.
      await new Promise((done) => {
        setImmediate(done);
      });
    }
  }

  // --- what happens ---------------------------------------------------------------------------------------------

  #plan(): void {
    for (let mutation = 0; mutation < 3; mutation++) {
      this.#after(500 + this.#random() * 6000, () => void this.#mutate(this.#pick(HASHES)));
    }
    for (const hash of this.#haveEnds ? HASHES : []) {
      this.#after(this.#ends() * 6000, () => void this.#replace(hash));
    }
    for (let limit = 0; this.#haveLimits && limit < 4; limit++) {
      this.#after(this.#limits() * 9000, () => void this.#limit(HASHES[limit % 2] as TokenHash));
    }
    for (let pause = 0; this.#havePauses && pause < 3; pause++) {
      this.#after(this.#pauses() * 9000, () => void this.#pause());
    }
    for (let trouble = 0; trouble < 4; trouble++) {
      this.#after(this.#random() * LENGTH_MS * 0.8, () => this.#trouble());
    }
    if (this.#chance(0.2)) this.#after(this.#random() * LENGTH_MS * 0.4, () => this.#backUp());
    if (this.#moves() < 0.3) this.#after(this.#moves() * LENGTH_MS * 0.5, () => this.#copyAndMove());
    for (let at = 0; at < LENGTH_MS; at += 60 + this.#random() * 240) {
      this.#after(at, () => void this.#call(this.#pick(HASHES)));
    }
  }

  #trouble(): void {
    const hub = Math.floor(this.#random() * REGIONS.length);
    const kind = this.#random();
    const until = this.#time + this.#random() * LONGEST_MS * 1.6;
    if (kind < 0.25) this.#restartHub(hub);
    else if (kind < 0.5) this.#cuts.set(`hub${hub}-db`, until);
    else if (kind < 0.65) this.#cuts.set(`publisher-hub${hub}`, until);
    else if (kind < 0.8) this.#cuts.set(`isolate-hub${hub}`, until);
    else if (kind < 0.9) this.#cuts.set('isolate-db', until);
    else {
      const isolate = Math.floor(this.#random() * ISOLATES);
      this.#isolates[isolate] = this.#newIsolate(isolate);
    }
  }

  /** A copy of the database, which takes its place some time later: what happened in between is gone. */
  #backUp(): void {
    const { changes, holders } = this.#copyOfDatabase();
    this.#after(this.#random() * 5000, () => {
      const { database } = this.#deployment;
      database.changes.splice(0, database.changes.length, ...changes);
      database.holders = holders;
      this.#beginAnotherPast();
    });
  }

  /**
   * A copy of the database, which some time later a new deployment is bound to: under the next epoch, or under the same
   * one, which is sound as long as the hubs follow within their own lease less that of an isolate.
   */
  #copyAndMove(): void {
    const database = this.#copyOfDatabase();
    this.#after(this.#moves() < 0.5 ? 0 : this.#moves() * 3000, () => {
      const before = this.#deployment;
      const isNextEpoch = this.#moves() < 0.5;
      const epoch = before.terms.epoch + (isNextEpoch ? 1 : 0);
      this.#deployment = { database, terms: { ...before.terms, epoch } };
      this.#isolates = this.#isolates.map((_, index) => this.#newIsolate(index));
      for (const index of this.#hubs.keys()) {
        // A hub of another name may start at a place that the new deployment has not reached yet.
        if (isNextEpoch) this.#restartHub(index, this.#moves() < 0.5 ? before : this.#deployment);
        const { leaseMs, hubLeaseMs } = this.#leases;
        const late = isNextEpoch ? LENGTH_MS : (hubLeaseMs - leaseMs) * 0.95;
        this.#after(this.#moves() * late, () => this.#restartHub(index, this.#deployment));
      }
      this.#beginAnotherPast();
    });
  }

  #copyOfDatabase(): Database {
    const { changes, holders } = this.#deployment.database;
    return { changes: [...changes], holders: new Map(holders) };
  }

  /** From now on answers must agree with the content of the database, although it was another one before. */
  #beginAnotherPast(): void {
    this.#past++;
    for (const [hash, holder] of this.#deployment.database.holders) {
      // A restore is not published. It is seen when the leases from before it have run out.
      const answeredAt = this.#time + (this.#leases.hubLeaseMs + this.#leases.leaseMs) * 1.02 + 100;
      this.#history.get(hash)?.push({ at: this.#time, answeredAt, holder });
    }
  }

  async #mutate(hash: TokenHash): Promise<void> {
    const before = this.#deployment.database.holders.get(hash) ?? null;
    const kind = this.#random();
    const holder: Holder | null =
      before === null
        ? null
        : kind < 0.1
          ? null
          : kind < 0.25
            ? { ...before, plan: before.plan === 'pro' ? 'enterprise' : 'pro' }
            : { ...before, active: !before.active };
    if (holder !== before) await this.#change(hash, holder);
  }

  /** The secret is replaced: it works for some time more. Later changes of its token do not change this end. */
  async #replace(hash: TokenHash): Promise<void> {
    const before = this.#deployment.database.holders.get(hash) ?? null;
    if (before === null) return;
    await this.#change(hash, { ...before, expiresAt: Math.floor(this.#time + this.#ends() * 5000) });
  }

  /** A token gets limits or loses them; its end is set, moved or removed. */
  async #limit(hash: TokenHash): Promise<void> {
    const before = this.#deployment.database.holders.get(hash) ?? null;
    if (before === null) return;
    const { limits: _, expiresAt: __, ...rest } = before;
    const limits = LIMITS[Math.floor(this.#limits() * LIMITS.length)]?.limits;
    const end = this.#haveEnds && this.#limits() < 0.5 ? this.#time + this.#limits() * 5000 : null;
    await this.#change(hash, {
      ...rest,
      ...(limits === undefined ? {} : { limits }),
      ...(end === null ? {} : { expiresAt: Math.floor(end) }),
    });
  }

  /** The operator pauses the organisation of all tokens, or ends the pause. */
  async #pause(): Promise<void> {
    const { holders } = this.#deployment.database;
    const isPaused = ![...holders.values()].some((holder) => holder?.isPaused === true);
    const changed: [TokenHash, Holder | null][] = [...holders].map(([hash, before]) => {
      if (before === null) return [hash, null];
      const { isPaused: _, ...rest } = before;
      return [hash, isPaused ? { ...rest, isPaused } : rest];
    });
    await this.#changeAll(changed);
  }

  async #change(hash: TokenHash, holder: Holder | null): Promise<void> {
    await this.#changeAll([[hash, holder]]);
  }

  /** One batch, and one answer. */
  async #changeAll(changed: [TokenHash, Holder | null][]): Promise<void> {
    const { database, terms } = this.#deployment;
    const states = changed.map(([hash, holder]) => {
      this.#commit(hash, holder);
      const state: State = { at: this.#time, answeredAt: Infinity, holder };
      this.#history.get(hash)?.push(state);
      return state;
    });
    // The old rows are pruned and the hubs begin again: an isolate that missed the change must be told of a reset.
    if (this.#chance(0.15)) this.#after(this.#delay(), () => this.#forgetPast());
    // A Worker that dies here has answered nothing, so it has promised nothing.
    if (this.#chance(0.1)) return;
    const clock = this.#newClock();
    await this.#code.publishChange(
      {
        now: clock,
        sleep: (ms) => this.#sleep(ms),
        places: REGIONS,
        advance: async (region, head) => {
          const index = REGIONS.indexOf(region);
          await this.#code.askUnder(terms, head, (point) =>
            this.#hubCall('publisher', index, ({ hub, deployment }) =>
              this.#code.answerUnder(deployment.terms, point, async () => {
                await hub.advance(point);
                return {};
              }),
            ),
          );
        },
        forget: (cachedHash) => Promise.resolve(this.#cached.get(cachedHash)?.push(null)),
        ...this.#leases,
      },
      { head: this.#headOf(database), hashes: changed.map(([hash]) => hash) },
    );
    for (const state of states) state.answeredAt = this.#time;
    // The promise is about the calls right after the answer.
    for (const [hash] of changed)
      for (let burst = 0; burst < 8; burst++) this.#after(burst * burst * 14, () => void this.#call(hash));
  }

  #forgetPast(): void {
    const { changes } = this.#deployment.database;
    changes.splice(0, changes.length - 1);
    for (const index of this.#hubs.keys()) this.#restartHub(index);
  }

  async #call(hash: TokenHash): Promise<void> {
    const verifier = this.#pick(this.#isolates);
    const startedAt = this.#time;
    const caller = this.#haveLimits
      ? (CALLERS[Math.floor(this.#limits() * CALLERS.length)] ?? SERVER)
      : SERVER;
    const context: Context = {
      caller,
      waitUntil: (promise) => void promise.catch(() => undefined),
    };
    const said = verdictOf(verifier.recall(hash, context) ?? (await verifier.lookUp(hash, context)));
    if (said === null) return;
    this.checked++;
    const states = this.#history.get(hash) ?? [];
    const first = states.findLastIndex((state) => state.answeredAt < startedAt);
    const allowed = states
      .slice(Math.max(0, first))
      .flatMap(({ holder }) => judge(holder, caller, startedAt, this.#time));
    if (!allowed.includes(said)) {
      this.wrong.push({ hash, startedAt, endedAt: this.#time, said, allowed });
    }
  }

  // --- the actors -----------------------------------------------------------------------------------------------

  #newHub(index: number, life: number, deployment: Deployment): Seat {
    const clock = this.#newClock();
    const source = this.#sourceFor(`hub${index}`, deployment.database);
    return { hub: new this.#code.Hub(source, clock, this.#leases.hubLeaseMs), life, deployment };
  }

  /** Empties a hub's memory. Without `deployment` the hub stays with its own. */
  #restartHub(index: number, deployment?: Deployment): void {
    const seat = this.#hubs[index];
    if (seat === undefined) return;
    this.#hubs[index] = this.#newHub(index, seat.life + 1, deployment ?? seat.deployment);
  }

  #newIsolate(index: number): IsolateVerifier {
    const { database, terms } = this.#deployment;
    const region = index % REGIONS.length;
    const clock = this.#newClock();
    return new this.#code.IsolateVerifier({
      now: clock,
      // At least a millisecond, as in a Worker: clocks have fractions here, and a wait of no time would repeat for ever.
      sleep: (ms) => this.#sleep(Math.max(1, ms)),
      hub: {
        sync: (ask: Ask): Promise<Answer> =>
          this.#code.askUnder(terms, ask, (question) =>
            this.#hubCall('isolate', region, ({ hub, deployment }) =>
              this.#code.answerUnder(deployment.terms, question, () => hub.sync(question)),
            ),
          ),
      },
      cache: {
        get: (hash) => this.#readCache(hash),
        put: (hash, record) => Promise.resolve(this.#cached.get(hash)?.push(record)),
      },
      source: this.#sourceFor('isolate', database),
      random: this.#isolateRandom,
      isRead: () => false,
      leaseMs: this.#leases.leaseMs,
    });
  }

  /** A clock: its rate is within 0.9 % of the true one; its offset is any, or within half a second where secrets have an end. */
  #newClock(): () => number {
    const drawn = this.#random();
    const offset = this.#haveEnds ? (drawn * 2 - 1) * OFFSET_MS : Math.floor(drawn * 1e6);
    const rate = 1 + (this.#random() - 0.5) * 0.018;
    return () => offset + this.#time * rate;
  }

  #sourceFor(who: string, database: Database): Source {
    const ask = <T>(answer: () => T): Promise<T> => this.#message(`${who}-db`, answer);
    return {
      read: (hashes) =>
        ask(() => {
          const asOf = this.#headOf(database);
          return new Map(hashes.map((hash) => [hash, { asOf, holder: database.holders.get(hash) ?? null }]));
        }),
      changesFrom: (seq, limit) =>
        ask(() => database.changes.filter((change) => change.seq >= seq).slice(0, limit)),
      newestChanges: (limit) => ask(() => database.changes.slice(-limit)),
      addUsage: () => Promise.resolve(),
    };
  }

  #hubCall<T>(who: string, index: number, use: (seat: Seat) => Promise<T>): Promise<T> {
    return new Promise((done, fail) => {
      void this.#message(`${who}-hub${index}`, () => {
        const seat = this.#hubs[index];
        if (seat === undefined) return;
        const { life } = seat;
        if (this.#chance(0.03)) void use(seat).catch(() => undefined);
        use(seat).then(
          (value) => {
            // A hub that has died in the meantime sends no answer.
            if (this.#hubs[index]?.life !== life) fail(new Error('the hub died'));
            else void this.#message(`${who}-hub${index}`, () => done(structuredClone(value))).catch(fail);
          },
          (error: unknown) => this.#after(this.#delay(), () => fail(error)),
        );
      }).catch(fail);
    });
  }

  /** One message: it is late, or lost. The sender learns of a loss even later, as a failure. */
  #message<T>(link: string, arrive: () => T): Promise<T> {
    const isCut = (this.#cuts.get(link) ?? 0) > this.#time;
    return new Promise((done, fail) => {
      if (isCut || this.#chance(0.01)) this.#after(this.#delay() * 3, () => fail(new Error(`${link}: lost`)));
      else {
        this.#after(this.#delay(), () => {
          const value = arrive();
          this.#after(this.#delay(), () => done(value));
        });
      }
    });
  }

  async #readCache(hash: TokenHash): Promise<CachedRecord | null> {
    await this.#sleep(this.#chance(0.1) ? 400 : this.#delay());
    if (this.#chance(0.05)) throw new Error('KV: failed');
    return this.#pick(this.#cached.get(hash) ?? [null]);
  }

  // --- time and chance ------------------------------------------------------------------------------------------

  #headOf({ changes }: Database): Head {
    const { seq, nonce } = changes.at(-1) ?? { seq: 0, nonce: '' };
    return { seq, nonce };
  }

  #commit(hash: TokenHash, holder: Holder | null): void {
    const { database } = this.#deployment;
    database.holders.set(hash, holder);
    const seq = this.#headOf(database).seq + 1;
    database.changes.push({ seq, nonce: `n${seq}.${this.#past}`, hash });
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((done) => {
      this.#after(ms, done);
    });
  }

  #after(ms: number, run: () => void): void {
    const entry = { at: this.#time + Math.max(0, ms), order: this.#order++, run };
    let low = 0;
    let high = this.#queue.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = this.#queue[middle];
      if (
        other !== undefined &&
        (other.at > entry.at || (other.at === entry.at && other.order > entry.order))
      ) {
        low = middle + 1;
      } else high = middle;
    }
    this.#queue.splice(low, 0, entry);
  }

  #pop() {
    return this.#time > LENGTH_MS * 2 ? undefined : this.#queue.pop();
  }

  /** Mostly a few milliseconds, at times up to four leases. */
  #delay(): number {
    const kind = this.#random();
    if (kind < 0.85) return 1 + this.#random() * 20;
    return kind < 0.97 ? this.#random() * 300 : this.#random() * LONGEST_MS;
  }

  #chance(probability: number): boolean {
    return this.#random() < probability;
  }

  #pick<T>(list: readonly T[]): T {
    // An index below the length of a list that is never empty.
    return list[Math.floor(this.#random() * list.length)] as T;
  }
}

/** The answers that are right for a call of this time: both, while clocks may differ about the end of its secret. */
function judge(holder: Holder | null, caller: Caller, startedAt: number, endedAt: number): Verdict[] {
  if (holder === null || !holder.active) return ['refused'];
  const { isPaused, plan, limits, expiresAt = Infinity } = holder;
  const limited = LIMITS.find((each) => each.limits === limits)?.judge(caller) ?? null;
  const stopped = isPaused === true ? 'paused' : plan === 'enterprise' ? null : 'plan';
  const within = limited === 'refused' ? limited : (stopped ?? limited ?? 'accepted');
  const verdicts: Verdict[] = [];
  if (startedAt < expiresAt + SKEW_MS) verdicts.push(within);
  if (endedAt >= expiresAt - SKEW_MS) verdicts.push('refused');
  return verdicts;
}

/** Null: there was no answer, and that is never wrong. */
function verdictOf(verification: Verification): Verdict | null {
  if (verification.ok) return 'accepted';
  if (verification.reason === 'verification-unavailable') return null;
  if (verification.reason === 'invalid-token') return 'refused';
  if (verification.reason === 'organisation-paused') return 'paused';
  return verification.reason === 'access-denied' ? 'denied' : 'plan';
}
