import type { Ledger } from './ledger.ts';
import { refuseWrongClock, type StateClock } from './state-clock.ts';

/**
 * A ledger that measures the clock before anything is decided by it, and opens nothing while this
 * machine's is wrong. An emergency is let through: it has no slot and no grace, and a leaked
 * password cannot wait for somebody to set a clock.
 */
export function withStateClock(ledger: Ledger, clock: StateClock): Ledger {
  return {
    ...ledger,
    async request(request) {
      await clock.follow();
      if (request.reason !== 'emergency') refuseWrongClock(clock);
      return ledger.request(request);
    },
    async keepDue(policies) {
      await clock.follow();
      return ledger.keepDue(policies);
    },
    async due() {
      await clock.follow();
      return ledger.due();
    },
    async timing(policy) {
      await clock.follow();
      return ledger.timing(policy);
    },
    async timings(policies) {
      await clock.follow();
      return ledger.timings(policies);
    },
  };
}
