// npm run bench
// --only a,b restricts it to some parts, --quick measures less of each, --verbose prints the statements that were
// counted. --postgres 15 measures on an older PostgreSQL (14 to 17), --fsync off on one that does not flush.
// All parts, not quick: it writes docs/benchmarks.md. The tables go to stdout, progress to stderr.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    quick: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
    postgres: { type: 'string', default: '' },
    fsync: { type: 'string', default: 'on' },
  },
});
const root = resolve(import.meta.dirname, '../..');
const built = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', root], {
  stdio: ['ignore', 2, 2],
});
if (built.status !== 0) process.exit(1);

const folder = mkdtempSync(join(tmpdir(), 'keyturn-bench-'));
const result = join(folder, 'result');
const vitest = spawn(
  process.execPath,
  [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--config', 'test/bench/vitest.config.ts'],
  {
    cwd: root,
    stdio: ['ignore', 2, 2],
    env: {
      ...process.env,
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
    },
  },
);
// Ctrl-C reaches both; vitest clears up, and this one waits for it.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => vitest.kill(signal));
vitest.on('close', (code) => {
  let text = 'The benchmark did not get to its end.\n';
  try {
    text = readFileSync(result, 'utf8');
  } catch {
    // What went wrong was said on stderr.
  }
  rmSync(folder, { recursive: true, force: true });
  process.stdout.write(text);
  process.exitCode = code === 0 ? 0 : 1;
});
