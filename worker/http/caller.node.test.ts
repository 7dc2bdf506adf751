import { expect, it } from 'vitest';
import { Caller } from './caller.ts';

const ofCall = (headers: HeadersInit) =>
  new Caller(new Request('https://zone.example/v1/a', { headers }), '/v1/a');
const from = (address: string) => ofCall({ 'cf-connecting-ip': address });

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
  expect(from(address).key).toBe(key);
});

it.each([
  ['203.0.113.7', null],
  ['::ffff:203.0.113.7', null],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1::/48'],
  ['2001:DB8:0001:ffff::1', '2001:db8:1::/48'],
  ['2001:db8::1', '2001:db8:0::/48'],
  ['::1', '0:0:0::/48'],
])('counts the network of %s as %s', (address, key) => {
  expect(from(address).network).toBe(key);
});

it('believes no header but the one that Cloudflare sets itself', () => {
  const forged = ofCall({
    'x-forwarded-for': '203.0.113.7',
    'x-real-ip': '203.0.113.7',
    forwarded: 'for=203.0.113.7',
  });
  expect(forged.address).toBeNull();
  expect(forged.key).toBe('unknown');
  expect(from('203.0.113.7').address).toBe('203.0.113.7');
});
