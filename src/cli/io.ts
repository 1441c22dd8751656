import type { Output } from './output/output.ts';

/** What a command may use of its process. Data goes to stdout, everything else to stderr. */
export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The folder that relative paths start from. */
  readonly cwd: string;
  readonly stdout: Output;
  readonly stderr: Output;
  /**
   * Sets the exit code of the process: 0 done, 1 failed, 2 wrong usage or configuration, 3 timed
   * out while waiting, 130 interrupted.
   */
  exit(code: number): void;
}
