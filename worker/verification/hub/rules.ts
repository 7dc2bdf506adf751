// The rules of the promise that a hub keeps. Each has a name, so that the simulation can leave one out and show that the
// promise breaks without it. Pure.
import type { Head } from '../record.ts';

export const HUB_RULES = {
  /** Whether a hub reads the database before it confirms a change: it must have read the change, not only heard of it. */
  readsBeforeConfirming(): boolean {
    return true;
  },
  /** Whether a change is confirmed. By number and nonce: another database has a change of the same number. */
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
  /** Whether a caller joins the load that is under way: two loads at once would leave a gap between them. */
  joinsLoads(): boolean {
    return true;
  },
  /** Whether two changes of one number are the same: a database that was restored counts again. */
  isSameNonce(known: string | undefined, other: string): boolean {
    return known === other;
  },
};
export type HubRules = typeof HUB_RULES;
