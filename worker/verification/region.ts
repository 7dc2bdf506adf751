// The hubs of a deployment, and which of them an isolate asks: the nearest one, or the only one of a jurisdiction. Every hub gives
// right answers; a near one is fast. Pure.
import type { Jurisdiction } from './jurisdiction.ts';
import type { Head } from './record.ts';
import type { Counts } from './sync.ts';
import type { Terms } from './terms.ts';

/** One hub for each location hint of Durable Objects (developers.cloudflare.com/durable-objects/reference/data-location). */
export const REGIONS = ['wnam', 'enam', 'sam', 'weur', 'eeur', 'apac', 'oc', 'afr', 'me'] as const;
export type Region = (typeof REGIONS)[number];

/** Where a hub is: a region, or a whole jurisdiction. */
export type Place = Region | Jurisdiction;

/** One hub, as its callers see it. The type of its answer depends on the question. */
type HubStub = {
  sync(question: object, counts: Counts): Promise<unknown>;
  advance(point: Head & Partial<Terms>): Promise<Terms>;
};
type HubNames = { getByName(name: string, options?: { locationHint?: Region }): HubStub };

/** The hubs of a deployment. `epoch` is its setting DATABASE_EPOCH. `jurisdiction` is null if it has none. */
export type Hubs = {
  namespace: HubNames & { jurisdiction(jurisdiction: Jurisdiction): HubNames };
  epoch: number;
  jurisdiction: Jurisdiction | null;
};

/** The places of all hubs of the deployment. Every one of them is told of every change. */
export function placesOf({ jurisdiction }: Pick<Hubs, 'jurisdiction'>): readonly Place[] {
  return jurisdiction === null ? REGIONS : [jurisdiction];
}

/** The place of the hub that an isolate asks. `cf` is that of the isolate's first request. */
export function placeNear(cf: unknown, { jurisdiction }: Pick<Hubs, 'jurisdiction'>): Place {
  return jurisdiction ?? regionOf(cf);
}

/**
 * The hub of a place in this epoch, created at its first call. Each epoch has its own hubs, so that a hub that still reads the
 * database from before is not asked. The hubs of the first epoch have the names of the release before epochs: while a deployment
 * spreads, both releases must use the same hubs. Cloudflare allows no location hint in a jurisdiction.
 */
export function hubAt({ namespace, epoch }: Hubs, place: Place): HubStub {
  const name = epoch === 1 ? place : `${place}.${epoch}`;
  return isRegion(place)
    ? namespace.getByName(name, { locationHint: place })
    : namespace.jurisdiction(place).getByName(name);
}

function isRegion(place: Place): place is Region {
  return REGIONS.some((region) => region === place);
}

/** The region if nothing is known of the caller: local runs, RPC from another Worker. */
export const FALLBACK: Region = 'weur';

/** Longitudes (degrees east) that divide a continent: at the Great Plains, at the Oder, and east of the Levant. */
const WEST_OF_AMERICA = -100;
const EAST_OF_EUROPE = 15;
const EAST_OF_THE_LEVANT = 60;

/** The region for `request.cf`: by its continent, and by longitude if the continent has two hubs. */
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
