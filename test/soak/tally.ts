/** What consumers met, over all rotations of a soak. */
export class Tally {
  readonly #failures = new Map<string, number>();
  /** Queries that were answered, by who asked. */
  readonly answered = { pgbench: 0, pools: 0 };
  /**
   * Failures with a credential that was read longer ago than the grace, which promises nothing. A
   * machine that is very busy has them.
   */
  late = 0;

  fail(text: string): void {
    this.#failures.set(text, (this.#failures.get(text) ?? 0) + 1);
  }

  get failed(): number {
    return [...this.#failures.values()].reduce((sum, count) => sum + count, 0);
  }

  /** What failed, and how often. */
  get failures(): readonly string[] {
    return [...this.#failures].map(([text, count]) => `${count} × ${text}`);
  }
}
