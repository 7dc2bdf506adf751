// The suites of the stores, for the tests of each database.
import { describe } from 'vitest';
import type { Db } from '../database.ts';
import { describeOrganisations } from '../organisation/register.suite.ts';
import { describeSessions } from '../sign-in/session.suite.ts';
import { describeCalls } from '../token/calls.suite.ts';
import { describeExpiry } from '../token/expiry.suite.ts';
import { describeExposure } from '../token/exposure.suite.ts';
import { describeLimits } from '../token/limits.suite.ts';
import { describeRotation } from '../token/rotation.suite.ts';
import { describeTokens } from '../token/store.suite.ts';
import type { HubSource } from '../verification/record.ts';

/** `database`: its name. `openSource`: what verification reads of the same database. */
export function describeStores(database: string, open: () => Promise<Db>, openSource: () => HubSource): void {
  const openBoth = async () => ({ db: await open(), source: openSource() });
  describe(`on ${database}, tokens`, () => {
    describeTokens(open);
  });
  describe(`on ${database}, replaced secrets`, () => {
    describeRotation(open);
  });
  describe(`on ${database}, exposed secrets`, () => {
    describeExposure(open);
  });
  describe(`on ${database}, tokens that end`, () => {
    describeExpiry(open);
  });
  describe(`on ${database}, limited tokens`, () => {
    describeLimits(openBoth);
  });
  describe(`on ${database}, who calls`, () => {
    describeCalls(openBoth);
  });
  describe(`on ${database}, organisations`, () => {
    describeOrganisations(open);
  });
  describe(`on ${database}, signing in`, () => {
    describeSessions(open);
  });
}
