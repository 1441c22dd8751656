import { Refusal } from '../refusal.ts';
import type { Finding } from './finding.ts';
import { remedyOf } from './remedy-of.ts';

/** Throws one Refusal of all findings that stop a rotation, with the statements that mend them together at its end. */
export function refuse(findings: readonly Finding[]): void {
  const stops = findings.filter(({ level }) => level === 'fail');
  if (stops.length === 0) return;
  const told = stops.map(({ text, remedy }) => (remedy === undefined ? text : `${text}; ${remedy}`));
  const run = remedyOf({ sql: stops.flatMap(({ sql = [] }) => sql) });
  throw new Refusal([...told, ...(run === undefined ? [] : [run])].join('; '));
}
