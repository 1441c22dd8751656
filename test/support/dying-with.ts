import type { Ledger } from '../../src/ledger/ledger.ts';
import type { Event, StepName } from '../../src/ledger/rotation.ts';
import { onLine } from './on-line.ts';

export const GONE = 'the process is gone';

/** A ledger that the process dies with: when a step has started, or when it is done but that is not recorded. */
export function dyingWith(ledger: Ledger, step: StepName, when: Event['kind']): Ledger {
  let isGone = false;
  const die = (line: { readonly step: StepName; readonly kind: Event['kind'] }) => {
    isGone ||= line.step === step && line.kind === when;
    if (isGone) throw new Error(GONE);
  };
  const hooked = onLine(ledger, when === 'started' ? { after: die } : { before: die });
  const unlessGone = async () => {
    if (isGone) throw new Error(GONE);
  };
  return {
    ...hooked,
    record: async (...args) => {
      await unlessGone();
      return hooked.record(...args);
    },
    failed: () => Promise.reject(new Error(GONE)),
  };
}
