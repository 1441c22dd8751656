import type { Rotation } from '../ledger/rotation.ts';
import type { Step } from './step.ts';
import { check } from './steps/check.ts';
import { drain } from './steps/drain.ts';
import { publish } from './steps/publish.ts';
import { revoke } from './steps/revoke.ts';
import { set } from './steps/set.ts';
import { stage } from './steps/stage.ts';
import { verify } from './steps/verify.ts';

/** A rotation, in order. */
const STEPS: readonly Step[] = [check, stage, set, verify, publish, drain, revoke];

/** What it takes to go back once it is published: the same steps, with the logins in each other's place. */
const STEPS_BACK: readonly Step[] = [publish, drain, revoke];

export function stepsOf({ rolledBackTo }: Rotation): readonly Step[] {
  return rolledBackTo === null ? STEPS : STEPS_BACK;
}
