// The rules that a hub keeps for the promise. Each has a name: the simulation turns one off and shows that the promise breaks. Pure.
import type { Head } from '../record.ts';

export const HUB_RULES = {
  /** Whether a hub reads the database before it confirms a change. It must have read the change itself. */
  readsBeforeConfirming(): boolean {
    return true;
  },
  /** Whether a change is confirmed. The number alone is not enough: another database has a change with the same number. */
  confirms(isKnown: boolean, _head: Head | null, _change: Head): boolean {
    return isKnown;
  },
  /** Whether a record that KV held may be used. */
  trustsCached(isCurrent: boolean): boolean {
    return isCurrent;
  },
  /** Whether a record that was read for another caller may be used. */
  trustsRead(isCurrent: boolean): boolean {
    return isCurrent;
  },
  /** Whether a caller waits for the load that is under way. Two loads at once could leave a gap in the changes. */
  joinsLoads(): boolean {
    return true;
  },
  /** Whether two changes with one number are the same. A restored database uses its numbers again. */
  isSameNonce(known: string | undefined, other: string): boolean {
    return known === other;
  },
};
export type HubRules = typeof HUB_RULES;
