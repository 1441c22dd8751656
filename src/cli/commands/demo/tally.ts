/** What the clients of the demo experienced. */
export interface Tally {
  queries: number;
  failedQueries: number;
  refusedLogins: number;
  /** The first few faults, for the summary. */
  readonly faults: string[];
}

export function newTally(): Tally {
  return { queries: 0, failedQueries: 0, refusedLogins: 0, faults: [] };
}

/**
 * Counts a fault as a refused login, by its SQLSTATE (invalid_password, invalid_authorization), or
 * as a failed query.
 */
export function countFault(tally: Tally, error: unknown): void {
  const { code, message } = error as { code?: string; message?: string };
  if (code === '28P01' || code === '28000') tally.refusedLogins += 1;
  else tally.failedQueries += 1;
  if (tally.faults.length < 5) tally.faults.push(`${code ?? 'no code'}: ${message}`);
}
