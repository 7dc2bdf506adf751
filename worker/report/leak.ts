// Finds the genuine secrets in reported texts, and ends secrets that others have seen, however that became known.
import { causeOf } from '../activity/cause.ts';
import type { Call } from '../http/call.ts';
import { withReserve } from '../reserve.ts';
import { endExposed } from '../token/exposure.ts';
import type { Exposure } from '../token/exposure.ts';
import { hashOfSecret, isGenuineSecret, secretShapesIn } from '../token/secret.ts';
import type { TokenHash } from '../token/secret.ts';
import type { Exposed } from '../token/store.ts';

/** A text that may have secrets in it, and the address where it was seen (seen.ts). */
export type Seen = { text: string; where: string | null };

/** The most secrets of one batch. */
const AT_ONCE = 100;
/** The actors of the events: strangers. */
export const ACTORS: Readonly<Record<Exposed['by'], string>> = {
  report: 'reporter',
  github: 'github',
  url: 'caller',
};

/** The genuine secrets, each once. Text that was never minted is found out without any storage. */
export function genuineIn({ deployment }: Call, seen: readonly Seen[]): Exposure[] {
  const genuine = new Map<TokenHash, Exposure>();
  for (const { text, where } of seen) {
    for (const secret of secretShapesIn(text)) {
      if (!isGenuineSecret(deployment.settings.tagKeys, secret)) continue;
      const hash = hashOfSecret(secret);
      const known = genuine.get(hash);
      genuine.set(hash, { hash, where: known?.where ?? where });
    }
  }
  return [...genuine.values()];
}

/**
 * Ends the secrets, and answers whether anything was put on record. When it resolves, all of it is committed; it is published after
 * the answer. It may be repeated.
 */
export async function endLeaks(
  call: Call,
  exposures: readonly Exposure[],
  by: Exposed['by'],
): Promise<boolean> {
  if (exposures.length === 0) return false;
  // A full database must not prevent the end of a secret.
  const db = withReserve(await call.deployment.openDatabase());
  const cause = causeOf(call, ACTORS[by]);
  let isOnRecord = false;
  for (let from = 0; from < exposures.length; from += AT_ONCE) {
    const ended = await endExposed(db, exposures.slice(from, from + AT_ONCE), by, cause);
    const { change } = ended;
    isOnRecord ||= ended.isOnRecord;
    // It rejects if the database belongs to another deployment. Every later answer then says so.
    if (change !== null) call.waitUntil(call.deployment.publish(change).catch(() => undefined));
  }
  return isOnRecord;
}
