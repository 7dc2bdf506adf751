// The rules of the promise that an isolate keeps. Each has a name, so that the simulation can leave one out and show that the
// promise breaks without it. Pure: times in ms.
import type { Head } from '../record.ts';
import type { Answer } from '../sync.ts';

export const ISOLATE_RULES = {
  /** When a lease begins: before the question, because the answer's view may be as old as the call was long. */
  leaseBegins(askedAt: number, _answeredAt: number): number {
    return askedAt;
  },
  /** How long a lease lasts: the shorter of the two, never their sum. `remaining` is what is left of the hub's own lease. */
  leaseLasts(ownMs: number, remaining: number): number {
    return Math.min(ownMs, remaining);
  },
  /** Whether what is remembered belongs to another past. `_known` is the newest change that the isolate knows. */
  isReset(changes: Answer['changes'], _known: Head | null): changes is 'reset' {
    return changes === 'reset';
  },
  /** Whether a record is older than what is known of its token: `changedAt`, or of all tokens: `floor`. */
  isOvertaken(asOf: number, changedAt: number, floor: number): boolean {
    return asOf < floor || asOf < changedAt;
  },
  /**
   * Whether a secret that has an end has come to it, by the clock of this place. It is the one rule that compares with a clock:
   * clocks at the edge agree within a second or so.
   */
  hasEnded(expiresAt: number, now: number): boolean {
    return now >= expiresAt;
  },
};
export type IsolateRules = typeof ISOLATE_RULES;
