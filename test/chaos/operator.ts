import { setTimeout as sleep } from 'node:timers/promises';
import { type CliResult, cli } from '../support/cli.ts';
import type { Fleet } from './fleet.ts';
import type { Random } from './random.ts';

/** What the operator got done, whatever was broken just then. */
export interface Deeds {
  emergencies: number;
  rollbacks: number;
}

/** Somebody who, now and then, takes a password for leaked, or a new one for bad, in the middle of all that fails. */
export async function operate(fleet: Fleet, random: Random, signal: AbortSignal): Promise<Deeds> {
  const deeds: Deeds = { emergencies: 0, rollbacks: 0 };
  const run = (...args: string[]): Promise<CliResult> => cli(args, { cwd: fleet.folder });
  const mended: Promise<CliResult>[] = [];
  const leaky = fleet.policies.filter(({ mayLeak }) => mayLeak);
  while (!signal.aborted) {
    await sleep(random.between(3_000, 9_000), undefined, { signal }).catch(() => {});
    if (signal.aborted) break;
    if (random.next() < 0.5) {
      const { name } = random.pick(leaky);
      const { code } = await run('rotate', name, '--emergency', '--yes', '--timeout', '20s');
      if (code === 0) deeds.emergencies += 1;
    } else {
      const { name } = random.pick(fleet.policies);
      const { code } = await run('rollback', name);
      if (code === 0) deeds.rollbacks += 1;
      // It has paused the schedule, even if it could not say so.
      while (!signal.aborted && (await run('resume', name)).code !== 0) await sleep(500);
      // The schedule would wait a quarter of an hour after what counts as a failure: longer than the storm may last.
      if (code === 0) mended.push(run('rotate', name, '--wait', '--timeout', '30s'));
    }
  }
  await Promise.all(mended);
  return deeds;
}
