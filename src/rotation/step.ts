import type { Fact } from '../facts/fact.ts';
import type { Rotation, StepName } from '../ledger/rotation.ts';
import type { Waiting } from '../ledger/write-rotation.ts';
import type { RotationContext } from './context/rotation-context.ts';

/** A warning. It is told once for each code and subject. */
export interface Notice {
  readonly fact: Fact;
  /** What it is about, in short. Needed where one code may be told of several things. */
  readonly subject?: string;
}

/**
 * A step that cannot go on now: when to look again (milliseconds since the epoch), and what it
 * waits for.
 */
export interface Wait extends Waiting {
  readonly until: number;
  /** What somebody should know meanwhile. */
  readonly warning?: Notice;
}

/**
 * One step of a rotation. All three may be asked any number of times, in any process, after any
 * crash.
 */
export interface Step<Context extends RotationContext = RotationContext> {
  readonly name: StepName;
  /** Asks the world, never a saved cursor, whether the step's effect is there. */
  isDone(context: Context): Promise<boolean>;
  /** Brings the effect about, or returns what it waits for. Throws leaving all as it was. */
  run(context: Context): Promise<Wait | undefined>;
  /** Of `check`: which logins it would freeze now. Throws where it would stop. */
  inspect?(context: Context): Promise<Pick<Rotation, 'incoming' | 'outgoing'>>;
  /** What `run` would do now. */
  describe(context: Context): Promise<Fact>;
  /** What stops nothing and yet must be told, asked of the world once the step is done. */
  warnings?(context: Context): Promise<readonly Notice[]>;
}
