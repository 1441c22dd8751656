import type pg from 'pg';
import { fault } from '../../facts/fault.ts';
import { ownedObjects } from '../../postgres/logins/owned-objects.ts';
import { type DropOutcome, tryDropRole } from '../../postgres/roles/drop-role.ts';

interface Dropping {
  readonly role: string;
  /** Who owns from now on what the role owned. */
  readonly newOwner?: string;
  /** A session outside of the transaction, in the same database. */
  readonly observer: pg.ClientBase;
}

/**
 * Drops a role as {@link tryDropRole} does. Throws a fault when that has dropped an object, because
 * a member of the role can create one as the role at any instant. The transaction must then be
 * rolled back.
 */
export async function dropForGood(client: pg.ClientBase, dropping: Dropping): Promise<DropOutcome> {
  const { role } = dropping;
  const outcome = await tryDropRole(client, role);
  if (!outcome.isDropped) return outcome;
  const objects = await lostObjects(client, dropping);
  if (objects.length > 0) throw fault('objects-made-during-drop', { role, objects });
  return outcome;
}

/**
 * What `DROP OWNED` has dropped of a role in this transaction, which has not committed: what the
 * observer still sees the role own, unless the new owner has it by now. Nothing can be missed once
 * the role is dropped: whoever makes something belong to a role waits for the lock that `DROP ROLE`
 * takes.
 * https://www.postgresql.org/docs/current/sql-drop-owned.html
 */
async function lostObjects(client: pg.ClientBase, { role, newOwner, observer }: Dropping): Promise<string[]> {
  const before = await ownedObjects(observer, [role]);
  const handedOver = newOwner === undefined ? [] : await ownedObjects(client, [newOwner]);
  const kept = new Set(handedOver.flatMap(({ ids }) => ids));
  return before.filter(({ ids }) => ids.some((id) => !kept.has(id))).flatMap(({ examples }) => examples);
}
