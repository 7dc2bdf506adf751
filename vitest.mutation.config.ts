// The tests that must notice a mutant (npm run test:mutation): those of the mutated file alone, which run in Node.
import { defineConfig } from 'vitest/config';

const { MUTATED = 'worker/**/*.ts' } = process.env;

export default defineConfig({
  test: { testTimeout: 60_000, include: [MUTATED.replace(/\.ts$/, '.node.test.ts')] },
});
