import { defineConfig } from 'vitest/config';

/** `npm run bench` runs it by run.mjs. It starts its own servers, and fails for nothing that takes long. */
export default defineConfig({
  test: {
    include: ['test/bench/bench.run.ts'],
    setupFiles: ['test/support/leaks.ts'],
    testTimeout: 1_500_000,
    hookTimeout: 120_000,
    reporters: ['dot'],
  },
});
