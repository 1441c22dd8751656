import { fact } from '../../facts/fact.ts';
import { sql } from '../../facts/remedy.ts';
import type { MissingPrivilege } from '../../postgres/connection/rotator.ts';
import { type Finding, finding } from './finding.ts';

/** What the rotator lacks, as one finding with each statement that gives it once; none where it lacks nothing. */
export function missingFindings(rotator: string, missing: readonly MissingPrivilege[]): Finding[] {
  if (missing.length === 0) return [];
  const statements = new Set(missing.map(({ remedy }) => remedy));
  const lacks = { rotator, missing: missing.map(({ what }) => what) };
  return [finding('fail', 'privileges', fact('rotator-lacks-privileges', lacks, sql(...statements)))];
}
