// The stores on D1, in one file: each file in workerd starts a server of its own.
import { env } from 'cloudflare:workers';
import { describe } from 'vitest';
import { openDeployment } from '../deployment/deployment.ts';
import { describeOrganisations } from '../organisation/register.suite.ts';
import { describeSessions } from '../sign-in/session.suite.ts';
import { describeCalls } from '../token/calls.suite.ts';
import { describeExpiry } from '../token/expiry.suite.ts';
import { describeExposure } from '../token/exposure.suite.ts';
import { describeLimits } from '../token/limits.suite.ts';
import { describeRotation } from '../token/rotation.suite.ts';
import { describeTokens } from '../token/store.suite.ts';

const open = () => openDeployment(env).openDatabase();
const openBoth = async () => ({ db: await open(), source: openDeployment(env).openSource() });

describe('on D1, tokens', () => {
  describeTokens(open);
});
describe('on D1, replaced secrets', () => {
  describeRotation(open);
});
describe('on D1, exposed secrets', () => {
  describeExposure(open);
});
describe('on D1, limited tokens', () => {
  describeLimits(openBoth);
});
describe('on D1, the warnings before the end of a token', () => {
  describeExpiry(open);
});
describe('on D1, callers, reasons and tombstones', () => {
  describeCalls(openBoth);
});
describe('on D1, signing in', () => {
  describeSessions(open);
});
describe('on D1, the register of organisations', () => {
  describeOrganisations(open);
});
