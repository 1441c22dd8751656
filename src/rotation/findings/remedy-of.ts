import { oneLineNames } from '../../postgres/one-line-names.ts';
import type { Finding } from './finding.ts';

/** What mends a finding, as one text: words first, then the statements to run; undefined where nothing does. */
export function remedyOf({ remedy, sql = [] }: Pick<Finding, 'remedy' | 'sql'>): string | undefined {
  const parts = [remedy, sql.length > 0 ? `run: ${sql.map(oneLineNames).join('; ')}` : undefined];
  return parts.filter((part) => part !== undefined).join('; ') || undefined;
}

/** The same, a line each: each statement by itself, as it has to be run, for some refuse to run together with others. */
export function remedyLines({ remedy, sql = [] }: Pick<Finding, 'remedy' | 'sql'>): string[] {
  return [
    ...(remedy === undefined ? [] : [remedy]),
    ...sql.map((statement) => `run: ${oneLineNames(statement)}`),
  ];
}

/** A finding and what mends it, as one line. */
export function withRemedy(finding: Finding): string {
  return [finding.text, remedyOf(finding)].filter((part) => part !== undefined).join('; ');
}
