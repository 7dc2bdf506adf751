// Which of the nine hubs an isolate asks: the one nearest to where the call came in. Any choice is right, a near one
// is fast. Pure.
import type { ChangeHub } from './change-hub.ts';

/** One hub per location hint that Durable Objects offer (developers.cloudflare.com/durable-objects/reference/data-location). */
export const REGIONS = ['wnam', 'enam', 'sam', 'weur', 'eeur', 'apac', 'oc', 'afr', 'me'] as const;
export type Region = (typeof REGIONS)[number];

/**
 * The region's hub of this epoch, made on its first call. A later epoch has hubs of its own, so that one that still reads
 * the database of before is not asked. The first epoch has the names of the release before epochs: while a deployment
 * spreads, both releases must tell and ask the same hubs.
 */
export function hubIn(
  hubs: DurableObjectNamespace<ChangeHub>,
  region: Region,
  epoch: number,
): DurableObjectStub<ChangeHub> {
  return hubs.getByName(epoch === 1 ? region : `${region}.${epoch}`, { locationHint: region });
}

/** Where nothing is known of the caller: local runs, RPC from another Worker. */
export const FALLBACK: Region = 'weur';

/** Longitudes (degrees east) that part a continent: Great Plains, the Oder, the Levant from the rest of Asia. */
const WEST_OF_AMERICA = -100;
const EAST_OF_EUROPE = 15;
const EAST_OF_THE_LEVANT = 60;

/** The region for `request.cf`: its continent code, parted by longitude where a continent has two hubs. */
export function regionOf(cf: unknown): Region {
  if (typeof cf !== 'object' || cf === null) return FALLBACK;
  const { continent, longitude } = cf as { continent?: unknown; longitude?: unknown };
  const east = typeof longitude === 'string' && longitude !== '' ? Number(longitude) : Number.NaN;
  switch (continent) {
    case 'NA':
      return east < WEST_OF_AMERICA ? 'wnam' : 'enam';
    case 'SA':
      return 'sam';
    case 'EU':
      return east > EAST_OF_EUROPE ? 'eeur' : 'weur';
    case 'AS':
      return east < EAST_OF_THE_LEVANT ? 'me' : 'apac';
    case 'OC':
      return 'oc';
    case 'AF':
      return 'afr';
    default:
      return FALLBACK;
  }
}
