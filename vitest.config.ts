// The projects: `worker` runs tests in workerd, `node` runs tests of pure code and of scripts, `e2e` uses real browsers and servers.
// `deep` and `peers` run only when they are asked for: long suites, and real gateways.
import { join } from 'node:path';
import { cloudflareTest, readD1Migrations } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';
import { BaseSequencer } from 'vitest/node';
import type { TestSpecification } from 'vitest/node';
import { isRoutine, watch } from './scripts/watched.ts';

/** Suites that start many servers, engines or deployments. `npm test`, which CI runs, leaves them out; `npm run test:all` runs
 * them, on demand and before a release. */
const DEEP = [
  'activity',
  'backup',
  'commands',
  'defences',
  'deploy',
  'dev',
  'docs',
  'engines',
  'focus',
  'frame',
  'leak',
  'leaks',
  'libsql',
  'limits',
  'load',
  'many',
  'oidc',
  'places',
  'releases',
  'restore',
  'small-things',
  'state-folder',
  'states',
  'token-page',
  'two-deployments',
].map((name) => `e2e/${name}.test.ts`);

/** The settings of every suite that starts a real browser or a real server. */
const E2E = {
  isolate: false,
  globalSetup: ['e2e/bundle.ts'],
  testTimeout: 60_000,
  hookTimeout: 120_000,
  // Pages side by side, for the tests that ask for it: a small machine has two cores.
  maxConcurrency: 2,
};

const WAITING = ['worker/test/model.test.ts', 'worker/verification/verification.test.ts'];

/** By default vitest runs one project after the other. The suites that wait for leases would then run alone at the end, with both
 * cores idle. So they start beside the first suite that keeps a core busy. */
class WaitingBesideBusy extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // oxlint-disable-next-line unicorn/no-array-sort -- a method of vitest, which sorts a copy
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
    // By default vitest keeps one core free, which is half of a machine with two.
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
              // The mail binding of a deployment, for the tests that set a sender.
              email: { send_email: [{ name: 'EMAIL' }] },
              bindings: {
                TEST_MIGRATIONS: await readD1Migrations('migrations'),
                TAG_KEYS: JSON.stringify({ 1: 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8' }),
                TAG_KEY_CURRENT: '1',
                LOCAL_MODE: '1',
                // The address of the deployment in tests that need one. Local mode is only for localhost.
                ORIGINS: 'https://zone.example',
                LOG: 'all',
                // A change is answered when the leases have run out. Short leases keep the suite short.
                REVOCATION_LEASE_MS: '100',
                // A developer's own .dev.vars must not change what the tests see.
                OPERATOR_SECRET: '',
                UPSTREAM_SECRET: '',
                VERIFY_SECRET: '',
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
          // Some tests make thousands of calls, on a machine that does other work too.
          testTimeout: 60_000,
        },
      },
      {
        // The Worker for libSQL; the other projects test the one for D1.
        resolve: { alias: { '#libsql': join(import.meta.dirname, 'worker/libsql/bundled.ts') } },
        test: {
          name: 'node',
          // One process runs many files. In a process of its own, each file would spend more time on loading packages than on its tests.
          isolate: false,
          include: ['{worker,scripts}/**/*.node.test.ts', 'bench/*.node.test.ts', 'ui/**/*.test.{ts,tsx}'],
          // Some tests take thousands of steps, on a machine that does other work too.
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
