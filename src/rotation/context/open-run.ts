import type { Policy } from '../../config/policy.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { Rotation } from '../../ledger/rotation.ts';
import { type PolicyLockTarget, withPolicyLock } from '../../postgres/locks/policy-lock.ts';
import { refuseSuperseded } from '../refusals/refuse-superseded.ts';
import { openView, type ViewParts } from './open-view.ts';
import type { HeldLock, RotationRun } from './rotation-view.ts';
import { Secrets } from './secrets.ts';
import { Surveys } from './surveys.ts';

interface RunParts<Its extends Policy> extends ViewParts<Its> {
  readonly rotation: Rotation;
  readonly ledger: Ledger;
}

/** Opens a run of an open rotation. Dispose of it like a view. */
export function openRun<Its extends Policy>({
  rotation: opened,
  ledger,
  ...parts
}: RunParts<Its>): RotationRun<Its> & AsyncDisposable {
  let rotation = opened;
  let held: HeldLock | undefined;
  const secrets = new Secrets(parts.destinations);
  const surveys = new Surveys();
  const run: RotationRun<Its> & AsyncDisposable = {
    ...openView(parts, { urgent: rotation.reason === 'emergency', secrets, surveys }),
    ledger: { ...ledger, lastPublished: remember(ledger.lastPublished) },
    secrets,
    warnings: [],
    get rotation() {
      return rotation;
    },
    get reason() {
      return rotation.reason;
    },
    follow(row) {
      rotation = row;
    },
    get held() {
      return held;
    },
    async underLock(body, target = lockOf(run)) {
      if (held) return body(held);
      return take(target, async (lock) => {
        await refuseSuperseded(run);
        return body(lock);
      });
    },
    holding: (body) =>
      take(lockOf(run), async (lock) => {
        held = lock;
        try {
          return await body(lock);
        } finally {
          held = undefined;
        }
      }),
  };
  async function take<Result>(
    target: PolicyLockTarget,
    body: (lock: HeldLock) => Promise<Result>,
  ): Promise<Result> {
    return withPolicyLock(await run.rotator(), target, (lock) => {
      secrets.expire();
      surveys.expire();
      return body(lock);
    });
  }
  return run;
}

/** What was published last does not change while a rotation of the policy is open. */
function remember(ask: Ledger['lastPublished']): Ledger['lastPublished'] {
  let answer: ReturnType<Ledger['lastPublished']> | undefined;
  return (policy) => {
    answer ??= ask(policy);
    return answer;
  };
}

/**
 * The lock of a rotation's policy. An emergency does not wait for a worker that was stopped while
 * it held it.
 */
export function lockOf({ policy, reason }: Pick<RotationRun, 'policy' | 'reason'>): PolicyLockTarget {
  return { logins: policy.logins, fence: reason === 'emergency' };
}
