import type pg from 'pg';
import { tryDropRole } from '../../postgres/roles/drop-role.ts';
import { lostObjects } from '../../postgres/roles/lost-objects.ts';
import { Refusal } from '../../rotation/refusal.ts';

/**
 * Drops a role as {@link tryDropRole} does. Throws a Refusal, upon which the transaction has to be rolled back, when
 * that has dropped an object: who may `SET ROLE` to it makes some at any instant. `witness` is another session there.
 */
export async function dropForGood(
  client: pg.ClientBase,
  { witness, role, heir }: { readonly witness: pg.ClientBase; readonly role: string; readonly heir?: string },
): Promise<string[]> {
  const dependents = await tryDropRole(client, role);
  if (dependents.length > 0) return dependents;
  const lost = await lostObjects(client, { witness, role, ...(heir === undefined ? {} : { heir }) });
  if (lost.length === 0) return [];
  throw new Refusal(
    `Somebody who may act as ${role} has made something just now that would have been dropped with it (${lost.join(', ')}); run it again`,
  );
}
