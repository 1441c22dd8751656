import type { ReasonOption } from '../../requester.ts';
import type { ConfigOption } from '../../with-app.ts';

export interface RotateOptions extends ConfigOption, ReasonOption {
  readonly all?: true;
  readonly wait?: true;
  readonly inline?: boolean;
  readonly emergency?: true;
  readonly adopt?: boolean;
  /** With --adopt: the rotation that goes on. Left out: a new one begins. */
  readonly goesOn?: string;
  readonly yes?: true;
  readonly json?: true;
  readonly timeout?: number;
  /** With --inline while a worker is up: whether this process continues if the worker does not. */
  readonly helps?: boolean;
}

/** When an emergency gives up waiting, with exit code 3, unless `--timeout` says otherwise. */
export const EMERGENCY_TIMEOUT_MS = 5 * 60_000;
