import { fact } from '../facts/fact.ts';
import { REFUSED_SKEW_MS, skewFact, TOLD_SKEW_MS } from '../ledger/state-clock.ts';
import { type Finding, finding } from '../rotation/findings/finding.ts';

const TOLERATED_MS = 5_000;

/**
 * Whether the clock that keyturn counts by and PostgreSQL's agree. `before` and `after` are
 * keyturn's clock around the question; all are milliseconds since the epoch. The time that the
 * answer took is no difference.
 */
export function clockFinding(server: number, { before, after }: { before: number; after: number }): Finding {
  const ahead = server < before ? before - server : Math.min(0, after - server);
  if (Math.abs(ahead) <= TOLERATED_MS) {
    const withinSeconds = Math.ceil((Math.abs(ahead) + after - before) / 1000);
    return finding('ok', 'clock', fact('server-clock-agrees', { withinSeconds }));
  }
  return finding('warn', 'clock', fact('server-clock-differs', { aheadSeconds: ahead / 1000 }));
}

/**
 * Whether this machine and the state database agree on the time; `skew` is how far this machine is
 * ahead.
 */
export function stateClockFinding(skew: number | undefined): Finding | undefined {
  if (skew === undefined || Math.abs(skew) < TOLD_SKEW_MS) return undefined;
  return finding(Math.abs(skew) < REFUSED_SKEW_MS ? 'warn' : 'fail', 'clock', skewFact(skew));
}
