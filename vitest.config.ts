import { defineConfig } from 'vitest/config';

// Where .ci/run wants the counts: vitest's reader of arguments would take them from `npm run check`.
const results = process.env.KEYTURN_TEST_RESULTS;

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/services.ts'],
    setupFiles: ['test/support/leaks.ts'],
    // Two cores are busy with three, which start many processes each. More only make all of them slower.
    maxWorkers: 3,
    // Test files share the modules of their worker. Nothing is mocked, so a fifth of the time would go to loading.
    isolate: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // These machines are noisy: what is waited for ends the wait, so patience costs nothing.
    expect: { poll: { timeout: 60_000, interval: 50 } },
    reporters: results ? ['default', ['json', { outputFile: results }]] : ['default'],
  },
});
