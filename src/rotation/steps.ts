import type { LoginsPolicy, Policy } from '../config/policy.ts';
import type { Preview } from './context/rotation-view.ts';
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

/**
 * Steps that run under one lock of the policy, taken where the first of them is not done. Where it
 * is, and in a group of one, each step takes the lock if it needs it.
 */
export type StepGroup<Its extends Policy = Policy> = readonly [Step<Its>, ...Step<Its>[]];

/** A rotation, in order. `set` ends its lock: a login sees a password once that is committed. */
const STEPS: readonly StepGroup<LoginsPolicy>[] = [
  [check],
  [stage, set],
  [verify, publish],
  [drain],
  [revoke],
];

/**
 * What it takes to go back once it is published: the same steps, with the logins in each other's
 * place.
 */
const STEPS_BACK: readonly StepGroup<LoginsPolicy>[] = [[publish], [drain], [revoke]];

/**
 * A rotation of the rotator's own password. There is no second login, and sessions outlive a
 * password.
 */
const ROTATOR_STEPS: readonly StepGroup[] = [[checkRotator], [stage, setRotator], [verify, publish]];

/**
 * The type of a policy decides its steps here, so a step of two logins is only ever given a policy
 * of two logins.
 */
export function stepGroups({ policy, rotation }: Pick<Preview, 'policy' | 'rotation'>): readonly StepGroup[] {
  if (policy.type === 'rotator') return ROTATOR_STEPS;
  return rotation?.rolledBackTo ? STEPS_BACK : STEPS;
}

/** The same without the locks. */
export function stepsOf(preview: Pick<Preview, 'policy' | 'rotation'>): readonly Step[] {
  return stepGroups(preview).flat();
}
