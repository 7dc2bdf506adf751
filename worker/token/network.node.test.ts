import { BlockList, isIP } from 'node:net';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatNetwork, isWithin, parseAddress, parseNetwork } from './network.ts';

const formatted = (text: string) => {
  const network = parseNetwork(text);
  return network === null ? null : formatNetwork(network);
};
const isIn = (network: string, address: string) => {
  const [outer, inner] = [parseNetwork(network), parseAddress(address)];
  if (outer === null || inner === null) throw new Error('not a network, or not an address');
  return isWithin(outer, inner);
};

describe('a network', () => {
  it.each([
    ['203.0.113.0/24', '203.0.113.0/24'],
    ['203.0.113.7/24', '203.0.113.0/24'],
    ['203.0.113.7', '203.0.113.7/32'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['255.255.255.255/1', '128.0.0.0/1'],
    ['2001:db8::/32', '2001:db8::/32'],
    ['2001:DB8:0:0:1:0:0:1/128', '2001:db8::1:0:0:1/128'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1/128'],
    ['::/0', '::/0'],
    ['::1', '::1/128'],
    ['2001:db8:ffff::/33', '2001:db8:8000::/33'],
    ['64:ff9b::192.0.2.33/128', '64:ff9b::c000:221/128'],
    // IPv4, written as IPv6.
    ['::ffff:203.0.113.7', '203.0.113.7/32'],
    ['::ffff:203.0.113.7/120', '203.0.113.0/24'],
    ['::ffff:cb00:7107/128', '203.0.113.7/32'],
    ['::ffff:0:0/96', '0.0.0.0/0'],
  ])('%s is %s', (text, expected) => expect(formatted(text)).toBe(expected));

  it.each([
    '',
    '203.0.113',
    '203.0.113.0.1',
    '203.0.113.256',
    '203.0.113.07',
    '203.0.113.0/33',
    '203.0.113.0/-1',
    '203.0.113.0/024',
    '203.0.113.0/24/1',
    '203.0.113.0/ 24',
    ' 203.0.113.0',
    '0x7f.0.0.1',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7::8',
    '1::2::3',
    ':1:2:3:4:5:6:7',
    '12345::',
    'fe80::1%eth0',
    '[::1]',
    '::/129',
    '::ffff:0.0.0.0/95',
    '1.2.3.4::',
    '::1.2.3',
    'localhost',
  ])('%j is none', (text) => expect(formatted(text)).toBeNull());

  it.each([
    ['203.0.113.0/24', '203.0.113.255', true],
    ['203.0.113.0/24', '203.0.114.0', false],
    ['203.0.113.0/24', '::ffff:203.0.113.9', true],
    ['0.0.0.0/0', '::1', false],
    ['::/0', '203.0.113.9', false],
    ['::/0', '::ffff:203.0.113.9', false],
    ['2001:db8::/33', '2001:db8:7fff::1', true],
    ['2001:db8::/33', '2001:db8:8000::1', false],
    ['2001:db8::1', '2001:db8:0:0:0:0:0:1', true],
    ['2001:db8::1', '2001:db8::2', false],
  ])('%s holds %s: %s', (network, address, expected) => expect(isIn(network, address)).toBe(expected));
});

describe('as Node has it', () => {
  const ipv4 = fc.ipV4();
  const ipv6 = fc.ipV6();
  const mapped = ipv4.map((address) => `::ffff:${address}`);

  it('a text is an address, or it is none', () => {
    fc.assert(
      fc.property(fc.oneof(ipv4, ipv6, mapped, fc.stringMatching(/^[\d.:a-f]{0,24}$/)), (text) => {
        expect(parseAddress(text) !== null).toBe(isIP(text) !== 0);
      }),
    );
  });

  it('an address is in a network, or it is not', () => {
    const pair = fc.oneof(
      fc.record({ network: ipv4, address: ipv4, length: fc.nat(32), near: fc.nat(32) }),
      fc.record({ network: ipv6, address: ipv6, length: fc.nat(128), near: fc.nat(128) }),
    );
    fc.assert(
      fc.property(pair, ({ network, address, length }) => {
        const family = isIP(network) === 4 ? 'ipv4' : 'ipv6';
        const list = new BlockList();
        list.addSubnet(network, length, family);
        const [outer, inner] = [parseNetwork(`${network}/${length}`), parseAddress(address)];
        // Node compares IPv4-mapped addresses as IPv6 as well.
        if (outer === null || inner === null || outer.version !== inner.version) return;
        expect(isWithin(outer, inner)).toBe(list.check(address, family));
      }),
    );
  });

  it('what is formatted is the same network again', () => {
    fc.assert(
      fc.property(fc.oneof(ipv4, ipv6, mapped), fc.nat(128), (address, length) => {
        const network = parseNetwork(`${address}/${length}`);
        fc.pre(network !== null);
        expect(parseNetwork(formatNetwork(network))).toEqual(network);
      }),
    );
  });
});
