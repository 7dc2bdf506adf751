// The projects: `worker` and `alone` run tests in workerd, `node` runs tests of pure code and of scripts, `e2e` uses real servers.
// `npm test` runs these. CI runs `source` (by `npm run check`), `long` and `peers` too; `deep` runs on demand.
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
  'focus',
  'journey',
  'leak',
  'leaks',
  'limits',
  'rotation',
  'small-things',
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
  'frame',
  'libsql',
  'load',
  'many',
  'oidc',
  'places',
  'releases',
  'restore',
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

/** Suites about what an isolate and its hubs keep in memory: each of them has a workerd of its own. */
const ALONE = [
  'worker/test/log.test.ts',
  'worker/verification/{ownership,verification}.test.ts',
  'worker/verification/source/source.test.ts',
];

/** The settings of every suite that starts a real browser or a real server. */
const E2E = {
  isolate: false,
  globalSetup: ['e2e/bundle.ts'],
  testTimeout: 60_000,
  hookTimeout: 120_000,
  // Pages side by side, for the tests that ask for it: a small machine has two cores.
  maxConcurrency: 2,
};

/** The same for suites that keep their cores busy. They do not run beside those of `npm test`. */
const LATER = { ...E2E, maxWorkers: '100%', sequence: { groupOrder: 1 } };

/** What runs first: suites that wait for leases and limits, and beside them others that keep a core busy. At the end, suites that
 * wait would leave both cores idle. */
const FIRST = [
  'worker/test/faults.test.ts',
  'worker/test/model.test.ts',
  'e2e/',
  'worker/report/report.test.ts',
  '.node.test.ts',
  'worker/verification/verification.test.ts',
  'worker/upkeep/retire.test.ts',
];

class WaitingFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const found = FIRST.findIndex((path) => moduleId.includes(path));
      return found === -1 ? FIRST.length : found;
    };
    // oxlint-disable-next-line unicorn/no-array-sort -- a method of vitest, which sorts a copy
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => place(a) - place(b));
  }
}

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
        MODEL_COMMANDS: process.env['MODEL_COMMANDS'] ?? '300',
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

const WORKER = {
  setupFiles: ['worker/test/setup.ts'],
  // Some tests make thousands of calls, on a machine that does other work too.
  testTimeout: 60_000,
};

const NODE = {
  // One process runs many files. In a process of its own, each file would spend more time on loading packages than on its tests.
  isolate: false,
  // Some tests take thousands of steps, on a machine that does other work too.
  testTimeout: 60_000,
};

export default defineConfig({
  test: {
    sequence: { sequencer: WaitingFirst },
    // Two more than there are cores, because a suite that waits needs no core.
    maxWorkers: availableParallelism() + 2,
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
          exclude: [...ALONE, '**/*.node.test.ts'],
          isolate: false,
        },
      },
      {
        plugins: [workerd()],
        test: { ...WORKER, name: 'alone', include: ALONE },
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
      { test: { ...LATER, name: 'long', include: LONG } },
      { test: { ...LATER, name: 'deep', include: DEEP } },
      {
        test: {
          ...LATER,
          name: 'peers',
          globalSetup: ['e2e/bundle.ts', 'e2e/peers/install.ts'],
          include: ['e2e/peers/**/*.test.ts'],
          fileParallelism: false,
        },
      },
    ],
  },
});
