import { describe, expect, it } from 'vitest';
import type { CallsOfToken } from './api.ts';
import { callsOfValue, foresight, fromBrowsers, newcomers } from './foresight.ts';

const NOW = Date.parse('2026-11-29T12:00:00.000Z');
const ago = (seconds: number): string => new Date(NOW - seconds * 1000).toISOString();
const DAY = 86_400;

type Caller = CallsOfToken['recent'][number];
const caller = (
  name: string | null,
  country: string | null,
  accepted: number,
  more: Partial<Caller> = {},
): Caller => ({
  network: name === null ? null : { number: name.length, name },
  country,
  agent: 'node',
  accepted,
  refused: 0,
  lastAt: ago(60),
  ...more,
});
const plain = (text: string): string => text.replaceAll(/[\u2068\u2069]/g, '');
const hetzner = caller('Hetzner Online', 'DE', 30, { lastAt: ago(12) });
const aws = caller('AWS', 'IE', 11);

describe('what is said before a change', () => {
  it.each<[title: string, ...Parameters<typeof foresight>, sentence: string]>([
    [
      'calls from two networks',
      { accepted: 41, refused: 0, recent: [hetzner, aws] },
      ago(90),
      NOW,
      '41 calls in the last 24 hours, the last one 12 seconds ago, from Hetzner Online (DE) and AWS (IE).',
    ],
    [
      'one call',
      { accepted: 1, refused: 0, recent: [caller('AWS', 'IE', 1)] },
      null,
      NOW,
      '1 call in the last 24 hours, 1 minute ago, from AWS (IE).',
    ],
    [
      'clients of one network as one, and a network without a country',
      {
        accepted: 1234,
        refused: 0,
        recent: [aws, caller('AWS', 'IE', 20, { agent: 'curl' }), caller('Example', null, 3)],
      },
      ago(5),
      NOW,
      '1,234 calls in the last 24 hours, the last one 5 seconds ago, from AWS (IE) and Example.',
    ],
    [
      'more networks than a sentence can name',
      {
        accepted: 41,
        refused: 1,
        recent: [hetzner, aws, caller('Four', 'FR', 4), caller(null, null, 3), caller('Six', 'SE', 2)],
      },
      null,
      NOW,
      '41 calls in the last 24 hours, the last one 12 seconds ago, from Hetzner Online (DE), AWS (IE) and 3 other networks. 1 more was refused.',
    ],
    [
      'refused callers as no users',
      { accepted: 2, refused: 12, recent: [caller(null, 'FR', 2), caller('Bad', 'US', 0, { refused: 12 })] },
      ago(7200),
      NOW,
      '2 calls in the last 24 hours, the last one 1 minute ago, from an unknown network (FR). 12 more were refused.',
    ],
    [
      'calls whose callers are not known',
      { accepted: 41, refused: 0, recent: null },
      ago(60),
      NOW,
      '41 calls in the last 24 hours, the last one 1 minute ago.',
    ],
    [
      'calls that were counted, and no time of one',
      { accepted: 1, refused: 0, recent: [caller('AWS', 'IE', 1, { refused: 1 })] },
      null,
      NOW,
      '1 call in the last 24 hours, from AWS (IE).',
    ],
    [
      'no use in 40 days',
      { accepted: 0, refused: 0, recent: [] },
      ago(40.5 * DAY),
      NOW,
      'Not used for 40 days.',
    ],
    ['no use in a day', { accepted: 0, refused: 0, recent: [] }, ago(1.5 * DAY), NOW, 'Not used for 1 day.'],
    [
      'no use in hours',
      { accepted: 0, refused: 0, recent: [] },
      ago(0.98 * DAY),
      NOW,
      'Not used for 23 hours.',
    ],
    [
      'a use that is not counted yet',
      { accepted: 0, refused: 0, recent: [] },
      ago(12),
      NOW,
      'Last used 12 seconds ago. The call is not counted yet.',
    ],
    ['no use ever', { accepted: 0, refused: 0, recent: [] }, null, NOW, 'Never used.'],
    [
      'refused calls alone',
      { accepted: 0, refused: 1, recent: [] },
      null,
      NOW,
      'Never used. 1 call was refused in the last 24 hours.',
    ],
  ])('tells %s', (_, known, lastUsedAt, now, sentence) => {
    expect(plain(foresight(known, lastUsedAt, now))).toBe(sentence);
  });

  it('does not count networks where there are more callers than the answer has', () => {
    const recent = Array.from({ length: 20 }, (_, index) => caller('n'.repeat(index + 1), 'DE', 100 - index));
    expect(plain(foresight({ accepted: 9000, refused: 0, recent, isCut: true }, null, NOW))).toContain(
      'from n (DE), nn (DE) and others.',
    );
  });
});

const zeros = Array<number>(30).fill(0);
const CALLS: CallsOfToken = {
  until: ago(0),
  hours: { accepted: [], refused: [] },
  days: { accepted: zeros, refused: zeros },
  reasons: [],
  callers: [],
  others: null,
  recent: [],
  values: [{ preview: '9pAbc', accepted: [...zeros.slice(0, -8), 100, 1, 2, 3, 0, 0, 0, 5], refused: zeros }],
};

it('tells the calls of a value today and in seven days, and null of a value that is not known', () => {
  expect(callsOfValue(CALLS, '9pAbc')).toEqual({ today: 5, week: 11 });
  expect(callsOfValue(CALLS, '9pXyz')).toBeNull();
});

it('counts the accepted calls of browsers', () => {
  expect(fromBrowsers({ ...CALLS, recent: [aws, { ...hetzner, agent: 'browser' }] })).toBe(30);
});

it('tells who has not called before yesterday, where that can be known', () => {
  const fresh = caller('DigitalOcean', 'SG', 8);
  const calls = { ...CALLS, callers: [{ ...aws, accepted: 500 }, fresh], recent: [aws, { ...fresh }] };
  const isNew = (given: CallsOfToken, createdAt: string) => [...newcomers(given, createdAt, NOW)];
  expect(isNew(calls, ago(30 * DAY))).toEqual([fresh]);
  expect(isNew(calls, ago(2 * DAY))).toEqual([]);
  expect(isNew({ ...calls, others: { accepted: 1, refused: 0, lastAt: ago(1) } }, ago(30 * DAY))).toEqual([]);
  expect(isNew({ ...calls, callers: [fresh] }, ago(30 * DAY))).toEqual([]);
});
