import { describe, expect, it } from 'vitest';
import { HttpCaller, traitsOf } from './caller.ts';

const ofCall = (headers: HeadersInit) =>
  new HttpCaller(new Request('https://zone.example/v1/a', { headers }), '/v1/a');
const from = (address: string) => ofCall({ 'cf-connecting-ip': address });

it.each([
  ['203.0.113.7', '203.0.113.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::', '2001:db8:1:2::/64'],
  ['2001:DB8:0001:0002::1', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8::/64'],
  ['2001:db8::5:6:7:8', '2001:db8::/64'],
  ['::1', '::/64'],
  ['1::', '1::/64'],
  ['::ffff:203.0.113.7', '203.0.113.7'],
  ['::FFFF:203.0.113.7', '203.0.113.7'],
  ['::ffff:cb00:7107', '203.0.113.7'],
])('counts %s as %s', (address, key) => {
  expect(from(address).key).toBe(key);
});

it.each([
  ['203.0.113.7', null],
  ['::ffff:203.0.113.7', null],
  ['::ffff:cb00:7107', null],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1::/48'],
  ['2001:DB8:0001:ffff::1', '2001:db8:1::/48'],
  ['2001:db8::1', '2001:db8::/48'],
  ['::1', '::/48'],
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

describe('what is counted of a caller', () => {
  it.each([
    ['python-requests/2.32.3', 'python-requests'],
    ['curl/8.14.1 (203.0.113.7)', 'curl'],
    ['Mozilla/5.0 (X11; Linux x86_64)', 'Mozilla'],
    ['billing-export', 'billing-export'],
    ['My_App.v2/1', 'My_App.v2'],
    [`${'a'.repeat(60)}/1`, 'a'.repeat(40)],
    ['', 'unknown'],
    ['203.0.113.7', 'unknown'],
    ['bot-203.0.113.7/1', 'unknown'],
    ['ec2-203-0-113-7', 'unknown'],
    ['2001:db8::7', 'unknown'],
    ['host-2001-db8-85a3-0-8a2e/1', 'unknown'],
    ['ip6-2001-DB8--8a2e-370-7334', 'unknown'],
    ['x-00-1B-44-11-3A-B7', 'unknown'],
    ['Go-http-client/2.0', 'Go-http-client'],
    // It looks at the beginning alone: thousands of digits would take a second.
    [`a${'1'.repeat(200)}-203.0.113.7`, `a${'1'.repeat(39)}`],
    ['me@example.com', 'unknown'],
    ['9pAbc_dz1_x', 'unknown'],
    ['app-9pAbc_dz1_x/1', 'unknown'],
    ['(compatible)', 'unknown'],
    ['"quoted"', 'unknown'],
  ])('names the program of a caller without its version: %j is %s', (agent, named) => {
    expect(ofCall({ 'user-agent': agent }).traits).toEqual({
      network: 0,
      networkName: '',
      country: '',
      agent: named,
    });
  });

  it('is a browser where a page asks, whatever it calls itself', () => {
    expect(ofCall({ 'user-agent': 'Mozilla/5.0', 'sec-fetch-mode': 'cors' }).traits.agent).toBe('browser');
  });

  it.each([
    [
      { asn: 24_940, asOrganization: 'Hetzner Online GmbH', country: 'DE' },
      [24_940, 'Hetzner Online GmbH', 'DE'],
    ],
    [
      { asn: 1, asOrganization: 'N\u202e\u0007'.padEnd(100, 'x'), country: 'T1' },
      [1, `N${'x'.repeat(61)}`, 'T1'],
    ],
    [{ asn: '24940', asOrganization: 'Hetzner', country: 'de' }, [0, '', '']],
    [{ asn: 1.5, asOrganization: 'Others', country: 'DE' }, [0, '', 'DE']],
    [{ asn: 2 ** 32, asOrganization: 'Others', country: 'DE' }, [0, '', 'DE']],
    [{ asn: -1, asOrganization: 'Others', country: '<b>' }, [0, '', '']],
    [undefined, [0, '', '']],
  ])('takes of %j: %j', (cf, [network, networkName, country]) => {
    expect(traitsOf(cf, 'curl')).toEqual({ network, networkName, country, agent: 'curl' });
  });
});
