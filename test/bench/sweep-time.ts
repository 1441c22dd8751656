import pino from 'pino';
import { sweepJob } from '../../jobs/sweep.ts';
import { timed } from './measure.ts';
import type { Place } from './place.ts';
import { openBenchApp } from './request.ts';

/** Milliseconds of a sweep that has nothing to do, in this process, after one that had to begin. */
export async function timeSweep(place: Place): Promise<number> {
  await using app = await openBenchApp(place);
  const sweep = sweepJob({
    ledger: await app.ledger(),
    queue: await app.queue(),
    log: pino({ level: 'silent' }),
    now: () => app.clock.now(),
    policies: () => app.config.policies,
    // As a worker knows it after its first sweep.
    isUnpublished: async () => false,
  });
  await sweep();
  const [took] = await timed(sweep);
  return took;
}
