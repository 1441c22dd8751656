import { setTimeout as sleep } from 'node:timers/promises';
import { startCli } from '../support/cli.ts';
import type { Fleet } from './fleet.ts';
import type { Random } from './random.ts';

/** What the operator got done, whatever was broken just then. */
export interface Deeds {
  emergencies: number;
  rollbacks: number;
}

/** However much is broken, a command ends: the longest timeout asked for is 30 s, and connecting has limits of its own. */
const PATIENCE_MS = 180_000;

/** Somebody who, now and then, takes a password for leaked, or a new one for bad, in the middle of all that fails. */
export async function operate(fleet: Fleet, random: Random, signal: AbortSignal): Promise<Deeds> {
  const deeds: Deeds = { emergencies: 0, rollbacks: 0 };
  const run = async (...args: string[]): Promise<number | null> => {
    await using running = startCli(args, { cwd: fleet.folder });
    const tooLate = sleep(PATIENCE_MS, 'too late' as const, { ref: false });
    const code = await Promise.race([running.exited, tooLate]);
    if (code === 'too late') throw new Error(`keyturn ${args.join(' ')} does not end`);
    return code;
  };
  const mended: Promise<unknown>[] = [];
  const leaky = fleet.policies.filter(({ mayLeak }) => mayLeak);
  while (!signal.aborted) {
    await sleep(random.between(3_000, 9_000), undefined, { signal }).catch(() => {});
    if (signal.aborted) break;
    if (random.next() < 0.5) {
      const { name } = random.pick(leaky);
      const code = await run('rotate', name, '--emergency', '--yes', '--timeout', '20s');
      if (code === 0) deeds.emergencies += 1;
    } else {
      const { name } = random.pick(fleet.policies);
      const code = await run('rollback', name);
      if (code === 0) deeds.rollbacks += 1;
      // It has paused the schedule, even if it could not say so.
      while (!signal.aborted && (await run('resume', name)) !== 0) await sleep(500);
      // The schedule would wait a quarter of an hour after what counts as a failure: longer than the storm may last.
      if (code === 0) mended.push(run('rotate', name, '--wait', '--timeout', '30s'));
    }
  }
  await Promise.all(mended);
  return deeds;
}
