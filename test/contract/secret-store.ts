import { describe, test } from 'vitest';
import { storeContract } from '../../src/secret-store/contract/store-contract.ts';
import type { StoreUnderTest } from '../../src/secret-store/contract/trial.ts';

/** What an adapter's test gives the contract. */
export type Harness = StoreUnderTest;

/** What every adapter of the contract in src/secret-store/secret-store.ts must do. */
export function describeSecretStore(
  title: string,
  open: () => Promise<Harness>,
  { skip = false } = {},
): void {
  describe.skipIf(skip)(title, () => {
    for (const { title, run } of storeContract(open)) test(title, run);
  });
}
