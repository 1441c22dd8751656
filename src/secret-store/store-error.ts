import { type Fact, type FactParams, fact } from '../facts/fact.ts';
import { Fault } from '../facts/fault.ts';
import type { StoreFacts } from '../facts/store-facts.ts';

/** `conflict`: another process was quicker; trying again goes on from what it did. */
export type StoreErrorKind = 'missing' | 'denied' | 'unreachable' | 'throttled' | 'conflict' | 'invalid';

/** The codes of a store's faults. */
export type StoreFaultCode = Exclude<keyof StoreFacts, 'folder-exposed'>;

/**
 * Which kind of fault a code is. Those that pass by themselves are in `src/facts/transient.ts`,
 * too.
 */
export const STORE_ERROR_KINDS: Readonly<Record<StoreFaultCode, StoreErrorKind>> = {
  'secret-missing': 'missing',
  'secret-empty': 'missing',
  'secret-deleted': 'missing',
  'secret-binary': 'invalid',
  'secret-not-json': 'invalid',
  'field-without-value': 'invalid',
  'version-conflict': 'conflict',
  'version-removed': 'conflict',
  'version-not-promotable': 'invalid',
  'version-token-invalid': 'invalid',
  'store-unreachable': 'unreachable',
  'store-throttled': 'throttled',
  'store-denied': 'denied',
  'store-credentials-missing': 'denied',
  'store-plaintext': 'invalid',
  'store-refused': 'invalid',
  'folder-unusable': 'unreachable',
  'folder-invalid': 'invalid',
  'folder-removed': 'invalid',
  'folder-owned-by-other': 'invalid',
  'folder-open-to-all': 'invalid',
  'folder-replaced': 'invalid',
  'link-foreign': 'invalid',
  'path-foreign': 'invalid',
};

/** A fault of a secret store. Its parameters name the store and the secret; never a value. */
export class StoreError extends Fault {
  get kind(): StoreErrorKind {
    // Only `storeError` makes one, with a code of the table.
    return STORE_ERROR_KINDS[this.fact.code as StoreFaultCode];
  }
}

/** A store's fault with this code; `cause` is what was caught, if anything was. */
export function storeError<Code extends StoreFaultCode>(
  code: Code,
  params: FactParams[Code],
  { cause }: { readonly cause?: unknown } = {},
): StoreError {
  // Each member of the union is a Fact; the compiler does not see it for a code that it does not
  // know.
  const thrown = fact(code, params) as Fact;
  return new StoreError(thrown, cause === undefined ? undefined : { cause });
}
