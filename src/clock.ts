/** The only source of the current time, so that tests can set it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Whether it follows the clock of the state database. Left out, it does not. */
  readonly followsDatabase?: boolean;
  /**
   * How far this machine's own clock is ahead of it, in milliseconds; undefined if that is unknown.
   */
  skew?(): number | undefined;
}

export const systemClock: Clock = { now: () => Date.now() };
