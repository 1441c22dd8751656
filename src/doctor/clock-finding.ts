import { Fault } from '../facts/fault.ts';
import { REFUSED_SKEW_MS, skewFact, TOLD_SKEW_MS } from '../ledger/state-clock.ts';
import type { Finding } from '../rotation/findings/finding.ts';

const TOLERATED_MS = 5_000;

/**
 * Whether this machine and PostgreSQL agree on the time. `before` and `after` are this machine's clock around the question;
 * all are milliseconds since the epoch. What the answer took is no difference.
 */
export function clockFinding(server: number, { before, after }: { before: number; after: number }): Finding {
  const skew = server < before ? before - server : Math.max(0, server - after);
  const seconds = (skew / 1000).toFixed(1);
  if (skew <= TOLERATED_MS) {
    return {
      level: 'ok',
      about: 'clock',
      text: `this machine and PostgreSQL agree on the time to within ${Math.ceil((skew + after - before) / 1000)} s`,
    };
  }
  return {
    level: 'warn',
    about: 'clock',
    text: `the clock of this machine is ${seconds} s ${server < before ? 'ahead of' : 'behind'} PostgreSQL's: slots, graces and deadlines are counted by it, and a VALID UNTIL by PostgreSQL's`,
    remedy: 'have both follow the same time server (NTP)',
  };
}

/** Whether this machine and the state database agree on the time; `skew` is how far this machine is ahead. */
export function stateClockFinding(skew: number | undefined): Finding | undefined {
  if (skew === undefined || Math.abs(skew) < TOLD_SKEW_MS) return undefined;
  const level = Math.abs(skew) < REFUSED_SKEW_MS ? 'warn' : 'fail';
  const [text = '', remedy = ''] = new Fault(skewFact(skew)).message.split('; ');
  return { level, about: 'clock', text, remedy };
}
