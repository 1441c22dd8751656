import type { Policy } from '../../config/policy.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { Rotation } from '../../ledger/rotation.ts';
import { openView, type ViewParts } from './open-view.ts';
import type { RotationRun } from './rotation-view.ts';
import { RunLock } from './run-lock.ts';
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
  const secrets = new Secrets(parts.destinations);
  const surveys = new Surveys();
  const lock = new RunLock(
    () => run,
    () => {
      secrets.expire();
      surveys.expire();
    },
  );
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
      return lock.held;
    },
    underLock: (body, target) => lock.under(body, target),
    holding: (body) => lock.holding(body),
  };
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
