// What the Worker may weigh, and that the README says so: bytes of the bundle that would be deployed, and of what stands on
// the way of every call. The dashboard's budgets lie beside it (ui/budgets.test.ts).
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bundleWorker } from '../scripts/bundle.ts';
import { measureBytes } from './bytes.ts';

const root = resolve(import.meta.dirname, '..');
// What holds today, not what is wished for: the goals, and which of them are missed, stand in bench/results.md.
const WORKER_GZIP_KB = 96;
const VERIFICATION_KB = 17.5;

describe('the weight of the Worker', () => {
  it('is within its budgets', { timeout: 60_000 }, async () => {
    const { workerGzip, verification } = await measureBytes(bundleWorker().code);
    expect(workerGzip).toBeLessThanOrEqual(WORKER_GZIP_KB * 1000);
    expect(verification).toBeLessThanOrEqual(VERIFICATION_KB * 1000);
  });

  it('is told by the README in the same numbers', () => {
    const readme = readFileSync(resolve(root, 'README.md'), 'utf8').replaceAll(/\s+/g, ' ');
    expect(readme).toContain(`The Worker is at most ${WORKER_GZIP_KB} KB gzip`);
    expect(readme).toContain(`at most ${VERIFICATION_KB} KB minified`);
  });
});
