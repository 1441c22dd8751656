import type { MissingPrivilege } from '../../postgres/connection/rotator.ts';
import type { Finding } from './finding.ts';

/** What the rotator lacks, as one finding with each statement that gives it once; none where it lacks nothing. */
export function missingFindings(rotator: string, missing: readonly MissingPrivilege[]): Finding[] {
  if (missing.length === 0) return [];
  return [
    {
      level: 'fail',
      about: 'privileges',
      text: `The rotator ${rotator} may not ${missing.map(({ what }) => what).join(', nor ')}`,
      sql: [...new Set(missing.map(({ remedy }) => remedy))],
    },
  ];
}
