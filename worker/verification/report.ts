// The log's words for what a call asked in vain. The call goes on without the answer, so that the log alone says so. Loaded by the
// first failure: the path of a call does not carry it.
import { logOften } from '../http/log.ts';
import { storageCodeOf } from '../storage-failure.ts';
import { isForeign } from './ownership.ts';
import type { Place } from './region.ts';
import { isTooLate } from './isolate/verifier.ts';
import type { Asked } from './isolate/verifier.ts';

/** `place`: of the hub that this isolate asks. */
export function logFailed(asked: Asked, error: unknown, place: Place): void {
  // That one is named by the fault of the deployment.
  if (isForeign(error)) return;
  const isSlow = isTooLate(error);
  if (asked === 'database') logOften('storage-failed', storageCodeOf(error));
  else if (asked === 'hub') logOften('hub-unreachable', isSlow ? `${place}, too slow` : place);
  else if (asked === 'cache-write') logOften('cache-failed', 'write');
  else logOften('cache-failed', isSlow ? 'read, too slow' : 'read');
}
