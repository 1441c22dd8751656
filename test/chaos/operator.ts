import { setTimeout as sleep } from 'node:timers/promises';
import { startCli } from '../support/cli.ts';
import type { Fleet } from './fleet.ts';
import type { LedgerView } from './ledger-view.ts';
import type { Random } from './random.ts';

/** What the operator got done, whatever was broken just then. */
export interface Deeds {
  emergencies: number;
  rollbacks: number;
}

/** However much is broken, a command ends: the longest timeout asked for is 30 s, and connecting has limits of its own. */
const PATIENCE_MS = 180_000;

/** Runs a keyturn command in a fleet. Throws when it does not end. */
export async function runCommand(
  fleet: Fleet,
  ...args: string[]
): Promise<{ code: number | null; said: string }> {
  await using running = startCli(args, { cwd: fleet.folder });
  const tooLate = sleep(PATIENCE_MS, 'too late' as const, { ref: false });
  const code = await Promise.race([running.exited, tooLate]);
  const said = running.stdout() + running.stderr();
  if (code === 'too late') throw new Error(`keyturn ${args.join(' ')} does not end; it said: ${said}`);
  return { code, said };
}

/** Somebody who, now and then, takes a password for leaked, or a new one for bad, in the middle of all that fails. */
export async function operate(
  fleet: Fleet,
  random: Random,
  { ledger, signal }: { readonly ledger: LedgerView; readonly signal: AbortSignal },
): Promise<Deeds> {
  const deeds: Deeds = { emergencies: 0, rollbacks: 0 };
  const run = async (...args: string[]) => (await runCommand(fleet, ...args)).code;
  const mended: Promise<unknown>[] = [];
  const leaky = fleet.policies.filter(({ mayLeak }) => mayLeak);
  while (!signal.aborted) {
    await sleep(random.between(3_000, 9_000), undefined, { signal }).catch(() => {});
    if (signal.aborted) break;
    const deed = random.next();
    // The schedule would wait a quarter of an hour after what counts as a failure: longer than the storm may last.
    for (const name of await failed(ledger)) mended.push(run('rotate', name));
    if (deed < 0.4) {
      const { name } = random.pick(leaky);
      const code = await run('rotate', name, '--emergency', '--yes', '--timeout', '20s');
      if (code === 0) deeds.emergencies += 1;
    } else if (deed < 0.8) {
      const { name } = random.pick(fleet.policies);
      const code = await run('rollback', name);
      if (code === 0) deeds.rollbacks += 1;
      // It has paused the schedule, even if it could not say so.
      while (!signal.aborted && (await run('resume', name)) !== 0) await sleep(500);
    }
  }
  await Promise.all(mended);
  return deeds;
}

/** Policies whose latest rotation has failed. */
async function failed(ledger: LedgerView): Promise<string[]> {
  const rows = await ledger.ask(
    `SELECT policy FROM (SELECT DISTINCT ON (policy) policy, status FROM keyturn.rotation
                          ORDER BY policy, (status = 'open') DESC, requested_at DESC) AS last
      WHERE status = 'failed'`,
  );
  return (rows ?? []).map(({ policy }) => policy);
}
