import type { Policy } from '../../config/policy.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { Io } from '../io.ts';

/**
 * Says on stderr which rotations of the policies are open, in which step, and how to go on.
 * `hasWorker`: whether a worker runs them; otherwise nobody does once this process has ended.
 */
export async function tellLeftOpen(
  { stderr }: Pick<Io, 'stderr'>,
  ledger: Pick<Ledger, 'open' | 'events'>,
  { policies, hasWorker }: { readonly policies: readonly Policy[]; readonly hasWorker: boolean },
): Promise<void> {
  const names = new Set(policies.map(({ name }) => name));
  const open = (await ledger.open()).filter(({ policy }) => names.has(policy));
  const events = await ledger.events(open.map(({ id }) => id));
  for (const { id, policy } of open) {
    const step = events.findLast(({ rotation }) => rotation === id)?.step;
    const where = step ? `stays open, in the step ${step}` : 'stays open; no step has begun';
    const how = hasWorker
      ? `A worker runs it; follow it with keyturn status ${policy}`
      : `Go on with it: keyturn start, or keyturn rotate ${policy} --inline, which finishes it and then rotates once more`;
    stderr.write(`${policy}: rotation ${id} ${where}. ${how}\n`);
  }
}
