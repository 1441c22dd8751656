import type { LoginsContext, RotationContext } from './context/rotation-context.ts';
import { checkRotator } from './rotator-steps/check-rotator.ts';
import { setRotator } from './rotator-steps/set-rotator.ts';
import type { Step } from './step.ts';
import { check } from './steps/check.ts';
import { drain } from './steps/drain.ts';
import { publish } from './steps/publish.ts';
import { revoke } from './steps/revoke.ts';
import { set } from './steps/set.ts';
import { stage } from './steps/stage.ts';
import { verify } from './steps/verify.ts';

/** A rotation, in order. */
const STEPS: readonly Step<LoginsContext>[] = [check, stage, set, verify, publish, drain, revoke];

/** What it takes to go back once it is published: the same steps, with the logins in each other's place. */
const STEPS_BACK: readonly Step<LoginsContext>[] = [publish, drain, revoke];

/** One of the rotator's own password: it has no second login, and its sessions outlive the password they came in with. */
const ROTATOR_STEPS: readonly Step[] = [checkRotator, stage, setRotator, verify, publish];

/** The type of a policy decides its steps here, so a step of two logins is only ever given a `LoginsContext`. */
export function stepsOf({ policy, rotation }: Pick<RotationContext, 'policy' | 'rotation'>): readonly Step[] {
  if (policy.type === 'rotator') return ROTATOR_STEPS;
  return rotation.rolledBackTo === null ? STEPS : STEPS_BACK;
}
