// Budgets of the Worker in bytes: of the bundle that is deployed, and of the code of a verification. The README must have the same
// numbers. The budgets of the dashboard are in ui/budgets.test.ts.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bundleWorker } from '../scripts/bundle.ts';
import { measureBytes } from './bytes.ts';

const root = resolve(import.meta.dirname, '..');
// The present budgets. bench/results.md has the goals, and says which of them are missed.
const WORKER_GZIP_KB = 115;
const VERIFICATION_KB = 19.4;

describe('the size of the Worker', () => {
  it('is within its budgets', { timeout: 60_000 }, async () => {
    const { workerGzip, verification } = await measureBytes(bundleWorker().code);
    expect(workerGzip).toBeLessThanOrEqual(WORKER_GZIP_KB * 1000);
    expect(verification).toBeLessThanOrEqual(VERIFICATION_KB * 1000);
  });

  it('is in the README with the same numbers', () => {
    const readme = readFileSync(resolve(root, 'README.md'), 'utf8').replaceAll(/\s+/g, ' ');
    expect(readme).toContain(`The Worker is at most ${WORKER_GZIP_KB} KB gzip`);
    expect(readme).toContain(`at most ${VERIFICATION_KB} KB minified`);
  });
});
