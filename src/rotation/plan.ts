import { type Fact, fact } from '../facts/fact.ts';
import { factOf } from '../facts/fault.ts';
import type { StepName } from '../ledger/rotation.ts';
import type { RotationContext } from './context/rotation-context.ts';
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
export async function plan(asked: RotationContext): Promise<PlannedStep[]> {
  let context = asked;
  const planned: PlannedStep[] = [];
  let next = true;
  for (const step of stepsOf(context)) {
    try {
      // Later steps depend on what the first one that is not done does, so they cannot be asked
      // yet.
      if (next && (await step.isDone(context))) {
        const warnings = await warningsOf(step, context);
        planned.push({ step: step.name, state: 'done', fact: fact('plan-done', {}), warnings });
        continue;
      }
      // Later steps are described with the logins that `check` would freeze.
      if (step.inspect) {
        context = { ...context, rotation: { ...context.rotation, ...(await step.inspect(context)) } };
      }
      planned.push({
        step: step.name,
        state: next ? 'next' : 'then',
        fact: await step.describe(context),
        warnings: next ? await warningsOf(step, context) : [],
      });
    } catch (error) {
      planned.push({ step: step.name, state: 'refused', fact: factOf(error), warnings: [] });
      break;
    }
    next = false;
  }
  return planned;
}

async function warningsOf(step: Step, context: RotationContext): Promise<readonly Fact[]> {
  return ((await step.warnings?.(context)) ?? []).map((notice) => notice.fact);
}
