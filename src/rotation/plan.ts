import type { StepName } from '../ledger/rotation.ts';
import type { RotationContext } from './context/rotation-context.ts';
import type { Step } from './step.ts';
import { stepsOf } from './steps.ts';

export interface PlannedStep {
  readonly step: StepName;
  /** `done`: its effect is there; `next`: it would run now; `then`: after those before it; `refused`: it would stop there. */
  readonly state: 'done' | 'next' | 'then' | 'refused';
  readonly text: string;
  /** What would stop nothing and yet must be told. */
  readonly warnings: readonly string[];
}

/** What a rotation would do now, step by step. Reads the world, changes nothing. */
export async function plan(context: RotationContext): Promise<PlannedStep[]> {
  const planned: PlannedStep[] = [];
  let next = true;
  for (const step of stepsOf(context)) {
    try {
      // Steps after the first that is not done depend on what it does, so asking the world about them would mislead.
      if (next && (await step.isDone(context))) {
        planned.push({
          step: step.name,
          state: 'done',
          text: 'done',
          warnings: await warningsOf(step, context),
        });
        continue;
      }
      // All is told with the logins that `check` would freeze.
      if (step.inspect) context.rotation = { ...context.rotation, ...(await step.inspect(context)) };
      planned.push({
        step: step.name,
        state: next ? 'next' : 'then',
        text: await step.describe(context),
        warnings: next ? await warningsOf(step, context) : [],
      });
    } catch (error) {
      planned.push({
        step: step.name,
        state: 'refused',
        text: error instanceof Error ? error.message : String(error),
        warnings: [],
      });
      break;
    }
    next = false;
  }
  return planned;
}

async function warningsOf(step: Step, context: RotationContext): Promise<readonly string[]> {
  return (await step.warnings?.(context)) ?? [];
}
