import type { Finding } from './finding.ts';

/** What mends a finding, as one text: words first, then the statements to run; undefined where nothing does. */
export function remedyOf({ remedy, sql = [] }: Pick<Finding, 'remedy' | 'sql'>): string | undefined {
  const parts = [remedy, sql.length > 0 ? `run: ${sql.join('; ')}` : undefined];
  return parts.filter((part) => part !== undefined).join('; ') || undefined;
}
