// Which tests must notice a fault of a file.
import { describe, expect, it } from 'vitest';
import { isSource, testsNear } from './near.ts';

const imports = new Map([
  ['worker/index.ts', ['worker/admin/routes.ts']],
  ['worker/admin/routes.ts', ['worker/admin/session.ts']],
  ['worker/admin/session.ts', ['worker/limit.ts']],
  ['worker/limit.ts', []],
  ['worker/admin/session.suite.ts', ['worker/admin/session.ts']],
  ['worker/admin/session.test.ts', ['worker/admin/session.suite.ts']],
  ['worker/admin/sign-in.test.ts', ['worker/admin/session.ts', 'worker/test/harness.ts']],
  ['worker/admin/page.test.ts', ['worker/test/harness.ts']],
  ['worker/admin/csv.node.test.ts', []],
  ['worker/libsql/libsql.node.test.ts', ['worker/admin/session.suite.ts']],
  ['worker/origins.test.ts', ['worker/index.ts']],
]);

describe('the tests near a file', () => {
  it('are first its own and those that import it, and a suite is run once', () => {
    expect(testsNear('worker/admin/session.ts', imports)).toEqual({
      nearest: ['worker/admin/session.test.ts', 'worker/admin/sign-in.test.ts'],
      others: ['worker/admin/page.test.ts', 'worker/origins.test.ts'],
    });
  });

  it('are those of its folder, and then of the folders that use it, where none imports it', () => {
    expect(testsNear('worker/limit.ts', imports)).toEqual({
      nearest: ['worker/origins.test.ts'],
      others: ['worker/admin/session.test.ts', 'worker/admin/sign-in.test.ts', 'worker/admin/page.test.ts'],
    });
  });

  it.each([
    ['worker/limit.ts', true],
    ['worker/admin/session.suite.ts', false],
    ['worker/admin/session.test.ts', false],
    ['worker/test/harness.ts', false],
    ['worker/verification/simulation/world.ts', false],
    ['worker/bindings.d.ts', false],
  ])('%s is what the Worker runs: %s', (path, expected) => {
    expect(isSource(path)).toBe(expected);
  });
});
