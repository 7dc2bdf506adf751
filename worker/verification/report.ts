// Logs the questions of a call that failed. The call goes on without the answer, so only the log shows the failure. Loaded at the
// first failure, so that the path of a call stays small.
import { logOften } from '../http/log.ts';
import { storageCodeOf } from '../storage-failure.ts';
import { isForeign } from './ownership.ts';
import type { Place } from './region.ts';
import { isTooLate } from './isolate/verifier.ts';
import type { Asked } from './isolate/verifier.ts';

/** `place`: that of the hub that this isolate asks. */
export function logFailed(asked: Asked, error: unknown, place: Place): void {
  // The fault of the deployment is logged elsewhere.
  if (isForeign(error)) return;
  const isSlow = isTooLate(error);
  if (asked === 'database') logOften('storage-failed', storageCodeOf(error));
  else if (asked === 'hub') logOften('hub-unreachable', isSlow ? `${place}, too slow` : place);
  else if (asked === 'cache-write') logOften('cache-failed', 'write');
  else logOften('cache-failed', isSlow ? 'read, too slow' : 'read');
}
