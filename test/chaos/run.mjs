// npm run chaos -- --duration 600s --seed 7 --queue redis
// --only hand,promote restricts it to these kinds of faults, --verbose tells each one.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    duration: { type: 'string', default: '60s' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1_000_000)) },
    queue: { type: 'string', default: 'postgres' },
    only: { type: 'string', default: '' },
    verbose: { type: 'boolean', default: false },
  },
});
const folder = mkdtempSync(join(tmpdir(), 'keyturn-chaos-'));
const result = join(folder, 'result');
const root = resolve(import.meta.dirname, '../..');
process.stdout.write(`chaos: seed ${values.seed}, ${values.duration}, the queue on ${values.queue}\n`);
const vitest = spawn(
  process.execPath,
  [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--config', 'test/chaos/vitest.config.ts'],
  {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      ...process.env,
      KEYTURN_CHAOS_DURATION: values.duration,
      KEYTURN_CHAOS_SEED: values.seed,
      KEYTURN_CHAOS_QUEUE: values.queue,
      KEYTURN_CHAOS_ONLY: values.only,
      KEYTURN_CHAOS_VERBOSE: values.verbose ? '1' : '',
      KEYTURN_CHAOS_RESULT: result,
    },
  },
);
// Ctrl-C reaches both; vitest clears up, and this one waits for it.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => vitest.kill(signal));
vitest.on('close', (code) => {
  let line = 'chaos: it did not get to its end';
  try {
    line = readFileSync(result, 'utf8');
  } catch {
    // What went wrong was said above.
  }
  rmSync(folder, { recursive: true, force: true });
  process.stdout.write(`${line}\n`);
  if (code !== 0) {
    const only = values.only === '' ? '' : ` --only ${values.only}`;
    const again = `--duration ${values.duration} --seed ${values.seed} --queue ${values.queue}${only}`;
    process.stdout.write(`chaos: again: npm run chaos -- ${again} --verbose\n`);
  }
  process.exitCode = code === 0 ? 0 : 1;
});
