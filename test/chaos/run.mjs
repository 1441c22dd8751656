// npm run chaos -- --duration 600s --seed 7 --queue redis
// --only hand,promote restricts it to these kinds of faults, --verbose tells each one.
import { parseArgs } from 'node:util';
import { runVitest } from '../support/run-vitest.mjs';

const { values } = parseArgs({
  options: {
    duration: { type: 'string', default: '60s' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1_000_000)) },
    queue: { type: 'string', default: 'postgres' },
    only: { type: 'string', default: '' },
    verbose: { type: 'boolean', default: false },
  },
});
process.stdout.write(`chaos: seed ${values.seed}, ${values.duration}, the queue on ${values.queue}\n`);
runVitest('chaos', {
  args: ['--config', 'test/chaos/vitest.config.ts'],
  stdio: ['ignore', 'inherit', 'inherit'],
  environment: (result) => ({
    KEYTURN_CHAOS_DURATION: values.duration,
    KEYTURN_CHAOS_SEED: values.seed,
    KEYTURN_CHAOS_QUEUE: values.queue,
    KEYTURN_CHAOS_ONLY: values.only,
    KEYTURN_CHAOS_VERBOSE: values.verbose ? '1' : '',
    KEYTURN_CHAOS_RESULT: result,
  }),
  onEnd({ text = 'chaos: it did not get to its end', isPassed }) {
    process.stdout.write(`${text}\n`);
    if (isPassed) return;
    const only = values.only === '' ? '' : ` --only ${values.only}`;
    const again = `--duration ${values.duration} --seed ${values.seed} --queue ${values.queue}${only}`;
    process.stdout.write(`chaos: again: npm run chaos -- ${again} --verbose\n`);
  },
});
