// Which tests must notice a fault of a file.
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { importedBy, isSource, readImports, testsNear } from './near.ts';

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

describe('the files that a file imports', () => {
  it.each([
    ["import { a } from '../limit.ts';", ['worker/limit.ts']],
    ["export * from './session.ts';", ['worker/admin/session.ts']],
    ["import type { A } from './session.ts';", ['worker/admin/session.ts']],
    ["import './session.ts';", ['worker/admin/session.ts']],
    ["const routes = () => import('./routes.ts');", ['worker/admin/routes.ts']],
    ["const routes = await import(\n  './routes.ts'\n);", ['worker/admin/routes.ts']],
    ["import { libsql } from '#libsql';", ['worker/libsql/bundled.ts', 'worker/libsql/left-out.ts']],
    ["import { Hono } from 'hono';", []],
  ])('of %j', (text, expected) => {
    const names = {
      '#libsql': { libsql: './worker/libsql/bundled.ts', default: './worker/libsql/left-out.ts' },
    };
    expect(importedBy('worker/admin/page.ts', text, names)).toEqual(expected);
  });

  it('include those that only import() and #libsql lead to', () => {
    const imported = new Set([...readImports(resolve(import.meta.dirname, '..')).values()].flat());
    expect([...imported]).toEqual(
      expect.arrayContaining(['worker/site.ts', 'worker/libsql/bundled.ts', 'worker/libsql/left-out.ts']),
    );
  });
});

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
