// Who called with a secret, as it is counted, and why a call was refused: never an address. Pure.

/** What is counted of a caller. */
export type Traits = {
  /** The AS number of its network; 0: not known. */
  network: number;
  /** Empty: not known. */
  networkName: string;
  /** Two letters; empty: not known. */
  country: string;
  /** The name of its program without a version, `browser`, `unknown`, or through what was asked, such as `via gateway`. */
  agent: string;
};

/** Why a call with a secret that has a holder is refused. The caller is told less. */
export type Reason = 'inactive' | 'expired' | 'network' | 'origin' | 'paused' | 'plan' | 'access';

/** Calls of one caller. `lastAt` (RFC 3339): when a hub was told of the last one; a hub adds it. */
export type CallerCount = Traits & { accepted: number; refused: number; lastAt?: string };

/** In place of the number of a network: all callers that are not counted by themselves. */
export const OTHERS = -1;
export const ALL_OTHERS: Traits = { network: OTHERS, networkName: '', country: '', agent: '' };

/** The entry of a caller. A new one is made if there is none. */
export function callerIn(callers: CallerCount[], { network, networkName, country, agent }: Traits) {
  let found = callers.find(
    (caller) => caller.network === network && caller.agent === agent && caller.country === country,
  );
  if (found === undefined) {
    found = { network, networkName, country, agent, accepted: 0, refused: 0 };
    callers.push(found);
  }
  return found;
}
