// An adversarial world around the real verifier, memory, hub and publish code: virtual time, actors whose clocks differ,
// messages that are slow, lost or repeated, a KV that answers anything it ever held, hubs and isolates that die, a database
// that is restored from a backup.
// Every request and every response is a scheduling point of its own. One seed, one history.
import type { TokenHash } from '../../token/secret.ts';
import type { Answer, Ask, Hub } from '../hub.ts';
import type { PublishPorts } from '../publish.ts';
import type { Change, Head, Holder, TokenRecord, Truth } from '../record.ts';
import type { Ports, Verification, Verifier } from '../verifier.ts';

/** The code under test: the real modules, or a twin that lacks one rule. */
export type Code = {
  Hub: new (truth: Truth, now: () => number, leaseMs: number) => Hub;
  Verifier: new (ports: Ports) => Verifier;
  publishChange(
    ports: PublishPorts,
    change: { seq: number; hashes: TokenHash[] },
  ): Promise<{ effectiveAt: string }>;
};

const LEASE_MS = 1000;
const HUB_LEASE_MS = 4000;
const LENGTH_MS = 14_000;
const HASHES = ['a', 'b'] as TokenHash[];
const REGIONS = ['weur', 'enam'];
const ISOLATES = 3;

type State = { at: number; answeredAt: number; holder: Holder | null };
type Verdict = 'accepted' | 'plan' | 'refused';
export type Wrong = { hash: string; startedAt: number; endedAt: number; said: Verdict; allowed: Verdict[] };

/** mulberry32: small, fast, and the same everywhere. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d_2b_79_f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

export class World {
  readonly wrong: Wrong[] = [];
  checked = 0;
  private readonly code: Code;
  private readonly random: () => number;
  private time = 0;
  private order = 0;
  /** Which past the database lives in: a restored one counts again. */
  private past = 0;
  private readonly queue: { at: number; order: number; run: () => void }[] = [];
  private readonly holders = new Map<TokenHash, Holder | null>();
  private readonly changes: Change[] = [];
  private readonly history = new Map<TokenHash, State[]>();
  private readonly cached = new Map<TokenHash, (string | null)[]>();
  private readonly hubs: { hub: Hub; life: number; clock: () => number }[];
  private readonly isolates: { verifier: Verifier; clock: () => number; region: number }[];
  /** Until when a link is cut: `hub0-db`, `publisher-hub1`, `isolate2-hub0` and so on. */
  private readonly cuts = new Map<string, number>();

  constructor(code: Code, seed: number) {
    this.code = code;
    this.random = randomFrom(seed);
    this.changes.push({ seq: 1, nonce: 'n1', hash: '' as TokenHash });
    for (const hash of HASHES) {
      const holder = {
        tokenId: hash,
        organisationId: 'o',
        plan: 'enterprise' as const,
        active: this.chance(0.7),
      };
      this.commit(hash, holder);
      this.history.set(hash, [{ at: 0, answeredAt: 0, holder }]);
      this.cached.set(hash, [null]);
    }
    this.hubs = REGIONS.map((_, index) => this.newHub(index, 0));
    this.isolates = Array.from({ length: ISOLATES }, (_, index) => this.newIsolate(index));
  }

  /** Plays the whole history; what was answered wrongly is in `wrong`. */
  async run(): Promise<void> {
    this.plan();
    for (let next = this.pop(); next !== undefined && this.wrong.length === 0; next = this.pop()) {
      this.time = next.at;
      next.run();
      // Lets every promise that this event settled run to its next wait.
      await new Promise((done) => {
        setImmediate(done);
      });
    }
  }

  // --- what happens ---------------------------------------------------------------------------------------------

  private plan(): void {
    for (let mutation = 0; mutation < 3; mutation++) {
      this.after(500 + this.random() * 6000, () => void this.mutate(this.pick(HASHES)));
    }
    for (let trouble = 0; trouble < 4; trouble++) {
      this.after(this.random() * LENGTH_MS * 0.8, () => this.trouble());
    }
    if (this.chance(0.2)) this.after(this.random() * LENGTH_MS * 0.4, () => this.backUp());
    for (let at = 0; at < LENGTH_MS; at += 60 + this.random() * 240) {
      this.after(at, () => void this.call(this.pick(HASHES)));
    }
  }

  private trouble(): void {
    const hub = Math.floor(this.random() * REGIONS.length);
    const kind = this.random();
    const until = this.time + this.random() * HUB_LEASE_MS * 1.6;
    if (kind < 0.25) this.hubs[hub] = this.newHub(hub, (this.hubs[hub]?.life ?? 0) + 1);
    else if (kind < 0.5) this.cuts.set(`hub${hub}-db`, until);
    else if (kind < 0.65) this.cuts.set(`publisher-hub${hub}`, until);
    else if (kind < 0.8) this.cuts.set(`isolate-hub${hub}`, until);
    else if (kind < 0.9) this.cuts.set('isolate-db', until);
    else {
      const isolate = Math.floor(this.random() * ISOLATES);
      this.isolates[isolate] = this.newIsolate(isolate);
    }
  }

  /** A copy of the database, which takes its place some time later: what happened in between is gone. */
  private backUp(): void {
    const [changes, holders] = [[...this.changes], new Map(this.holders)];
    this.after(this.random() * 5000, () => {
      this.past++;
      this.changes.splice(0, this.changes.length, ...changes);
      for (const [hash, holder] of holders) {
        this.holders.set(hash, holder);
        // Nobody publishes a restore: it is seen when the leases over the other past have run out.
        const answeredAt = this.time + (HUB_LEASE_MS + LEASE_MS) * 1.02 + 100;
        this.history.get(hash)?.push({ at: this.time, answeredAt, holder });
      }
    });
  }

  private async mutate(hash: TokenHash): Promise<void> {
    const before = this.holders.get(hash) ?? null;
    const kind = this.random();
    const holder: Holder | null =
      before === null
        ? null
        : kind < 0.1
          ? null
          : kind < 0.25
            ? { ...before, plan: before.plan === 'pro' ? 'enterprise' : 'pro' }
            : { ...before, active: !before.active };
    if (holder === before) return;
    this.commit(hash, holder);
    const state: State = { at: this.time, answeredAt: Infinity, holder };
    this.history.get(hash)?.push(state);
    // The old rows are pruned and the hubs begin again: whoever slept through the change must hear of a reset.
    if (this.chance(0.15)) this.after(this.delay(), () => this.forgetPast());
    // A Worker that dies here has answered nothing, so it has promised nothing.
    if (this.chance(0.1)) return;
    const clock = this.newClock();
    await this.code.publishChange(
      {
        now: clock,
        sleep: (ms) => this.sleep(ms),
        advance: (region, seq) => {
          const index = REGIONS.indexOf(region);
          return index < 0 ? Promise.resolve() : this.hubCall('publisher', index, (hub) => hub.advance(seq));
        },
        forget: (cachedHash) => Promise.resolve(this.cached.get(cachedHash)?.push(null)),
        leaseMs: LEASE_MS,
        hubLeaseMs: HUB_LEASE_MS,
      },
      { seq: this.head().seq, hashes: [hash] },
    );
    state.answeredAt = this.time;
    // The moments after the answer are what the promise is about.
    for (let burst = 0; burst < 8; burst++) this.after(burst * burst * 14, () => void this.call(hash));
  }

  private forgetPast(): void {
    this.changes.splice(0, this.changes.length - 1);
    for (const [index, { life }] of this.hubs.entries()) this.hubs[index] = this.newHub(index, life + 1);
  }

  private async call(hash: TokenHash): Promise<void> {
    const { verifier } = this.pick(this.isolates);
    const startedAt = this.time;
    const waitUntil = (promise: Promise<unknown>): void => void promise.catch(() => undefined);
    const said = verdictOf(verifier.recall(hash, waitUntil) ?? (await verifier.lookUp(hash, waitUntil)));
    if (said === null) return;
    this.checked++;
    const states = this.history.get(hash) ?? [];
    const first = states.findLastIndex((state) => state.answeredAt < startedAt);
    const allowed = states.slice(Math.max(0, first)).map(({ holder }) => judge(holder));
    if (!allowed.includes(said)) {
      this.wrong.push({ hash, startedAt, endedAt: this.time, said, allowed });
    }
  }

  // --- who takes part -------------------------------------------------------------------------------------------

  private newHub(index: number, life: number) {
    const clock = this.newClock();
    return { hub: new this.code.Hub(this.truthFor(`hub${index}`), clock, HUB_LEASE_MS), life, clock };
  }

  private newIsolate(index: number) {
    const region = index % REGIONS.length;
    const clock = this.newClock();
    const verifier = new this.code.Verifier({
      now: clock,
      sleep: (ms) => this.sleep(ms),
      hub: {
        sync: (ask: Ask): Promise<Answer> => this.hubCall('isolate', region, (hub) => hub.sync(ask)),
      },
      cache: {
        get: (hash) => this.readCache(hash),
        put: (hash, text) => Promise.resolve(this.cached.get(hash)?.push(text)),
      },
      truth: this.truthFor('isolate'),
      leaseMs: LEASE_MS,
    });
    return { verifier, clock, region };
  }

  /** A clock of its own: any offset, a rate within 0.9 % of the true one. */
  private newClock(): () => number {
    const offset = Math.floor(this.random() * 1e6);
    const rate = 1 + (this.random() - 0.5) * 0.018;
    return () => offset + this.time * rate;
  }

  private truthFor(who: string): Truth {
    const ask = <T>(answer: () => T): Promise<T> => this.message(`${who}-db`, answer);
    return {
      read: (hash) => ask((): TokenRecord => ({ asOf: this.head(), holder: this.holders.get(hash) ?? null })),
      changesFrom: (seq, limit) =>
        ask(() => this.changes.filter((change) => change.seq >= seq).slice(0, limit)),
      newestChanges: (limit) => ask(() => this.changes.slice(-limit)),
      addUsage: () => Promise.resolve(),
    };
  }

  private hubCall<T>(who: string, index: number, use: (hub: Hub) => Promise<T>): Promise<T> {
    return new Promise((done, fail) => {
      void this.message(`${who}-hub${index}`, () => {
        const seat = this.hubs[index];
        if (seat === undefined) return;
        const { life } = seat;
        if (this.chance(0.03)) void use(seat.hub).catch(() => undefined);
        use(seat.hub).then(
          (value) => {
            // An answer of a hub that has died meanwhile never leaves it.
            if (this.hubs[index]?.life !== life) fail(new Error('the hub died'));
            else void this.message(`${who}-hub${index}`, () => done(structuredClone(value))).catch(fail);
          },
          (error: unknown) => this.after(this.delay(), () => fail(error)),
        );
      }).catch(fail);
    });
  }

  /** One way of a message: late, or lost (which shows as a failure, later still). */
  private message<T>(link: string, arrive: () => T): Promise<T> {
    const isCut = (this.cuts.get(link) ?? 0) > this.time;
    return new Promise((done, fail) => {
      if (isCut || this.chance(0.01)) this.after(this.delay() * 3, () => fail(new Error(`${link}: lost`)));
      else {
        this.after(this.delay(), () => {
          const value = arrive();
          this.after(this.delay(), () => done(value));
        });
      }
    });
  }

  private async readCache(hash: TokenHash): Promise<string | null> {
    await this.sleep(this.chance(0.1) ? 400 : this.delay());
    if (this.chance(0.05)) throw new Error('KV: failed');
    return this.pick(this.cached.get(hash) ?? [null]);
  }

  // --- time and chance ------------------------------------------------------------------------------------------

  private head(): Head {
    const { seq, nonce } = this.changes.at(-1) ?? { seq: 0, nonce: '' };
    return { seq, nonce };
  }

  private commit(hash: TokenHash, holder: Holder | null): void {
    this.holders.set(hash, holder);
    const seq = this.head().seq + 1;
    this.changes.push({ seq, nonce: `n${seq}.${this.past}`, hash });
  }

  private sleep(ms: number): Promise<void> {
    return new Promise((done) => {
      this.after(ms, done);
    });
  }

  private after(ms: number, run: () => void): void {
    const entry = { at: this.time + Math.max(0, ms), order: this.order++, run };
    let low = 0;
    let high = this.queue.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = this.queue[middle];
      if (
        other !== undefined &&
        (other.at > entry.at || (other.at === entry.at && other.order > entry.order))
      ) {
        low = middle + 1;
      } else high = middle;
    }
    this.queue.splice(low, 0, entry);
  }

  private pop() {
    return this.time > LENGTH_MS * 2 ? undefined : this.queue.pop();
  }

  /** Mostly a few milliseconds, at times up to four leases. */
  private delay(): number {
    const kind = this.random();
    if (kind < 0.85) return 1 + this.random() * 20;
    return kind < 0.97 ? this.random() * 300 : this.random() * LEASE_MS * 4;
  }

  private chance(probability: number): boolean {
    return this.random() < probability;
  }

  private pick<T>(list: readonly T[]): T {
    // An index below the length of a list that is never empty.
    return list[Math.floor(this.random() * list.length)] as T;
  }
}

function judge(holder: Holder | null): Verdict {
  if (holder === null || !holder.active) return 'refused';
  return holder.plan === 'enterprise' ? 'accepted' : 'plan';
}

/** Null: no answer, which is never wrong. */
function verdictOf(verification: Verification): Verdict | null {
  if (verification.ok) return 'accepted';
  if (verification.reason === 'verification-unavailable') return null;
  return verification.reason === 'invalid-token' ? 'refused' : 'plan';
}
