// A secret in a URL is never accepted, and others may read it: logs, histories and Referer headers keep URLs. The token is switched
// off and marked, or where the deployment says so an event is all. This runs after the answer, whatever credential the call had.
import { causeOf } from '../activity/cause.ts';
import type { Call } from '../http/call.ts';
import { limit } from '../http/limit.ts';
import { logFailure } from '../http/log.ts';
import { Problem } from '../http/problem.ts';
import { sha256Hex } from '../random.ts';
import { withReserve } from '../reserve.ts';
import { hashOfSecret, hasSecretShape, isGenuineSecret } from '../token/secret.ts';
import { endExposed, recordExposure } from '../token/exposure.ts';

/** The actor of the event. The caller is usually not a signed-in member. */
const ACTOR = 'caller';

/**
 * Ends the first genuine secret among the values of the query, or records it. Text that was never minted costs no storage. A limiter
 * lets about 30 calls a minute with one token reach the database, and the statements write once.
 */
export async function keepExposure(call: Call): Promise<void> {
  const { settings, limiters, publish } = call.deployment;
  const shaped = [...new URL(call.request.url).searchParams.values()].filter(hasSecretShape);
  if (shaped.length === 0) return;
  const secret = shaped.find((text) => isGenuineSecret(settings.tagKeys, text));
  if (secret === undefined) return;
  const hash = hashOfSecret(secret);
  try {
    // The hash of a token is its key in KV, and must be in no other store.
    await limit(limiters.failedLoginsPerClient, `exposed:${sha256Hex(hash)}`);
    const db = await call.deployment.openDatabase();
    const cause = causeOf(call, ACTOR);
    if (settings.exposedTokens === 'record') await recordExposure(db, hash, cause);
    else {
      const change = await endExposed(withReserve(db), [{ hash, where: null }], 'url', cause);
      if (change !== null) await publish(change);
    }
  } catch (error) {
    // Over the limit, or no database. The next such call is recorded instead.
    if (!(error instanceof Problem)) logFailure('refusal-not-recorded');
  }
}
