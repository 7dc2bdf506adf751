// A secret in a URL opens nothing, and it is not a secret any more: logs, histories and Referers keep URLs. Its organisation
// finds that in its activity. Looked at after the answer, whatever credential came beside it.
import { causeOf } from '../activity/cause.ts';
import type { Call } from '../http/call.ts';
import { limit } from '../http/limit.ts';
import { logFailure } from '../http/log.ts';
import { Problem } from '../http/problem.ts';
import { sha256Hex } from '../random.ts';
import { hashOfSecret, hasSecretShape, isGenuineSecret } from '../token/secret.ts';
import { recordExposure } from '../token/exposure.ts';

/** The actor of the event: the holder of the token, who need not be signed in. */
const ACTOR = 'caller';

/**
 * Records the first genuine secret among the values of the query. Text that was never minted costs no storage; one token
 * is written about 30 times a minute at most (and once a day in effect).
 */
export async function keepExposure(call: Call): Promise<void> {
  const { settings, limiters } = call.deployment;
  const shaped = [...new URL(call.request.url).searchParams.values()].filter(hasSecretShape);
  if (shaped.length === 0) return;
  const secret = shaped.find((text) => isGenuineSecret(settings.tagKeys, text));
  if (secret === undefined) return;
  const hash = hashOfSecret(secret);
  try {
    // The hash of a token is the key under which KV keeps it, and belongs in no other store.
    await limit(limiters.failedLoginsPerClient, `exposed:${sha256Hex(hash)}`);
    await recordExposure(await call.deployment.openDatabase(), hash, causeOf(call, ACTOR));
  } catch (error) {
    // Over the limit, or no database: the next such call is recorded instead.
    if (!(error instanceof Problem)) logFailure('refusal-not-recorded');
  }
}
