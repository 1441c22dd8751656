import type { Policy } from '../config/policy.ts';
import { fact } from '../facts/fact.ts';
import { command } from '../facts/remedy.ts';
import { futureFact } from '../ledger/future.ts';
import { hasFailed, type Rotation } from '../ledger/rotation.ts';
import type { Timing } from '../ledger/timing.ts';
import { isOverdue, nextDue, owedSlot } from '../rotation/due-rotation.ts';
import { type Finding, finding } from '../rotation/findings/finding.ts';

/**
 * Whether rotations come when they should, and what became of the last. `now` is milliseconds since
 * the epoch.
 */
export function scheduleFindings(
  policy: Policy,
  {
    timing,
    last,
    now,
    adopt = false,
  }: {
    timing: Timing;
    last: Rotation | undefined;
    now: number;
    /** Whether the next rotation stops unless it adopts what was changed outside. */
    adopt?: boolean;
  },
): Finding[] {
  const findings = [
    lastFinding(policy, last, adopt),
    slotFinding(policy, timing, now),
    futureFinding(timing),
  ];
  return findings.filter((each) => each !== undefined);
}

function futureFinding({ futureAt }: Timing): Finding | undefined {
  if (!futureAt) return undefined;
  return finding('warn', 'clock', futureFact(futureAt));
}

function slotFinding(policy: Policy, timing: Timing, now: number): Finding {
  const about = 'schedule';
  const { name, schedule, autoRotate } = policy;
  if (!schedule || !autoRotate) return finding('ok', about, fact('rotates-on-request', {}));
  if (timing.pausedAt) {
    const paused = { since: timing.pausedAt.toISOString(), by: timing.pausedBy };
    return finding('warn', about, fact('policy-paused', paused, command('resume', name)));
  }
  if (isOverdue(policy, timing, now)) {
    const slot = new Date(owedSlot(policy, timing, now) ?? now).toISOString();
    return finding('fail', about, fact('slot-overdue', { slot }, command('start')));
  }
  const next = nextDue(policy, timing, now);
  const at = next === undefined ? null : new Date(next).toISOString();
  return finding('ok', about, fact('next-slot', { at }));
}

function lastFinding({ name }: Policy, last: Rotation | undefined, adopt: boolean): Finding | undefined {
  const about = 'rotation';
  const cause = last?.lastFault ?? fact('recorded', { text: '' });
  if (last?.status === 'open' && last.attempts > 0) {
    return finding('fail', about, fact('rotation-stuck', { rotation: last.id, cause }));
  }
  if (last && hasFailed(last)) {
    const at = last.finishedAt?.toISOString() ?? null;
    const rotate = command('rotate', name, ...(adopt ? ['--adopt'] : []));
    return finding('warn', about, fact('rotation-failed', { at, cause, adopt }, rotate));
  }
  return undefined;
}
