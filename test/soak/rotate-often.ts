import { warningsOf } from '../support/draining.ts';
import type { Scenario } from '../support/scenario.ts';

export interface RotatedOften {
  /** What the rotations warned of. A drain that ran into its deadline is among them. */
  readonly warnings: readonly string[];
  /** Milliseconds from publish until a rotation was done, the longest of all. */
  readonly longest: number;
}

/** Rotates so often, each time to the end. Throws where a rotation is not done. */
export async function rotateOften(scenario: Scenario, rotations: number): Promise<RotatedOften> {
  const warnings: string[] = [];
  let longest = 0;
  for (let count = 0; count < rotations; count += 1) {
    const rotation = await scenario.request();
    const outcome = await scenario.finish(rotation);
    if (outcome.status !== 'done') throw new Error(`a rotation is ${JSON.stringify(outcome)}`);
    const row = await scenario.ledger.find(rotation.id);
    longest = Math.max(longest, Date.now() - Number(row?.publishedAt));
    warnings.push(...(await warningsOf(scenario, rotation)).map(({ code }) => code));
  }
  return { warnings, longest };
}
