import type { Clock } from '../../src/clock.ts';
import type { Rotation } from '../../src/ledger/rotation.ts';
import type { Outcome } from '../../src/rotation/rotate.ts';
import type { Scenario } from './scenario.ts';

/** A clock that runs, and that a test moves on instead of waiting. */
export interface SkippingClock extends Clock {
  /** Moves on to an instant, in milliseconds since the epoch; never back. */
  skipTo(instant: number): void;
}

export function skippingClock(): SkippingClock {
  let skew = 0;
  const now = () => Date.now() + skew;
  return {
    now,
    skipTo(instant) {
      skew += Math.max(0, instant - now());
    },
  };
}

/** Runs a rotation to its end, moving the scenario's clock on to each instant that it asks for. */
export async function finishSkipping(
  { run }: Pick<Scenario, 'run'>,
  rotation: Rotation,
  clock: SkippingClock,
): Promise<Outcome> {
  for (;;) {
    const outcome = await run(rotation);
    if (!('until' in outcome)) return outcome;
    clock.skipTo(outcome.until);
  }
}
