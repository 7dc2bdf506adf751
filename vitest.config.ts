// The projects: `worker` runs tests in workerd, `node` runs tests of pure code and of scripts, `e2e` uses real servers.
// `npm test` runs these. CI runs `source` (by `npm run check`), `long` and `peers` too; `deep` runs on demand.
import { join } from 'node:path';
import { cloudflareTest, readD1Migrations } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';
import { BaseSequencer } from 'vitest/node';
import type { TestSpecification } from 'vitest/node';
import { isRoutine, watch } from './scripts/watched.ts';

const suites = (...names: string[]): string[] => names.map((name) => `e2e/${name}.test.ts`);

/** Suites in a real browser, under load, or with further processes: CI runs them beside `npm test`, which must stay short. */
const LONG = suites(
  'activity',
  'child',
  'example-upstream',
  'journey',
  'leak',
  'rotation',
  'token-page',
  'tokens',
  'two-isolates',
);

/** Suites that start many servers, engines or deployments. `npm run test:all` runs them, on demand and before a release. */
const DEEP = suites(
  'backup',
  'commands',
  'defences',
  'deploy',
  'dev',
  'docs',
  'engines',
  'focus',
  'frame',
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
  'two-deployments',
);

/** Suites that read or compile the source and run nothing of the product: `npm run check` runs them. */
const SOURCE = [
  'worker/test/{arrows,bundle,documents,promises,supply-chain}.node.test.ts',
  'bench/bytes.node.test.ts',
  'ui/{budgets,seam}.test.ts',
];

/** The settings of every suite that runs in Node and starts nothing. */
const NODE = {
  // One process runs many files. In a process of its own, each file would spend more time on loading packages than on its tests.
  isolate: false,
  // Some tests take thousands of steps, on a machine that does other work too.
  testTimeout: 60_000,
};

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
        // Each file has a workerd of its own, which takes 2 s of CPU to start. When files shared one (`isolate: false`), calls hung
        // now and then, and what a file had replaced reached the next. When four files ran on two cores, the pool once stopped with an
        // error, because a workerd that was slow to end had sent a line.
        test: {
          name: 'worker',
          include: ['worker/**/*.test.ts'],
          exclude: ['**/*.node.test.ts'],
          setupFiles: ['worker/test/setup.ts'],
          // Some tests make thousands of calls, on a machine that does other work too.
          testTimeout: 60_000,
        },
      },
      { test: { ...NODE, name: 'source', include: SOURCE } },
      {
        // The Worker for libSQL; the other projects test the one for D1.
        resolve: { alias: { '#libsql': join(import.meta.dirname, 'worker/libsql/bundled.ts') } },
        test: {
          ...NODE,
          name: 'node',
          include: ['{worker,scripts}/**/*.node.test.ts', 'bench/*.node.test.ts', 'ui/**/*.test.{ts,tsx}'],
          exclude: SOURCE,
        },
      },
      {
        test: {
          ...E2E,
          name: 'e2e',
          include: ['e2e/*.test.ts'],
          exclude: [...LONG, ...DEEP],
        },
      },
      { test: { ...E2E, name: 'long', include: LONG } },
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
