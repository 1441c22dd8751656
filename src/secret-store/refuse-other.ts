import type { Fields } from './secret-store.ts';
import { StoreError } from './store-error.ts';

/**
 * Throws a StoreError of kind `conflict` when the token has staged another password than the one that is about to be
 * written next to it: there must never be two of them under one token (G4). Whoever tries again reads the first.
 */
export function refuseOther(store: string, token: string, staged: Fields, wanted: Fields): void {
  for (const field of ['password', 'url'] as const) {
    if (staged[field] === undefined || wanted[field] === undefined || staged[field] === wanted[field])
      continue;
    throw new StoreError(
      'conflict',
      `The store ${store}: the version ${token} has another ${field} staged already, which stays; it is tried again with that one`,
    );
  }
}
