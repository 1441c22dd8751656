import { defineConfig } from 'rolldown';

// What runs: our own modules, as tsc wrote them, in few files. Loading hundreds is slow.
// Packages stay packages, so that they can be updated and audited. A file's name changes with its content: a process
// that runs while it is upgraded finds none of another version.
export default defineConfig({
  input: {
    main: 'dist/src/cli/main.js',
    'store-contract': 'dist/src/secret-store/contract/store-contract.js',
  },
  platform: 'node',
  external: /^[^./]/,
  output: { dir: 'dist/bundle', chunkFileNames: '[name]-[hash].js', cleanDir: true },
});
