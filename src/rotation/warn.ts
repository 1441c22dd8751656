import type { StepName } from '../ledger/rotation.ts';
import type { RotationRun } from './context/rotation-view.ts';
import type { Notice } from './step.ts';

/**
 * Puts a warning into the rotation's history, and, unless it was there already, among what this run
 * has to tell.
 */
export async function warn(context: RotationRun, step: StepName, { fact, subject }: Notice): Promise<void> {
  if (await context.ledger.warn(context.rotation, step, fact, subject)) context.warnings.push({ step, fact });
}
