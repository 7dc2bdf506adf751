import { describe, expect, it } from 'vitest';
import { FALLBACK, REGIONS, regionOf } from './region.ts';

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

  it('is one that a hub is told of', () => {
    expect(REGIONS).toHaveLength(9);
    expect(new Set(REGIONS).size).toBe(9);
    expect(REGIONS).toContain(FALLBACK);
  });
});
