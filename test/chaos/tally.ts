/** What a soak has counted. */
export interface Tally {
  faults: number;
  logins: number;
  readonly violations: string[];
}

export function openTally(): Tally & { violation(text: string): void } {
  const violations: string[] = [];
  return {
    faults: 0,
    logins: 0,
    violations,
    violation(text) {
      violations.push(text);
      process.stdout.write(`violation at ${new Date().toISOString()}: ${text}\n`);
    },
  };
}
