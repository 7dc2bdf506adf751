// Which hubs a deployment has, and which of them an isolate asks: the one nearest to where the call came in, or the only
// one of a jurisdiction. Any choice among them is right, a near one is fast. Pure.
import type { ChangeHub } from './hub/change-hub.ts';
import { jurisdictionOf } from './jurisdiction.ts';
import type { Jurisdiction } from './jurisdiction.ts';

/** One hub per location hint that Durable Objects offer (developers.cloudflare.com/durable-objects/reference/data-location). */
export const REGIONS = ['wnam', 'enam', 'sam', 'weur', 'eeur', 'apac', 'oc', 'afr', 'me'] as const;
export type Region = (typeof REGIONS)[number];

/** Where a hub is: a region, or a whole jurisdiction. */
export type Place = Region | Jurisdiction;

/** `JURISDICTION`: configuration.ts has refused what is neither a jurisdiction nor empty. */
export type HubsEnv = {
  CHANGE_HUB: DurableObjectNamespace<ChangeHub>;
  DATABASE_EPOCH: string;
  JURISDICTION: string;
};

/** The places of all hubs of the deployment. Every one of them is told of every change. */
export function placesOf({ JURISDICTION }: Pick<HubsEnv, 'JURISDICTION'>): readonly Place[] {
  const jurisdiction = jurisdictionOf(JURISDICTION);
  return jurisdiction === null ? REGIONS : [jurisdiction];
}

/** The place of the hub that an isolate asks; `cf` is that of its first request. */
export function placeNear(cf: unknown, { JURISDICTION }: Pick<HubsEnv, 'JURISDICTION'>): Place {
  return jurisdictionOf(JURISDICTION) ?? regionOf(cf);
}

/**
 * The hub of a place in this epoch, made on its first call. A later epoch has hubs of its own, so that one that still reads
 * the database of before is not asked. The first epoch has the names of the release before epochs: while a deployment
 * spreads, both releases must tell and ask the same hubs. Cloudflare takes no location hint beside a jurisdiction.
 */
export function hubAt({ CHANGE_HUB: hubs, DATABASE_EPOCH }: HubsEnv, place: Place) {
  const epoch = Number(DATABASE_EPOCH);
  const name = epoch === 1 ? place : `${place}.${epoch}`;
  const jurisdiction = jurisdictionOf(place);
  return jurisdiction === null
    ? // What is no jurisdiction is a region.
      hubs.getByName(name, { locationHint: place as Region })
    : hubs.jurisdiction(jurisdiction).getByName(name);
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
