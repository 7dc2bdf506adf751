// Why a call with a secret is refused. Pure: times in ms.
import { opensDeveloperZone } from '../../organisation/organisation.ts';
import type { Caller } from '../caller.ts';
import type { Reason } from '../../token/callers.ts';
import type { Holder } from '../record.ts';
import type { IsolateRules } from './rules.ts';

/**
 * The reason, or null for a call that is accepted. A caller whom a network or a website keeps out learns nothing more about the token.
 * `isRead`: whether READ_REQUESTS names a call.
 */
export function reasonAgainst(
  holder: Holder,
  now: number,
  caller: Caller,
  rules: IsolateRules,
  isRead: (method: string, path: string) => boolean,
): Reason | null {
  const { active, expiresAt, limits } = holder;
  if (!active) return 'inactive';
  if (expiresAt !== undefined && rules.hasEnded(expiresAt, now)) return 'expired';
  if (limits === undefined) return reasonOfOrganisation(holder, rules);
  if (!rules.keepsToNetworks(limits.networks, caller.address)) return 'network';
  if (!rules.keepsToOrigins(limits.origins, caller.origin)) return 'origin';
  const reason = reasonOfOrganisation(holder, rules);
  if (reason !== null || caller.judgesScope === true) return reason;
  const { method, path } = caller;
  const mayCall =
    rules.keepsToPaths(limits.paths, path) && rules.keepsToAccess(limits.access, method, path, isRead);
  return mayCall ? null : 'access';
}

/** Why no token of the holder's organisation is accepted, or null. */
function reasonOfOrganisation({ isPaused, plan }: Holder, rules: IsolateRules): Reason | null {
  if (rules.isPaused(isPaused)) return 'paused';
  return opensDeveloperZone(plan) ? null : 'plan';
}
