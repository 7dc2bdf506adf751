// Every test file in workerd starts on a database with the real migrations applied.
import { env } from 'cloudflare:workers';

// All of them in one batch: applyD1Migrations makes a call for each, which takes twice as long, in every file.
await env.DB.batch(
  env.TEST_MIGRATIONS.flatMap(({ queries }) => queries.map((query) => env.DB.prepare(query))),
);

/**
 * Never called. At its first import, a workerd gets in one message all modules that this file or the test reaches and that an earlier
 * file has loaded. But this import comes before vitest knows the test's own. Without these two, each file fetches 250 modules, one
 * after the other, which takes 0.6 s.
 */
export const reached = () => [import('../index.ts'), import('./harness.ts')];
