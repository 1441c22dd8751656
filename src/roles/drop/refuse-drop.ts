import type pg from 'pg';
import type { Connection } from '../../config/config.ts';
import type { Policy } from '../../config/policy.ts';
import { counted } from '../../counted.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { quoteIdentifier } from '../../postgres/identifier.ts';
import { ownedObjects } from '../../postgres/logins/owned-objects.ts';
import type { OpenDestination } from '../../rotation/context/rotation-context.ts';
import { Refusal } from '../../rotation/refusal.ts';
import { holdersOf } from '../holders-of.ts';
import type { DropTarget } from './drop-target.ts';

/** What a drop asks besides the database. */
export interface DropWitnesses {
  readonly ledger: Ledger;
  /** With the replicas and PgBouncers where the logins may be in use. */
  readonly connection: Connection;
  /** Every other policy of the same server. */
  readonly others: readonly Policy[];
  /** Where the policy publishes; none if it is not configured any more. */
  readonly destinations: readonly OpenDestination[];
}

/** Throws a Refusal while anybody may still need one of the logins, and an error when somebody who knows cannot be asked. */
export async function refuseDrop(
  client: pg.ClientBase,
  { policy, logins, owner }: DropTarget,
  { ledger, connection, others, destinations }: DropWitnesses,
): Promise<void> {
  for (const other of others) {
    const shared = logins.find((login) => other.logins.includes(login));
    if (shared)
      throw new Refusal(`${shared} is a login of the policy ${other.name} now, so it is not dropped`);
  }
  for (const destination of destinations) {
    const version = await destination.store.read(destination.secrets, 'current');
    const published = logins.find((login) => login === version?.fields.username);
    if (published === undefined) continue;
    throw new Refusal(
      `${destination.name} publishes ${published}, which the consumers of ${policy} use; once they do not, take the policy out of the configuration and drop it again`,
    );
  }
  const [open] = await ledger.open(policy);
  if (open) {
    throw new Refusal(
      `${policy} has a rotation open (${open.id}); wait for its end, or end it: keyturn cancel ${policy}`,
    );
  }
  for (const [login, holders] of await holdersOf(client, connection, logins)) {
    if (holders.length === 0) continue;
    throw new Refusal(`${login} is in use: ${holders.join(', ')}; end that first, and run it again`);
  }
  if (owner !== undefined) return;
  const [owned] = await ownedObjects(client, logins);
  if (!owned) return;
  const { role, database, count, examples } = owned;
  throw new Refusal(
    `${role} owns ${counted(count, 'object')}${database === null ? '' : ` in database ${database}`}${examples.length > 0 ? ` (${examples.join(', ')})` : ''}, and the policy has no owner to take them; give it one, or hand them over: REASSIGN OWNED BY ${quoteIdentifier(role)} TO another role`,
  );
}
