/** The only source of the present instant, so that tests can set it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Whether it follows the clock of the state database; left out: it does not. */
  readonly followsDatabase?: boolean;
  /**
   * How far this machine's own clock is ahead of it, in milliseconds; undefined where that is not
   * known.
   */
  skew?(): number | undefined;
}

export const systemClock: Clock = { now: () => Date.now() };
