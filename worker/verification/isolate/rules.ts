// The rules that an isolate keeps for the promise. Each has a name: the simulation turns one off and shows that the promise breaks.
// Pure: times in ms.
import { isBelow } from '../../token/limits.ts';
import type { Limits } from '../../token/limits.ts';
import { isWithin, parseAddress } from '../../token/network.ts';
import { NO_ORIGIN } from '../caller.ts';
import type { Caller } from '../caller.ts';
import type { Head, Holder } from '../record.ts';
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
  /** Whether the operator has paused the organisation. */
  isPaused(isPaused: Holder['isPaused']): boolean {
    return isPaused === true;
  },
  /** Whether the caller's address is in one of the networks. An unknown address is in none. */
  keepsToNetworks(networks: Limits['networks'], address: Caller['address']): boolean {
    if (networks.length === 0) return true;
    const parsed = address === null ? null : parseAddress(address);
    return parsed !== null && networks.some((network) => isWithin(network, parsed));
  },
  /** Whether the call comes from one of the websites, or from none: servers send no origin. */
  keepsToOrigins(origins: Limits['origins'], origin: Caller['origin']): boolean {
    return origins.length === 0 || origin === NO_ORIGIN || (origin !== null && origins.includes(origin));
  },
  keepsToPaths(paths: Limits['paths'], path: Caller['path']): boolean {
    return paths.length === 0 || (path !== null && paths.some((prefix) => isBelow(prefix, path)));
  },
  keepsToAccess(
    access: Limits['access'],
    method: Caller['method'],
    path: Caller['path'],
    isRead: (method: string, path: string) => boolean,
  ): boolean {
    if (access === 'full' || method === 'GET' || method === 'HEAD') return true;
    return method !== null && path !== null && isRead(method, path);
  },
};
export type IsolateRules = typeof ISOLATE_RULES;
