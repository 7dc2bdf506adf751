// Finds the genuine secrets in reported texts, and ends them.
import { causeOf } from '../activity/cause.ts';
import { EXPOSERS } from '../activity/events.ts';
import type { ExposedBy } from '../activity/events.ts';
import type { Call } from '../http/call.ts';
import { endExposedSecrets } from '../token/deeds.ts';
import type { Exposure } from '../token/exposure.ts';
import { hashOfSecret, isGenuineSecret, secretShapesIn } from '../token/secret.ts';
import type { TokenHash } from '../token/secret.ts';

/** A text that may have secrets in it, and the address where it was seen (seen.ts). */
export type Seen = { text: string; where: string | null };

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

/** Ends the secrets. When it resolves, all of it is committed; it is published after the answer. It may be repeated. */
export async function endLeaks(call: Call, exposures: readonly Exposure[], by: ExposedBy): Promise<void> {
  if (exposures.length === 0) return;
  const { deployment } = call;
  const db = await deployment.openDatabase();
  const later = (published: Promise<unknown>) => call.waitUntil(published);
  await endExposedSecrets(db, deployment.publish, later, exposures, by, causeOf(call, EXPOSERS[by]));
}
