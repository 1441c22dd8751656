import type { LoginsPolicy } from '../config/policy.ts';
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

/** A rotation, in order. */
const STEPS: readonly Step<LoginsPolicy>[] = [check, stage, set, verify, publish, drain, revoke];

/**
 * What it takes to go back once it is published: the same steps, with the logins in each other's
 * place.
 */
const STEPS_BACK: readonly Step<LoginsPolicy>[] = [publish, drain, revoke];

/**
 * A rotation of the rotator's own password. There is no second login, and sessions outlive a
 * password.
 */
const ROTATOR_STEPS: readonly Step[] = [checkRotator, stage, setRotator, verify, publish];

/**
 * The type of a policy decides its steps here, so a step of two logins is only ever given a policy
 * of two logins.
 */
export function stepsOf({ policy, rotation }: Pick<Preview, 'policy' | 'rotation'>): readonly Step[] {
  if (policy.type === 'rotator') return ROTATOR_STEPS;
  return rotation?.rolledBackTo ? STEPS_BACK : STEPS;
}
