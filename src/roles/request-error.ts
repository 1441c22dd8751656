import type { Path } from '../config/config-error.ts';

interface Fault {
  readonly path: Path;
  readonly message: string;
}

/** Roles are asked for that cannot be, whatever the rotator may do. The message says what to ask for instead. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  /** What of it is wrong with the configuration. */
  readonly faults: readonly Fault[];

  constructor(message: string, faults: readonly Fault[] = []) {
    super(message);
    this.faults = faults;
  }
}
