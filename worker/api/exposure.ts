// A secret in a URL is never accepted, and others may read it: logs, histories and Referer headers keep URLs. The token is switched
// off and becomes exposed. If EXPOSED_TOKENS is "record", only an event is written. This runs after the answer, whatever became of
// the call.
import { causeOf } from '../activity/cause.ts';
import { EXPOSERS } from '../activity/events.ts';
import type { Call } from '../http/call.ts';
import { limit } from '../http/limit.ts';
import { logFailure } from '../http/log.ts';
import { Problem } from '../http/problem.ts';
import { sha256Hex } from '../random.ts';
import { endExposedSecrets } from '../token/deeds.ts';
import { hashOfSecret, isGenuineSecret, secretShapesIn } from '../token/secret.ts';
import { recordExposure } from '../token/exposure.ts';

/**
 * Ends the first genuine secret in the path or the query, or records it. Text that was never minted costs no storage. A limiter
 * lets about 30 calls a minute with one token reach the database, and the statements write once.
 */
export async function keepExposure(call: Call): Promise<void> {
  const { deployment } = call;
  const { limiters, settings } = deployment;
  const secret = secretsIn(call.request.url).find((text) => isGenuineSecret(settings.tagKeys, text));
  if (secret === undefined) return;
  const hash = hashOfSecret(secret);
  try {
    // The hash of a token is its key in KV, and must be in no other store.
    await limit(limiters.failedLoginsPerClient, `exposed:${sha256Hex(hash)}`);
    const db = await deployment.openDatabase();
    const cause = causeOf(call, EXPOSERS.url);
    const later = (published: Promise<unknown>) => call.waitUntil(published);
    const isOnRecord = await (settings.exposedTokens === 'record'
      ? recordExposure(db, hash, cause)
      : endExposedSecrets(db, deployment.publish, later, [{ hash, where: null }], 'url', cause));
    if (!isOnRecord) return;
    const { pushAfterChange } = await import('../upkeep/push.ts');
    await pushAfterChange(deployment);
  } catch (error) {
    // Over the limit, or no database. The next such call is recorded instead.
    if (!(error instanceof Problem)) logFailure('refusal-not-recorded');
  }
}

/** What has the shape of a secret, however it is encoded. */
function secretsIn(address: string): string[] {
  const { pathname, searchParams } = new URL(address);
  return [decoded(pathname), ...[...searchParams].flat()].flatMap(secretShapesIn);
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
