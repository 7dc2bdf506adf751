import { describe, expect, it } from 'vitest';
import { JURISDICTIONS } from './jurisdiction.ts';
import { FALLBACK, REGIONS, hubAt, placeNear, placesOf, regionOf } from './region.ts';
import type { Hubs } from './region.ts';

describe('the region of a caller', () => {
  it.each([
    ['San Francisco', 'NA', '-122.4', 'wnam'],
    ['New York', 'NA', '-74.0', 'enam'],
    ['São Paulo', 'SA', '-46.6', 'sam'],
    ['Lisbon', 'EU', '-9.1', 'weur'],
    ['Frankfurt', 'EU', '8.7', 'weur'],
    ['Warsaw', 'EU', '21.0', 'eeur'],
    ['Dubai', 'AS', '55.3', 'me'],
    ['Mumbai', 'AS', '72.9', 'apac'],
    ['Tokyo', 'AS', '139.7', 'apac'],
    ['Sydney', 'OC', '151.2', 'oc'],
    ['Nairobi', 'AF', '36.8', 'afr'],
    ['the Antarctic', 'AN', '0', 'weur'],
  ])('in %s is %s at %s: %s', (_, continent, longitude, region) => {
    expect(regionOf({ continent, longitude })).toBe(region);
  });

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a string', 'EU'],
    ['an empty object', {}],
    ['a continent that is none', { continent: 'XX', longitude: '1' }],
    ['a number', { continent: 1, longitude: 2 }],
  ])('is the fallback where %s is known', (_, cf) => {
    expect(regionOf(cf)).toBe(FALLBACK);
  });

  it.each([
    ['NA', 'enam'],
    ['EU', 'weur'],
    ['AS', 'apac'],
  ])('is one of the continent %s without a longitude, or with a broken one: %s', (continent, region) => {
    for (const longitude of [undefined, '', 'east', Number.NaN]) {
      expect(regionOf({ continent, longitude })).toBe(region);
    }
  });

  it('is one of the regions that have a hub', () => {
    expect(REGIONS).toHaveLength(9);
    expect(new Set(REGIONS).size).toBe(9);
    expect(REGIONS).toContain(FALLBACK);
  });
});

describe('the hubs of a deployment', () => {
  /** What is asked of the namespace for each hub, in this epoch. */
  function askedFor(jurisdiction: Hubs['jurisdiction'], epoch: number): unknown[] {
    const asked: unknown[] = [];
    const getByName = (...args: unknown[]) => asked.push(args);
    const namespace = {
      getByName,
      jurisdiction: (name: string) => ({
        getByName: (...args: unknown[]) => asked.push([name, ...args]),
      }),
    };
    // Only recorded: the hubs are not asked anything.
    const hubs = { namespace, epoch, jurisdiction } as unknown as Hubs;
    for (const place of placesOf(hubs)) hubAt(hubs, place);
    return asked;
  }

  it('are nine, each with its location hint and the epoch in its name', () => {
    expect(askedFor(null, 1)).toEqual(REGIONS.map((region) => [region, { locationHint: region }]));
    expect(askedFor(null, 12)).toEqual(REGIONS.map((region) => [`${region}.12`, { locationHint: region }]));
  });

  it.each(JURISDICTIONS)('are one in the jurisdiction %s, without a location hint', (jurisdiction) => {
    expect(askedFor(jurisdiction, 1)).toEqual([[jurisdiction, jurisdiction]]);
    expect(askedFor(jurisdiction, 2)).toEqual([[jurisdiction, `${jurisdiction}.2`]]);
    for (const continent of ['NA', 'AS', 'EU'])
      expect(placeNear({ continent }, { jurisdiction })).toBe(jurisdiction);
  });
});
