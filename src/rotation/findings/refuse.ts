import { fault } from '../../facts/fault.ts';
import { sql } from '../../facts/remedy.ts';
import type { Finding } from './finding.ts';

/**
 * Throws one fault of all findings that stop a rotation, with the statements that put them right
 * together as its remedy.
 */
export function refuse(findings: readonly Finding[]): void {
  const stops = findings.filter(({ level }) => level === 'fail').map(({ fact }) => fact);
  if (stops.length === 0) return;
  const statements = stops
    .flatMap(({ remedies = [] }) => remedies)
    .flatMap((remedy) => (remedy.kind === 'sql' ? remedy.statements : []));
  throw fault(
    'check-refused',
    { findings: stops },
    { remedies: statements.length > 0 ? [sql(...statements)] : [] },
  );
}
