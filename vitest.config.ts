// The projects: `worker` runs tests in workerd, `node` runs tests of pure code and of scripts, `e2e` uses real servers.
// `npm test` runs these. CI runs `source` (by `npm run check`), `long`, `worker-long` and `peers` too; `deep` runs on demand.
import { availableParallelism } from 'node:os';
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

/** Suites in workerd of thousands of calls: CI runs them beside `npm test` as well. */
const LONG_IN_WORKERD = ['worker/test/faults.test.ts', 'worker/test/model.test.ts'];

/** Twice as many as there are cores: suites in workerd wait for leases and limits. By default vitest keeps one core free, which is
 * half of a machine with two. */
const FILES_AT_A_TIME = availableParallelism() * 2;

/** The Worker and its storage, as tests in workerd get them. */
const workerd = () =>
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
  }));

/** The settings of every suite in workerd. Each file has a workerd of its own, which takes 1.5 s of CPU to start. When files shared
 * one (`isolate: false`), calls hung now and then, and what a file had replaced reached the next. */
const WORKER = {
  setupFiles: ['worker/test/setup.ts'],
  // Some tests make thousands of calls, on a machine that does other work too.
  testTimeout: 60_000,
};

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
  // They come after the others and are fewer at a time, because they measure how long a server takes to do a thing.
  maxWorkers: '100%',
  sequence: { groupOrder: 1 },
  globalSetup: ['e2e/bundle.ts'],
  testTimeout: 60_000,
  hookTimeout: 120_000,
  // Pages side by side, for the tests that ask for it: a small machine has two cores.
  maxConcurrency: 2,
};

/** The suites that take longest, most of it waiting for leases and limits. */
const LONGEST = [
  'worker/report/report.test.ts',
  'worker/verification/verification.test.ts',
  'worker/upkeep/retire.test.ts',
];

/** The longest suites start first: at the end, they would run with both cores idle. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const found = LONGEST.findIndex((path) => moduleId.endsWith(path));
      return found === -1 ? LONGEST.length : found;
    };
    // oxlint-disable-next-line unicorn/no-array-sort -- a method of vitest, which sorts a copy
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => place(a) - place(b));
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    maxWorkers: FILES_AT_A_TIME,
    onConsoleLog(log) {
      watch(log);
      return !isRoutine(log);
    },
    projects: [
      {
        plugins: [workerd()],
        test: {
          ...WORKER,
          name: 'worker',
          include: ['worker/**/*.test.ts'],
          exclude: ['**/*.node.test.ts', ...LONG_IN_WORKERD],
        },
      },
      { plugins: [workerd()], test: { ...WORKER, name: 'worker-long', include: LONG_IN_WORKERD } },
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
