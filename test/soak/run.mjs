// npm run soak -- --rotations 100 --only pgbouncer
// Rotates under load, and prints a line for each part. pgbouncer: behind a PgBouncer, in transaction and in session
// pooling. library: pools of keyturn/consumer, and a quarter of the rotations through each library on top of them.
// aws: readers of two secrets. libpq: programs that know nothing but a service file. --only takes several, with commas between them. By default it is pgbouncer.
import { parseArgs } from 'node:util';
import { runVitest } from '../support/run-vitest.mjs';

const PARTS = {
  pgbouncer: 'test/soak/pgbouncer.test.ts',
  library: 'test/soak/library.test.ts',
  aws: 'test/soak/aws.test.ts',
  libpq: 'test/soak/libpq.test.ts',
};

const { values } = parseArgs({
  options: {
    rotations: { type: 'string', default: '100' },
    only: { type: 'string', default: 'pgbouncer' },
  },
});
const parts = values.only.split(',');
const unknown = parts.find((part) => !Object.hasOwn(PARTS, part));
if (unknown !== undefined) {
  process.stderr.write(`soak: no part ${unknown}; there are ${Object.keys(PARTS).join(', ')}\n`);
  process.exit(2);
}
runVitest('soak', {
  args: parts.map((part) => PARTS[part]),
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
