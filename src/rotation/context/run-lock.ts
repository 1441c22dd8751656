import { type PolicyLockTarget, type RoleMemory, withPolicyLock } from '../../postgres/locks/policy-lock.ts';
import { refuseSuperseded } from '../refusals/refuse-superseded.ts';
import type { HeldLock, RotationRun } from './rotation-view.ts';

/** How a run takes its policy's lock; see `RotationRun`. */
export class RunLock {
  readonly #run: () => RotationRun;
  /** Has stores and server asked again: before the lock, others may have changed them. */
  readonly #expire: () => void;
  readonly #memory: RoleMemory = {};
  #held: HeldLock | undefined;

  constructor(run: () => RotationRun, expire: () => void) {
    this.#run = run;
    this.#expire = expire;
  }

  get held(): HeldLock | undefined {
    return this.#held;
  }

  async under<Result>(body: (lock: HeldLock) => Promise<Result>, target?: PolicyLockTarget): Promise<Result> {
    if (this.#held) return body(this.#held);
    return this.#take(target ?? lockOf(this.#run()), async (lock) => {
      await refuseSuperseded(this.#run());
      return body(lock);
    });
  }

  holding<Result>(body: (lock: HeldLock) => Promise<Result>): Promise<Result> {
    return this.#take(lockOf(this.#run()), async (lock) => {
      this.#held = lock;
      try {
        return await body(lock);
      } finally {
        this.#held = undefined;
      }
    });
  }

  async #take<Result>(target: PolicyLockTarget, body: (lock: HeldLock) => Promise<Result>): Promise<Result> {
    return withPolicyLock(await this.#run().rotator(), { memory: this.#memory, ...target }, (lock) => {
      this.#expire();
      return body(lock);
    });
  }
}

/** An emergency does not wait for a worker that was stopped while it held the lock. */
function lockOf({ policy, reason }: RotationRun): PolicyLockTarget {
  return { logins: policy.logins, fence: reason === 'emergency' };
}
