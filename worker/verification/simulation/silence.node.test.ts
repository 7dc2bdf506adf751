// A secret that is to retire when it is silent: no service that still uses it fails, and it does retire.
import { describe, expect, it } from 'vitest';
import { SILENCE_RULES } from '../../token/retirement.ts';
import type { SilenceRules } from '../../token/retirement.ts';
import { playSilence } from './silence.ts';

const SCHEDULES = 300;

it(
  'no service that calls once an hour fails while it changes over, and the old value ends',
  { timeout: 240_000 },
  async () => {
    let calls = 0;
    for (let seed = 1; seed <= SCHEDULES; seed++) {
      const outcome = await playSilence(seed, SILENCE_RULES);
      calls += outcome.calls;
      expect(outcome, `schedule ${seed}`).toMatchObject({ failed: 0 });
      expect(outcome.retiredAt, `schedule ${seed}`).not.toBeNull();
    }
    expect(calls).toBeGreaterThan(SCHEDULES * 20);
  },
);

/** About one schedule of 1,500 has a use that is unheard of for long enough. The search begins near one. */
const FIRST = 3400;

const TWINS: [rule: string, rules: SilenceRules][] = [
  ['wait until every hub has written', { ...SILENCE_RULES, isHeard: () => true }],
  [
    'judge the hour where no use is unheard of',
    { ...SILENCE_RULES, silentBefore: (now) => SILENCE_RULES.silentBefore(now + 5 * 60_000) },
  ],
];

describe('silence: a twin that lacks one rule is caught', () => {
  it.each(TWINS)('%s', { timeout: 240_000 }, async (_, rules) => {
    let seed = FIRST;
    while (seed < FIRST + 3000 && (await playSilence(seed, rules)).failed === 0) seed++;
    expect(seed, 'the schedule that catches it').toBeLessThan(FIRST + 3000);
  });
});
