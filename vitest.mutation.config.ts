// The tests that must notice a mutant (npm run test:mutation): those of the pure rooms alone, which run in Node.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    testTimeout: 60_000,
    include: [
      'worker/token/secret.node.test.ts',
      'worker/verification/{credential,memory}.node.test.ts',
      'worker/organisation/*.node.test.ts',
      'worker/admin/same-site.node.test.ts',
      'worker/api/{path,challenge}.node.test.ts',
      'worker/{name,header-rules,marked,seal}.node.test.ts',
    ],
  },
});
