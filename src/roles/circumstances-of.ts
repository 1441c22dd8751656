import type { Policy } from '../config/policy.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { OpenDestination } from '../rotation/context/rotation-context.ts';
import type { Circumstances } from './drift-changes.ts';

/** Asks the primary what is published, and the ledger what is under way. Throws where either cannot be asked. */
export async function circumstancesOf(
  policy: Policy,
  ledger: Ledger,
  primary: OpenDestination,
): Promise<Circumstances> {
  const version = await primary.store.read(primary.secrets, 'current');
  const published = policy.logins.find((login) => login === version?.fields.username);
  return {
    published,
    hasOpenRotation: (await ledger.open(policy.name)).length > 0,
    made: await ledger.provisions.made(policy.connection),
  };
}
