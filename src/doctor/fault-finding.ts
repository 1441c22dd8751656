import { factOf } from '../facts/fault.ts';
import { type Finding, finding } from '../rotation/findings/finding.ts';

/** What was thrown while something was looked at, as a finding. */
export function faultFinding(about: string, error: unknown): Finding {
  return finding('fail', about, factOf(error));
}
