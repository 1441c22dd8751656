import { type Fact, fact } from '../facts/fact.ts';
import { factOf } from '../facts/fault.ts';
import type { StepName } from '../ledger/rotation.ts';
import { loginsOf, type RotationLogins } from './context/rotation-logins.ts';
import { hasBegun, type Preview } from './context/rotation-view.ts';
import type { Step } from './step.ts';
import { stepsOf } from './steps.ts';

export interface PlannedStep {
  readonly step: StepName;
  /**
   * `done`: its effect is there; `next`: it would run now; `then`: after those before it;
   * `refused`: it would stop there.
   */
  readonly state: 'done' | 'next' | 'then' | 'refused';
  /** What it would do, or why it would stop. */
  readonly fact: Fact;
  /** What would stop nothing and yet must be told. */
  readonly warnings: readonly Fact[];
}

/** What a rotation would do now, step by step. Reads the world, changes nothing. */
export async function plan(preview: Preview): Promise<PlannedStep[]> {
  const planned: PlannedStep[] = [];
  let logins: RotationLogins | undefined;
  let next = true;
  for (const step of stepsOf(preview)) {
    try {
      // Later steps depend on what the first one that is not done does, so they cannot be asked
      // yet.
      if (next && hasBegun(preview) && (await step.isDone(preview))) {
        const warnings = await warningsOf(step, preview, loginsOf(preview));
        planned.push({ step: step.name, state: 'done', fact: fact('plan-done', {}), warnings });
        continue;
      }
      // Later steps are described with the logins that `check` would freeze.
      logins ??= await loginsFrom(step, preview);
      planned.push({
        step: step.name,
        state: next ? 'next' : 'then',
        fact: await step.describe(preview, logins),
        warnings: next ? await warningsOf(step, preview, logins) : [],
      });
    } catch (error) {
      planned.push({ step: step.name, state: 'refused', fact: factOf(error), warnings: [] });
      break;
    }
    next = false;
  }
  return planned;
}

/** The logins of a rotation from a step on. */
async function loginsFrom(step: Step, preview: Preview): Promise<RotationLogins> {
  if (step.inspect) return step.inspect(preview);
  if (hasBegun(preview)) return loginsOf(preview);
  throw new Error(`A rotation does not begin with ${step.name}`);
}

async function warningsOf(step: Step, preview: Preview, logins: RotationLogins): Promise<readonly Fact[]> {
  return ((await step.warnings?.(preview, logins)) ?? []).map((notice) => notice.fact);
}
