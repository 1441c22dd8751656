import { defineConfig } from 'vitest/config';

/** Benchmarks print what they measure and fail for nothing that takes long. `npm run benchmark`. */
export default defineConfig({
  test: {
    include: ['test/benchmark/*.benchmark.ts'],
    globalSetup: ['test/support/services.ts'],
    setupFiles: ['test/support/leaks.ts'],
    testTimeout: 900_000,
    hookTimeout: 900_000,
    fileParallelism: false,
  },
});
