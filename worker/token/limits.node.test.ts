import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isBelow, isNarrower, readNetwork, readOrigin, readPath } from './limits.ts';

const wrong = (entry: ReturnType<typeof readPath>) => (entry.ok ? null : entry.wrong);

describe('a path', () => {
  it.each(['/v1/events', '/v1/events/42', '/v1/a.b~c', '/v1/faces:search', '/v1/Events'])(
    '%s is taken',
    (path) => expect(readPath(path)).toEqual({ ok: true, value: path }),
  );
  it.each([
    ['/v1', 'is not below /v1'],
    ['/v1/', 'is not below /v1'],
    ['/v2/events', 'is not below /v1'],
    ['v1/events', 'is not below /v1'],
    ['https://api.example/v1/events', 'is not below /v1'],
    ['/v1/events/', 'ends with a slash: write /v1/events'],
    ['/v1//events', 'is not a plain path'],
    ['/v1/../events', 'is not a plain path'],
    ['/v1/./events', 'is not a plain path'],
    ['/v1/.hidden', 'is not a plain path'],
    ['/v1/events?page=1', 'is not a plain path'],
    ['/v1/events#a', 'is not a plain path'],
    ['/v1/events/*', 'is not a plain path'],
    ['/v1/%65vents', 'is not a plain path'],
    ['/v1/a;b', 'is not a plain path'],
    ['/v1/a\\b', 'is not a plain path'],
    ['/v1/ä', 'is not a plain path'],
    ['/v1/a b', 'is not a plain path'],
    [`/v1/${'a'.repeat(200)}`, 'longer than 200 characters'],
  ])('%s is refused: %s', (path, why) => expect(wrong(readPath(path))).toContain(why));

  it.each([
    ['/v1/events', '/v1/events', true],
    ['/v1/events', '/v1/events/42', true],
    ['/v1/events', '/v1/events/', true],
    ['/v1/events', '/v1/eventsmore', false],
    ['/v1/events', '/v1/event', false],
    ['/v1/events', '/v1/Events', false],
  ])('below %s is %s: %s', (prefix, path, expected) => expect(isBelow(prefix, path)).toBe(expected));
});

describe('fewer paths', () => {
  it.each([
    [[], [], true],
    [['/v1/a'], [], true],
    [[], ['/v1/a'], false],
    [['/v1/a/b', '/v1/a'], ['/v1/a'], true],
    [['/v1/a', '/v1/b'], ['/v1/a'], false],
    [['/v1/ab'], ['/v1/a'], false],
  ])('%j after %j: %s', (after, before, expected) => expect(isNarrower(after, before)).toBe(expected));

  it('allow no path that was not allowed before', () => {
    const path = fc
      .array(fc.constantFrom('a', 'b', 'ab'), { minLength: 1, maxLength: 4 })
      .map((parts) => `/v1/${parts.join('/')}`);
    const paths = fc.array(path, { maxLength: 3 });
    const allows = (list: string[], called: string) =>
      list.length === 0 || list.some((prefix) => isBelow(prefix, called));
    fc.assert(
      fc.property(paths, paths, path, (after, before, called) => {
        fc.pre(isNarrower(after, before) && allows(after, called));
        expect(allows(before, called)).toBe(true);
      }),
    );
  });
});

describe('a network', () => {
  it.each([
    ['203.0.113.0/24', '203.0.113.0/24'],
    ['203.0.113.7', '203.0.113.7/32'],
    ['2001:DB8::/32', '2001:db8::/32'],
  ])('%s is kept as %s', (text, value) => expect(readNetwork(text)).toEqual({ ok: true, value }));
  it.each([
    ['203.0.113.7/24', '203.0.113.7/24 has bits beyond its length: write 203.0.113.0/24'],
    ['2001:db8::1/32', '2001:db8::1/32 has bits beyond its length: write 2001:db8::/32'],
    ['::ffff:203.0.113.7', '::ffff:203.0.113.7 is IPv4 written as IPv6: write 203.0.113.7/32'],
    ['::ffff:203.0.113.7/120', '::ffff:203.0.113.7/120 is IPv4 written as IPv6: write 203.0.113.0/24'],
    ['203.0.113.0/33', '"203.0.113.0/33" is not an address or a network such as 203.0.113.0/24'],
    ['203.0.113', '"203.0.113" is not an address or a network such as 203.0.113.0/24'],
    ['my office', '"my office" is not an address or a network such as 203.0.113.0/24'],
  ])('%s is refused', (text, why) => expect(wrong(readNetwork(text))).toBe(why));
});

describe('an origin', () => {
  it.each(['https://shop.example', 'http://localhost:3000', 'https://xn--bcher-kva.example'])(
    '%s is taken',
    (origin) => expect(readOrigin(origin)).toEqual({ ok: true, value: origin }),
  );
  it.each([
    ['https://shop.example/', 'is not an origin as a browser sends it: write https://shop.example'],
    ['https://shop.example/cart', 'is not an origin as a browser sends it: write https://shop.example'],
    ['https://Shop.example', 'is not an origin as a browser sends it: write https://shop.example'],
    ['https://shop.example:443', 'is not an origin as a browser sends it: write https://shop.example'],
    ['https://user@shop.example', 'is not an origin as a browser sends it: write https://shop.example'],
    ['https://bücher.example', 'is not an origin as a browser sends it: write https://xn--bcher-kva.example'],
    ['null', 'is not the origin of a website'],
    ['*', 'is not the origin of a website'],
    ['https://*.example', 'is not the origin of a website'],
    ['shop.example', 'is not the origin of a website'],
    ['mailto:a@shop.example', 'is not the origin of a website'],
    ['', 'is not the origin of a website'],
    ['javascript://a', 'is not the origin of a website'],
    ['file://host', 'is not the origin of a website'],
    [`https://${'a.'.repeat(99)}example`, 'longer than 200 characters'],
  ])('%j is refused: %s', (origin, why) => expect(wrong(readOrigin(origin))).toContain(why));
});
