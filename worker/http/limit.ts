// Limits by the Workers rate-limit binding, where a refusal would cost more than the limiter. Approximate, per location.
import type { Call } from './call.ts';
import { Problem } from './problem.ts';

/** The period of every limit in wrangler.toml. */
const PERIOD_SECONDS = 60;

/** Refuses with `too-many-requests`. A limiter that fails does not take the product down. */
export async function limit(limiter: RateLimit, key: string): Promise<void> {
  const allowed = await limiter.limit({ key }).then(
    (outcome) => outcome.success,
    () => true,
  );
  if (allowed) return;
  throw new Problem('too-many-requests', `Wait ${PERIOD_SECONDS} seconds and try again`, {
    'retry-after': String(PERIOD_SECONDS),
  });
}

/** The same for the client of a call, `what` of it where one limiter counts two things; of IPv6 for its /48 as well, with a higher limit. */
export async function limitClient(
  { caller, deployment }: Call,
  limiter: RateLimit,
  what = '',
): Promise<void> {
  await limit(limiter, what + caller.key);
  const { network } = caller;
  if (network !== null) await limit(deployment.limiters.requestsPerNetwork, network);
}
