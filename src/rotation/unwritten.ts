import type { StepName } from '../ledger/rotation.ts';
import type { Changes, Line } from '../ledger/write-history.ts';
import type { RotationRun } from './context/rotation-view.ts';
import type { Result, Wait } from './step.ts';

/**
 * What a run has done and the ledger does not have yet. It is written before the next step changes
 * anything, in one statement with that step's beginning. If the process ends before, the next run
 * finds the effect in the world and records it then.
 */
export class Unwritten {
  readonly #run: RotationRun;
  #lines: Line[] = [];
  #changes: Changes = {};

  constructor(run: RotationRun) {
    this.#run = run;
  }

  started(step: StepName): void {
    if (this.#lines.some((line) => line.step === step && line.kind === 'started')) return;
    this.#add({ step, kind: 'started' });
  }

  done(step: StepName): void {
    this.#add({ step, kind: 'done' });
  }

  /** What a step has resolved counts for the steps after it at once. */
  result({ logins, published }: Result): void {
    if (logins) {
      this.#changes = { ...this.#changes, logins };
      const { rotation } = this.#run;
      if (rotation.incoming === null) this.#run.follow({ ...rotation, ...logins });
    }
    if (published) this.#changes = { ...this.#changes, published };
  }

  /** Writes all of it. Throws `rotation-superseded` where somebody else ended the rotation. */
  async write(): Promise<void> {
    if (this.#lines.length > 0 || this.#changes.published || this.#changes.logins) await this.#write({});
  }

  /** Writes all of it, and what the run waits for. */
  async waiting(step: StepName, { fact, marks = [] }: Wait): Promise<void> {
    this.#add({ step, kind: 'waiting', fact });
    await this.#write({ marks });
  }

  /** Writes all of it, and that the rotation has ended. */
  async end(end: NonNullable<Changes['end']>): Promise<void> {
    await this.#write({ end });
  }

  #add(line: Line): void {
    this.#lines.push({ ...line, at: new Date(this.#run.clock.now()) });
  }

  async #write(changes: Changes): Promise<void> {
    const { ledger, rotation } = this.#run;
    const [lines, all] = [this.#lines, { ...this.#changes, ...changes }];
    this.#lines = [];
    this.#changes = {};
    this.#run.follow(await ledger.record(rotation, lines, all));
  }
}
