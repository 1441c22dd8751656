import type { Policy } from '../config/policy.ts';
import type { Fact } from '../facts/fact.ts';
import { Fault } from '../facts/fault.ts';
import { futureFact } from '../ledger/future.ts';
import type { Rotation } from '../ledger/rotation.ts';
import type { Timing } from '../ledger/timing.ts';
import { isOverdue, nextDue, owedSlot } from '../rotation/due-rotation.ts';
import type { Finding } from '../rotation/findings/finding.ts';

/** Whether rotations come when they should, and what became of the last. `now` is milliseconds since the epoch. */
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
  return {
    level: 'warn',
    about: 'clock',
    text: messageOf(futureFact(futureAt)),
    remedy:
      'have the state database and the machines of keyturn follow a time server (NTP); the schedule goes on',
  };
}

function slotFinding(policy: Policy, timing: Timing, now: number): Finding {
  const about = 'schedule';
  const { name, schedule, autoRotate } = policy;
  if (!schedule || !autoRotate) return { level: 'ok', about, text: 'rotates only when asked' };
  if (timing.pausedAt) {
    const by = timing.pausedBy === null ? '' : ` by ${timing.pausedBy}`;
    const text = `paused since ${timing.pausedAt.toISOString()}${by}: no slot is served`;
    return { level: 'warn', about, text, remedy: `let it go on: keyturn resume ${name}` };
  }
  if (isOverdue(policy, timing, now)) {
    const slot = new Date(owedSlot(policy, timing, now) ?? now).toISOString();
    return {
      level: 'fail',
      about,
      text: `the slot ${slot} has come and no worker acted on it`,
      remedy: 'see that a worker runs with this configuration: keyturn start',
    };
  }
  const next = nextDue(policy, timing, now);
  const when = next === undefined ? 'never' : new Date(next).toISOString();
  return { level: 'ok', about, text: `the next slot is ${when}` };
}

function messageOf(fact: Fact): string {
  return new Fault(fact).message;
}

function lastFinding({ name }: Policy, last: Rotation | undefined, adopt: boolean): Finding | undefined {
  if (last?.status === 'open' && last.attempts > 0) {
    return {
      level: 'fail',
      about: 'rotation',
      text: `rotation ${last.id} is stuck and tried again: ${last.lastFault && messageOf(last.lastFault)}`,
    };
  }
  if (last?.status === 'failed' && last.rolledBackBy === null) {
    return {
      level: 'warn',
      about: 'rotation',
      text: `the last rotation failed on ${last.finishedAt?.toISOString()}: ${last.lastFault && messageOf(last.lastFault)}`,
      remedy: adopt
        ? `once that is mended, take over what was changed in the secret: keyturn rotate ${name} --adopt`
        : `once that is mended, rotate, or wait for the schedule: keyturn rotate ${name}`,
    };
  }
  return undefined;
}
