/** One thing about the world that matters to a rotation, and what mends it where it is not as it should be. */
export interface Finding {
  /** `fail`: stops a rotation, or consumers now; `warn`: endangers one; `skip`: could not be seen, so nothing is claimed (G6). */
  readonly level: 'ok' | 'warn' | 'fail' | 'skip';
  /** One word for a heading, for instance `privileges`. */
  readonly about: string;
  readonly text: string;
  /** What mends it, in words. */
  readonly remedy?: string;
  /** What mends it, in statements that an administrator runs as they are. */
  readonly sql?: readonly string[];
}
