import type { Limits } from './api.ts';
import { expect, it } from 'vitest';
import { mayDo } from './may-do.ts';

const FREE: Limits = { expiresAt: null, access: 'full', paths: [], networks: [], origins: [] };
const plain = (limits: Partial<Limits>): string =>
  mayDo({ ...FREE, ...limits }, 'Acme Events').replaceAll(/[\u2068\u2069]/g, '');

it.each<[Partial<Limits>, string]>([
  [{}, 'Until you deactivate or delete it, it can read and write the whole API for Acme Events.'],
  [
    { access: 'read' },
    'Until you deactivate or delete it, it can read the whole API for Acme Events, and change nothing.',
  ],
  [
    { access: 'read', paths: ['/v1/events', '/v1/faces'] },
    'Until you deactivate or delete it, it can read /v1/events and /v1/faces for Acme Events, and nothing else.',
  ],
  [
    { paths: ['/v1/a', '/v1/b', '/v1/c'] },
    'Until you deactivate or delete it, it can read and write 3 paths for Acme Events, and nothing else.',
  ],
  [
    { access: 'read', expiresAt: '2027-03-14T23:59:59.000Z' },
    'Until 14 Mar 2027, 23:59 UTC, or until you deactivate or delete it, it can read the whole API for Acme Events, and change nothing.',
  ],
  [
    {
      networks: ['203.0.113.0/24'],
      origins: ['https://a.example', 'https://b.example', 'https://c.example'],
    },
    'Until you deactivate or delete it, it can read and write the whole API for Acme Events. It works only from 203.0.113.0/24. In browsers it works only on 3 websites.',
  ],
])('says what a token with the limits %j can do', (limits, sentence) => {
  expect(plain(limits)).toBe(sentence);
});
