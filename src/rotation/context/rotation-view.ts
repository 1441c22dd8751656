import type { LoginsPolicy, Policy } from '../../config/policy.ts';
import type { Fact } from '../../facts/fact.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { Reason, Rotation, StepName } from '../../ledger/rotation.ts';
import type { PolicyLock, PolicyLockTarget } from '../../postgres/locks/policy-lock.ts';
import type { PolicyView } from './policy-view.ts';
import type { Secrets } from './secrets.ts';

/** What a rotation of a policy would meet now, whether it has begun or not. */
export interface Preview<Its extends Policy = Policy> extends PolicyView<Its> {
  /** Undefined before a rotation has begun. */
  readonly rotation: Rotation | undefined;
  /** Why it rotates, or would. */
  readonly reason: Reason;
  readonly ledger: Ledger;
}

/** An open rotation, and all that can be seen of it. */
export interface RotationView<Its extends Policy = Policy> extends Preview<Its> {
  readonly rotation: Rotation;
}

export function hasBegun<Its extends Policy>(preview: Preview<Its>): preview is RotationView<Its> {
  return preview.rotation !== undefined;
}

/** What stops nothing and yet must be told. */
export interface Warning {
  readonly step: StepName;
  readonly fact: Fact;
}

/** The policy's lock, while a run holds it. */
export interface HeldLock extends PolicyLock {
  /**
   * When the incoming login last logged in since the lock was taken, by `performance.now()`; left
   * out: not yet.
   */
  provenAt?: number;
}

/** One run through the steps of an open rotation. Everything that they write goes through it. */
export interface RotationRun<Its extends Policy = Policy> extends RotationView<Its> {
  /** Takes over what the ledger has of the rotation after a write. */
  follow(row: Rotation): void;
  readonly secrets: Pick<Secrets, 'stage' | 'promote' | 'discard'>;
  /**
   * Runs `body` under the policy's lock. The stores are read again there, since others may have
   * changed them. Throws a fault `rotation-superseded` where somebody else ended the rotation or
   * turned it round: who does that holds this lock too. Within `holding`, the lock that is held
   * does.
   */
  underLock<Result>(body: (lock: HeldLock) => Promise<Result>, target?: PolicyLockTarget): Promise<Result>;
  /**
   * Runs `body` under the policy's lock, too. It asks the ledger itself, before it changes
   * anything.
   */
  holding<Result>(body: (lock: HeldLock) => Promise<Result>): Promise<Result>;
  /** The lock, within `holding`. */
  readonly held: HeldLock | undefined;
  /** What this run found worth telling that no run before it had. */
  readonly warnings: Warning[];
}

/** The same three for a policy of two logins. */
export type LoginsPreview = Preview<LoginsPolicy>;
export type LoginsView = RotationView<LoginsPolicy>;
export type LoginsRun = RotationRun<LoginsPolicy>;
