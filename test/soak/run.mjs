// npm run soak -- --rotations 100
// Rotates behind a PgBouncer, in transaction and in session pooling, and prints a line for each.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { rotations: { type: 'string', default: '100' } } });
const folder = mkdtempSync(join(tmpdir(), 'keyturn-soak-'));
const result = join(folder, 'result');
const root = resolve(import.meta.dirname, '../..');
const vitest = spawn(
  process.execPath,
  [join(root, 'node_modules/vitest/vitest.mjs'), 'run', 'test/soak/pgbouncer.test.ts'],
  {
    cwd: root,
    stdio: ['ignore', 2, 2],
    env: {
      ...process.env,
      KEYTURN_REQUIRE_SERVICES: '',
      KEYTURN_SOAK_ROTATIONS: values.rotations,
      KEYTURN_SOAK_RESULT: result,
    },
  },
);
// Ctrl-C reaches both; vitest clears up, and this one waits for it.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => vitest.kill(signal));
vitest.on('close', (code) => {
  let lines = 'soak: it did not get to its end\n';
  try {
    lines = readFileSync(result, 'utf8');
  } catch {
    // What went wrong was said above.
  }
  rmSync(folder, { recursive: true, force: true });
  process.stdout.write(lines);
  process.exitCode = code === 0 ? 0 : 1;
});
