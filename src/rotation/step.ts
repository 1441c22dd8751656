import type { Policy } from '../config/policy.ts';
import type { Fact } from '../facts/fact.ts';
import type { StepName } from '../ledger/rotation.ts';
import type { Changes, Waiting } from '../ledger/write-history.ts';
import type { RotationLogins } from './context/rotation-logins.ts';
import type { Preview, RotationRun, RotationView } from './context/rotation-view.ts';

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

/** What a step that is done has brought about, and the ledger keeps with its line. */
export interface Result extends Pick<Changes, 'logins' | 'published'> {
  /** What `warnings` would say, where the step has just seen it. */
  readonly notices?: readonly Notice[];
}

/**
 * One step of a rotation. All its functions may be called any number of times, in any process,
 * after any crash. Only `run` changes anything.
 */
export interface Step<Its extends Policy = Policy> {
  readonly name: StepName;
  /** Asks the world, never a saved cursor, whether the step's effect is there. */
  isDone(view: RotationView<Its>): Promise<boolean>;
  /** Brings the effect about, or returns what it waits for. Throws leaving all as it was. */
  run(run: RotationRun<Its>): Promise<Wait | Result | undefined>;
  /** Of `check`: which logins it would freeze now. Throws where it would stop. */
  inspect?(preview: Preview<Its>): Promise<RotationLogins>;
  /** What `run` would do now with these logins. */
  describe(preview: Preview<Its>, logins: RotationLogins): Promise<Fact>;
  /** What stops nothing and yet must be told, asked of the world once the step is done. */
  warnings?(preview: Preview<Its>, logins: RotationLogins): Promise<readonly Notice[]>;
}
