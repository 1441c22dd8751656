import { constantPart } from './constant-part.ts';
import { contentPart } from './content-part.ts';
import { eachMappingPart } from './each-mapping-part.ts';
import { halfwayPart } from './halfway-part.ts';
import { removalPart } from './removal-part.ts';
import { tokenPart } from './token-part.ts';
import { login, type Part, type StoreUnderTest, Trial } from './trial.ts';

/** One thing that every store must do. */
export interface ContractCase {
  /** A sentence. G1 to G7 are the guarantees of the README that it serves. */
  readonly title: string;
  /** Opens a store, runs the case and closes the store. Rejects where the contract is broken. */
  readonly run: () => Promise<void>;
}

/**
 * What every secret store must do, as cases for any test runner. `open` is called for each case,
 * and gives a store with names that no other case uses.
 *
 * @example
 * for (const { title, run } of storeContract(open)) test(title, run);
 */
export function storeContract(open: () => Promise<StoreUnderTest>): readonly ContractCase[] {
  return Object.entries(PARTS).map(([title, run]) => ({
    title,
    run: async () => {
      const under = await open();
      try {
        await run(new Trial(under));
      } finally {
        await under.close();
      }
    },
  }));
}

const pair = (trial: Trial) => trial.pair();
const apart = (trial: Trial) => trial.apart();
const withHost = (trial: Trial) => ({ ...trial.apart(), host: { secret: trial.under.apart('host') } });
const hosted = (number: number) => ({ ...login(number), host: 'db.internal' });
const ofRotator = (number: number) => ({ ...login(number), username: 'keyturn' });

const PARTS: Part = {
  ...contentPart,
  ...eachMappingPart('two secrets', pair),
  ...eachMappingPart('two secrets apart', apart),
  ...eachMappingPart('one JSON secret', (trial) => trial.json()),
  ...eachMappingPart('a mix of both', (trial) => trial.mixed()),
  ...halfwayPart('two secrets', pair),
  ...halfwayPart('two secrets apart', apart),
  ...halfwayPart('a host, always the same, and two secrets', withHost, hosted),
  ...halfwayPart('a username, always the same, and a password', apart, ofRotator),
  ...constantPart('host', withHost, hosted),
  ...constantPart('username', apart, ofRotator),
  ...tokenPart,
  ...removalPart,
};

// All that somebody needs who writes a store: the types, and the faults that it throws.
export { type Fault, fault } from '../../facts/fault.ts';
export type { Fields, PromoteOptions, SecretStore, Stage, Version } from '../secret-store.ts';
export type { StoreUnderTest } from './trial.ts';
