import type { Rotation, StepName } from '../ledger/rotation.ts';
import type { RotationContext } from './context/rotation-context.ts';

/** A step that cannot go on now: when to look again (milliseconds since the epoch), and what it waits for. */
export interface Wait {
  readonly until: number;
  readonly reason: string;
  /** What somebody should know meanwhile. It is told once, so it must not change from one look to the next. */
  readonly warning?: string;
}

/** One step of a rotation. All three may be asked any number of times, in any process, after any crash. */
export interface Step<Context extends RotationContext = RotationContext> {
  readonly name: StepName;
  /** Asks the world, never a saved cursor, whether the step's effect is there. */
  isDone(context: Context): Promise<boolean>;
  /** Brings the effect about, or returns what it waits for. Throws leaving all as it was. */
  run(context: Context): Promise<Wait | undefined>;
  /** Of `check`: which logins it would freeze now. Throws a Refusal where it would stop. */
  inspect?(context: Context): Promise<Pick<Rotation, 'incoming' | 'outgoing'>>;
  /** One sentence: what `run` would do now. */
  describe(context: Context): Promise<string>;
  /** What stops nothing and yet must be told, asked of the world once the step is done. */
  warnings?(context: Context): Promise<readonly string[]>;
}
