import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/chaos/*.soak.ts'],
    globalSetup: ['test/support/services.ts'],
    setupFiles: ['test/support/leaks.ts'],
    testTimeout: 7_200_000,
    hookTimeout: 120_000,
  },
});
