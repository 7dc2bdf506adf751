// The rules that an isolate keeps for the promise. Each has a name: the simulation turns one off and shows that the promise breaks.
// Pure: times in ms.
import type { Head } from '../record.ts';
import type { Answer } from '../sync.ts';

export const ISOLATE_RULES = {
  /** When a lease begins: before the question, because the answer may be as old as the question. */
  leaseBegins(askedAt: number, _answeredAt: number): number {
    return askedAt;
  },
  /** How long a lease lasts: the shorter of the two, never their sum. `remaining`: the rest of the hub's own lease. */
  leaseLasts(ownMs: number, remaining: number): number {
    return Math.min(ownMs, remaining);
  },
  /** Whether the remembered records belong to another past. `_known`: the newest change that the isolate knows. */
  isReset(changes: Answer['changes'], _known: Head | null): changes is 'reset' {
    return changes === 'reset';
  },
  /** Whether a record is older than a known change of its token (`changedAt`), or than all known changes (`floor`). */
  isOvertaken(asOf: number, changedAt: number, floor: number): boolean {
    return asOf < floor || asOf < changedAt;
  },
  /**
   * Whether the end of a secret has come, by the clock of this place. Only this rule compares with a clock: clocks at the edge
   * agree within about a second.
   */
  hasEnded(expiresAt: number, now: number): boolean {
    return now >= expiresAt;
  },
};
export type IsolateRules = typeof ISOLATE_RULES;
