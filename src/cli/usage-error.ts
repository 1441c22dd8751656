/**
 * The command line asks for something that cannot be. TODO: remove once all of these are faults
 * with a code of src/facts/wrong-request.ts.
 */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
