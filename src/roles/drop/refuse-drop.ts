import type pg from 'pg';
import type { Connection } from '../../config/config.ts';
import type { Policy } from '../../config/policy.ts';
import { fault } from '../../facts/fault.ts';
import { command } from '../../facts/remedy.ts';
import { usernameIn } from '../../formats/told-by.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { ownedObjects } from '../../postgres/logins/owned-objects.ts';
import type { OpenDestination } from '../../rotation/context/policy-view.ts';
import { allUsesOf, isUsed } from '../all-uses-of.ts';
import type { DropTarget } from './drop-target.ts';

/** What a drop asks besides the database. */
export interface DropContext {
  readonly ledger: Ledger;
  /** With the replicas and PgBouncers where the logins may be in use. */
  readonly connection: Connection;
  /** Every other policy of the same server. */
  readonly others: readonly Policy[];
  /** Where the policy publishes; none if it is not configured any more. */
  readonly destinations: readonly OpenDestination[];
}

/**
 * Throws a fault while anybody may still need one of the logins, or when a place where they may be
 * in use cannot be asked.
 */
export async function refuseDrop(
  client: pg.ClientBase,
  target: DropTarget,
  context: DropContext,
): Promise<void> {
  refuseShared(target, context);
  await refusePublished(target, context);
  const { policy, logins, owner } = target;
  const [open] = await context.ledger.open(policy);
  if (open) {
    const remedies = [command('cancel', policy)];
    throw fault('drop-during-rotation', { policy, rotation: open.id }, { remedies });
  }
  const used = (await allUsesOf(client, context.connection, logins)).find(isUsed);
  if (used) throw fault('drop-login-in-use', used);
  if (owner !== undefined) return;
  const [owned] = await ownedObjects(client, logins);
  if (!owned) return;
  const { role, database, count, examples } = owned;
  throw fault('drop-without-owner', { role, database, count, examples });
}

function refuseShared({ logins }: DropTarget, { others }: DropContext): void {
  for (const { name, logins: theirs } of others) {
    const login = logins.find((each) => theirs.includes(each));
    if (login !== undefined) throw fault('drop-login-of-other-policy', { login, policy: name });
  }
}

async function refusePublished({ policy, logins }: DropTarget, { destinations }: DropContext): Promise<void> {
  for (const { name, store, secrets } of destinations) {
    const version = await store.read(secrets, 'current');
    const username = usernameIn(version?.fields ?? {});
    const login = logins.find((each) => each === username);
    if (login !== undefined) throw fault('drop-login-published', { login, destination: name, policy });
  }
}
