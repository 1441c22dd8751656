// npm run bench
// --only a,b restricts it to some parts, --quick measures less of each, --verbose prints the statements that were
// counted. --postgres 15 measures on an older PostgreSQL (14 to 17), --fsync off on one that does not flush.
// All parts, not quick: it writes docs/benchmarks.md. The tables go to stdout, progress to stderr.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root, runVitest } from '../support/run-vitest.mjs';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    quick: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
    postgres: { type: 'string', default: '' },
    fsync: { type: 'string', default: 'on' },
  },
});
const built = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', root], {
  stdio: ['ignore', 2, 2],
});
if (built.status !== 0) process.exit(1);

runVitest('bench', {
  args: ['--config', 'test/bench/vitest.config.ts'],
  stdio: ['ignore', 2, 2],
  environment: (result) => ({
    KEYTURN_BENCH_ONLY: values.only,
    KEYTURN_BENCH_QUICK: values.quick ? '1' : '',
    KEYTURN_BENCH_VERBOSE: values.verbose ? '1' : '',
    KEYTURN_BENCH_POSTGRES: values.postgres,
    KEYTURN_BENCH_FSYNC: values.fsync,
    KEYTURN_BENCH_COMMAND: [
      'npm run bench',
      ...(process.argv.length > 2 ? ['--'] : []),
      ...process.argv.slice(2),
    ].join(' '),
    KEYTURN_BENCH_RESULT: result,
  }),
  onEnd({ text = 'The benchmark did not get to its end.\n' }) {
    process.stdout.write(text);
  },
});
