import { expect, it } from 'vitest';
import { PLANS, TOKEN_LIMIT, isPlan, opensDeveloperZone } from './organisation.ts';

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
