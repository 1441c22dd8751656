/** `conflict`: another process was quicker; trying again goes on from what it did. */
export type StoreErrorKind = 'missing' | 'denied' | 'unreachable' | 'throttled' | 'conflict' | 'invalid';

/** A fault of a secret store. Its message names the store, the secret and what mends it; never a value. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly kind: StoreErrorKind;

  constructor(kind: StoreErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
