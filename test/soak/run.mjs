// npm run soak -- --rotations 100
// Rotates behind a PgBouncer, in transaction and in session pooling, and prints a line for each.
import { parseArgs } from 'node:util';
import { runVitest } from '../support/run-vitest.mjs';

const { values } = parseArgs({ options: { rotations: { type: 'string', default: '100' } } });
runVitest('soak', {
  args: ['test/soak/pgbouncer.test.ts'],
  stdio: ['ignore', 2, 2],
  environment: (result) => ({
    KEYTURN_REQUIRE_SERVICES: '',
    KEYTURN_SOAK_ROTATIONS: values.rotations,
    KEYTURN_SOAK_RESULT: result,
  }),
  onEnd({ text = 'soak: it did not get to its end\n' }) {
    process.stdout.write(text);
  },
});
