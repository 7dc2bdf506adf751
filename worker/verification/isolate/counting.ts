// Counts the calls of an isolate by secret, until its hub is told. To know who calls costs more than to count, so it is asked for a few
// calls alone, and the calls in between count for the caller that was asked about last. So shares are approximate; sums are exact.
import { ALL_OTHERS, callerIn } from '../../token/callers.ts';
import type { CallerCount, Traits } from '../../token/callers.ts';
import { networkOfAddress } from '../../token/network.ts';
import type { TokenHash } from '../../token/secret.ts';
import type { Caller } from '../caller.ts';
import { lastAddresses, plusReasons } from '../record.ts';
import type { Reason } from '../../token/callers.ts';
import type { Counted, Counts } from '../sync.ts';

/** Accepted calls with a secret, or refused ones. */
type Outcome = {
  calls: number;
  /** At which call its caller is asked for. */
  next: number;
  /** Whose calls they are until then. */
  caller: CallerCount | null;
};
type Tally = Omit<Counted, 'accepted' | 'refused'> & { accepted: Outcome; refused: Outcome };

/** How many callers of a secret an isolate keeps by themselves, also while its hub is away. It asks fewer times from one answer to the next. */
const CALLERS = 40;

export class Counting {
  #tallies = new Map<TokenHash, Tally>();
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  get isEmpty(): boolean {
    return this.#tallies.size === 0;
  }

  /** Counts one call. `reason`: why it is refused; null: it is accepted. */
  count(hash: TokenHash, tokenId: string, reason: Reason | null, caller: Caller): void {
    const tally = this.#tallyOf(hash, tokenId);
    const kind = reason === null ? 'accepted' : 'refused';
    const outcome = tally[kind];
    if (++outcome.calls >= outcome.next) this.#ask(tally, outcome, caller);
    if (outcome.caller !== null) outcome.caller[kind]++;
    if (reason === null) return;
    const reasons = (tally.reasons ??= {});
    reasons[reason] = (reasons[reason] ?? 0) + 1;
    const address = reason === 'network' ? networkOfAddress(caller.address ?? '') : null;
    if (address !== null) tally.addresses = lastAddresses(tally.addresses, [address]);
  }

  /**
   * Asks who makes this call. The distance to the next call that is asked about is random, so that callers that take turns are all
   * met, and grows with the number of calls: of 10,000 calls about 23 are asked about.
   */
  #ask({ callers }: Tally, outcome: Outcome, { traits }: Caller): void {
    outcome.caller = kept(callers, traits);
    outcome.next = outcome.calls + 1 + Math.floor(this.#random() * outcome.calls);
  }

  /** Takes all counts out, for the hub. */
  take(): Counts {
    const counts: Counts = new Map();
    for (const [hash, { accepted, refused, ...rest }] of this.#tallies)
      counts.set(hash, { ...rest, accepted: accepted.calls, refused: refused.calls });
    this.#tallies = new Map();
    return counts;
  }

  /** Counts that did not reach the hub. */
  giveBack(counts: Counts): void {
    for (const [hash, { tokenId, accepted, refused, callers, reasons, addresses }] of counts) {
      const tally = this.#tallyOf(hash, tokenId);
      tally.accepted.calls += accepted;
      tally.refused.calls += refused;
      for (const told of callers) {
        const caller = kept(tally.callers, told);
        caller.accepted += told.accepted;
        caller.refused += told.refused;
      }
      if (reasons !== undefined) tally.reasons = plusReasons(tally.reasons, reasons);
      if (addresses !== undefined) tally.addresses = lastAddresses(addresses, tally.addresses);
    }
  }

  #tallyOf(hash: TokenHash, tokenId: string): Tally {
    let tally = this.#tallies.get(hash);
    if (tally === undefined) {
      tally = { tokenId, accepted: newOutcome(), refused: newOutcome(), callers: [] };
      this.#tallies.set(hash, tally);
    }
    return tally;
  }
}

const newOutcome = (): Outcome => ({ calls: 0, next: 1, caller: null });

function kept(callers: CallerCount[], traits: Traits): CallerCount {
  return callerIn(callers, callers.length < CALLERS ? traits : ALL_OTHERS);
}
