import type pg from 'pg';
import { ownedObjects } from '../logins/owned-objects.ts';

/**
 * What `DROP OWNED` has dropped of a role in the transaction of `client`, which has not committed: what `witness`, a session
 * outside of it, sees the role own still, unless it is the heir's by now. Nothing can be missed once the role is
 * dropped in that transaction: whatever is made to belong to a role waits for the lock that `DROP ROLE` takes.
 * https://www.postgresql.org/docs/current/sql-drop-owned.html
 */
export async function lostObjects(
  client: pg.ClientBase,
  { witness, role, heir }: { readonly witness: pg.ClientBase; readonly role: string; readonly heir?: string },
): Promise<string[]> {
  const before = await ownedObjects(witness, [role]);
  const inherited = heir === undefined ? [] : await ownedObjects(client, [heir]);
  const kept = new Set(inherited.flatMap(({ ids }) => ids));
  return before.filter(({ ids }) => ids.some((id) => !kept.has(id))).flatMap(({ examples }) => examples);
}
