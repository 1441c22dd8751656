import type { Output } from './output/output.ts';

/** What a command may touch of its process: data goes to stdout, everything else to stderr. */
export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The folder at which relative paths start. */
  readonly cwd: string;
  readonly stdout: Output;
  readonly stderr: Output;
  /**
   * Sets the exit code of the process: 0 done, 1 it failed, 2 usage or configuration, 3 timed out
   * waiting, 130 interrupted.
   */
  exit(code: number): void;
}
