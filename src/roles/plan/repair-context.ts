import type { Policy } from '../../config/policy.ts';
import { usernameIn } from '../../formats/told-by.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { OpenDestination } from '../../rotation/context/policy-view.ts';

/** What a repair has to know that the database does not tell. */
export interface RepairContext {
  /** The published login; undefined while none is. */
  readonly published: string | undefined;
  readonly hasOpenRotation: boolean;
  /** Roles that keyturn created. */
  readonly made: readonly string[];
}

/** Asks the primary store and the ledger. Throws where either cannot be asked. */
export async function readRepairContext(
  policy: Policy,
  ledger: Ledger,
  primary: OpenDestination,
): Promise<RepairContext> {
  const version = await primary.store.read(primary.secrets, 'current');
  const username = usernameIn(version?.fields ?? {});
  const published = policy.logins.find((login) => login === username);
  return {
    published,
    hasOpenRotation: (await ledger.open(policy.name)).length > 0,
    made: await ledger.provisions.made(policy.connection),
  };
}
