import { expect, it } from 'vitest';
import { clientAddress, clientKey, networkKey } from './client-address.ts';

const from = (address: string) =>
  new Request('https://zone.example', { headers: { 'cf-connecting-ip': address } });

it.each([
  ['203.0.113.7', '203.0.113.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::', '2001:db8:1:2::/64'],
  ['2001:DB8:0001:0002::1', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['2001:db8::5:6:7:8', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['1::', '1:0:0:0::/64'],
  ['::ffff:203.0.113.7', '203.0.113.7'],
  ['::FFFF:203.0.113.7', '203.0.113.7'],
])('counts %s as %s', (address, key) => {
  expect(clientKey(from(address))).toBe(key);
});

it.each([
  ['203.0.113.7', null],
  ['::ffff:203.0.113.7', null],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1::/48'],
  ['2001:DB8:0001:ffff::1', '2001:db8:1::/48'],
  ['2001:db8::1', '2001:db8:0::/48'],
  ['::1', '0:0:0::/48'],
])('counts the network of %s as %s', (address, key) => {
  expect(networkKey(from(address))).toBe(key);
});

it('believes no header but the one that Cloudflare sets itself', () => {
  const forged = new Request('https://zone.example', {
    headers: { 'x-forwarded-for': '203.0.113.7', 'x-real-ip': '203.0.113.7', forwarded: 'for=203.0.113.7' },
  });
  expect(clientAddress(forged)).toBeNull();
  expect(clientKey(forged)).toBe('unknown');
  expect(clientAddress(from('203.0.113.7'))).toBe('203.0.113.7');
});
