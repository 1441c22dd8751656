import { Fault, factOf } from '../facts/fault.ts';
import type { StepName } from '../ledger/rotation.ts';
import { loginsOf } from './context/rotation-logins.ts';
import type { RotationRun } from './context/rotation-view.ts';
import type { Wait } from './step.ts';
import { stepsOf } from './steps.ts';
import { warn } from './warn.ts';

/** A step that threw; it has the fact of what was thrown. */
export class StepError extends Fault {
  readonly step: StepName;

  constructor(step: StepName, cause: unknown) {
    super(factOf(cause), { cause });
    this.step = step;
  }
}

/**
 * Runs each step of a rotation that is not done, and records it, until one has to wait. Returns
 * what it waits for, or undefined when every step is done. Throws a StepError.
 */
export async function advance(context: RotationRun): Promise<Wait | undefined> {
  const { ledger } = context;
  const isBack = context.rotation.rolledBackTo !== null;
  const recorded = (await ledger.events([context.rotation.id])).filter(
    ({ kind, back }) => kind === 'done' && back === isBack,
  );
  for (const step of stepsOf(context)) {
    try {
      if (!(await step.isDone(context))) {
        await ledger.record(context.rotation, step.name, 'started');
        const wait = await step.run(context);
        if (wait) {
          if (wait.warning !== undefined) await warn(context, step.name, wait.warning);
          await ledger.record(context.rotation, step.name, 'waiting', wait);
          return wait;
        }
      }
      if (recorded.some((event) => event.step === step.name)) continue;
      // Asked here and not in `run`: a crash may have ended the process before `run` told them.
      for (const notice of (await step.warnings?.(context, loginsOf(context))) ?? [])
        await warn(context, step.name, notice);
    } catch (cause) {
      throw new StepError(step.name, cause);
    }
    await ledger.record(context.rotation, step.name, 'done');
  }
  return undefined;
}
