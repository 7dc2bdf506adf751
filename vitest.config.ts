// The Worker's rooms in workerd, its pure rooms in Node, the journeys in a real browser; and, when asked for, real gateways.
import { join } from 'node:path';
import { cloudflareTest, readD1Migrations } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';
import { BaseSequencer } from 'vitest/node';
import type { TestSpecification } from 'vitest/node';
import { isRoutine, watch } from './scripts/watched.ts';

/** Suites that start many servers, engines or deployments. `npm test`, which CI runs, leaves them out; `npm run test:all` runs
 * them, on demand and before a release. The suites of two releases side by side and of a restore are in `npm test`. */
const DEEP = [
  'backup',
  'commands',
  'defences',
  'deploy',
  'dev',
  'engines',
  'frame',
  'libsql',
  'load',
  'many',
  'oidc',
  'places',
  'state-folder',
  'states',
  'two-deployments',
].map((name) => `e2e/${name}.test.ts`);

/** What every suite in a real browser or around a real server needs. */
const E2E = {
  isolate: false,
  globalSetup: ['e2e/bundle.ts'],
  testTimeout: 60_000,
  hookTimeout: 120_000,
  // Pages side by side, for the tests that ask for it: a small machine has two cores.
  maxConcurrency: 2,
};

const WAITING = ['worker/test/model.test.ts', 'worker/verification/verification.test.ts'];

/** Left alone, vitest plays one project after the other: the suites that wait for leases would keep both cores idle at the
 * end. They go beside the first of those that keep one busy. */
class WaitingBesideBusy extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // oxlint-disable-next-line unicorn/no-array-sort -- vitest's own, which sorts a copy
    const [first, ...rest] = await super.sort(files);
    const waits = (file: TestSpecification) => WAITING.some((path) => file.moduleId.endsWith(path));
    return [
      ...(first === undefined ? [] : [first]),
      ...rest.filter(waits),
      ...rest.filter((file) => !waits(file)),
    ];
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: WaitingBesideBusy },
    // Left alone, vitest keeps one core for itself, which on two is half of the machine.
    maxWorkers: '100%',
    onConsoleLog(log) {
      watch(log);
      return !isRoutine(log);
    },
    projects: [
      {
        plugins: [
          cloudflareTest(async () => ({
            wrangler: { configPath: './wrangler.toml' },
            miniflare: {
              // The mail door of a deployment, at hand for the tests that name a sender.
              email: { send_email: [{ name: 'EMAIL' }] },
              bindings: {
                TEST_MIGRATIONS: await readD1Migrations('migrations'),
                TAG_KEYS: JSON.stringify({ 1: 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8' }),
                TAG_KEY_CURRENT: '1',
                LOCAL_MODE: '1',
                // What a test asks that stands for a deployment: local mode is for localhost alone.
                ORIGINS: 'https://zone.example',
                LOG: 'all',
                // A change is answered when the leases have run out: short ones keep the suite short.
                REVOCATION_LEASE_MS: '100',
                // A developer's own .dev.vars must not change what the tests see.
                OPERATOR_SECRET: '',
                UPSTREAM_SECRET: '',
                INTROSPECTION_CLIENTS: '',
              },
            },
          })),
        ],
        test: {
          name: 'worker',
          include: ['worker/**/*.test.ts'],
          exclude: ['**/*.node.test.ts'],
          setupFiles: ['worker/test/setup.ts'],
          // Bursts and properties, on a machine that runs other things as well.
          testTimeout: 60_000,
        },
      },
      {
        // The Worker for libSQL; the other projects test the one for D1.
        resolve: { alias: { '#libsql': join(import.meta.dirname, 'worker/libsql/bundled.ts') } },
        test: {
          name: 'node',
          // One process for many files: each of them would load the same packages anew, which takes longer than its tests.
          isolate: false,
          include: ['{worker,scripts}/**/*.node.test.ts', 'bench/*.node.test.ts', 'ui/**/*.test.{ts,tsx}'],
          // As above: thousands of steps, beside whatever else the machine does.
          testTimeout: 60_000,
        },
      },
      {
        test: {
          ...E2E,
          name: 'e2e',
          include: ['e2e/*.test.ts'],
          exclude: DEEP,
        },
      },
      { test: { ...E2E, name: 'deep', include: DEEP } },
      {
        test: {
          ...E2E,
          name: 'peers',
          globalSetup: ['e2e/bundle.ts', 'e2e/peers/install.ts'],
          include: ['e2e/peers/**/*.test.ts'],
          fileParallelism: false,
        },
      },
    ],
  },
});
