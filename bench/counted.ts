// What a hub is told of one secret in a minute, for measurements of its writes.
import type { TokenHash } from '../worker/token/secret.ts';
import type { UsageRow } from '../worker/verification/record.ts';

/** An accepted call of each of so many callers. `hour`: hours since 1970. */
export function countedOf(tokenId: string, hash: TokenHash, hour: number, callers: number): UsageRow {
  const lastAt = new Date().toISOString();
  return {
    tokenId,
    hash,
    hour,
    accepted: callers,
    refused: 0,
    usedAt: lastAt,
    callers: Array.from({ length: callers }, (_, index) => ({
      network: 64_497 + index,
      networkName: 'Example Hosting GmbH',
      country: 'DE',
      agent: 'python-requests',
      accepted: 1,
      refused: 0,
      lastAt,
    })),
  };
}
