import { expect, it } from 'vitest';
import { ORGANISATION_ID, PLANS, TOKEN_LIMIT, isPlan, opensDeveloperZone } from './organisation.ts';

it('opens Developer Zone on the Enterprise plan and on no other', () => {
  expect(PLANS.filter(opensDeveloperZone)).toEqual(['enterprise']);
});

it('knows the four plans by their exact names', () => {
  expect(PLANS).toEqual(['trial', 'pay-as-you-go', 'pro', 'enterprise']);
  for (const plan of PLANS) expect(isPlan(plan)).toBe(true);
  for (const other of ['Enterprise', 'enterprise ', '', 'free', null, undefined, 3, ['pro'], {}]) {
    expect(isPlan(other)).toBe(false);
  }
});

it('allows ten tokens', () => {
  expect(TOKEN_LIMIT).toBe(10);
});

it.each(['a', '7', 'org-1', 'a_b.c~d-e', 'Z'.repeat(128)])('takes %s for an id', (id) => {
  expect(ORGANISATION_ID.test(id)).toBe(true);
});

it.each(['', '-a', '.', '~a', ' a', 'a ', 'a/b', 'a%2f', 'ä', 'aä', 'a\n', 'a@b.co', 'Z'.repeat(129)])(
  'takes %j for no id',
  (id) => {
    expect(ORGANISATION_ID.test(id)).toBe(false);
  },
);
