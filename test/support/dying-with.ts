import type { Ledger } from '../../src/ledger/ledger.ts';
import type { Event, StepName } from '../../src/ledger/rotation.ts';

export const GONE = 'the process is gone';

/** A ledger that the process dies with: when a step has started, or when it is done but that is not recorded. */
export function dyingWith(ledger: Ledger, step: StepName, when: Event['kind']): Ledger {
  return {
    ...ledger,
    async record(open, name, kind, detail) {
      const dies = name === step && kind === when;
      if (!dies || when === 'started') await ledger.record(open, name, kind, detail);
      if (dies) throw new Error(GONE);
    },
    // `publish` records a fact of its own with its effect: that is lost as well.
    async published(open) {
      if (step === 'publish' && when === 'done') throw new Error(GONE);
      return ledger.published(open);
    },
    failed: () => Promise.reject(new Error(GONE)),
  };
}
