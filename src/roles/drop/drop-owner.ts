import type pg from 'pg';
import { type Fact, fact } from '../../facts/fact.ts';
import { readServer } from '../../postgres/connection/rotator.ts';
import { ownedObjects } from '../../postgres/logins/owned-objects.ts';
import { readStandings } from '../../postgres/roles/role-standing.ts';
import { dropForGood } from './drop-for-good.ts';
import type { DropTarget } from './drop-target.ts';
import type { DropContext } from './refuse-drop.ts';

/**
 * Drops the owner, if keyturn created it and nobody needs it. Returns what was done, or why the
 * owner stays.
 */
export async function dropOwner(
  client: pg.Client,
  { owner, connection, isEmbedded }: DropTarget & { readonly owner: string },
  { ledger, others, observer }: DropContext & { readonly observer: pg.ClientBase },
): Promise<Fact> {
  const role = { kind: 'owner', role: owner } as const;
  const standing = (await readStandings(client, [owner])).get(owner);
  if (!standing) return fact('role-already-gone', role);
  if (!isEmbedded && !(await ledger.provisions.made(connection)).includes(owner)) {
    return fact('owner-kept-as-found', { owner });
  }
  const user = others.find((policy) => policy.type === 'logins' && policy.owner === owner);
  if (user) return fact('owner-kept-for-policy', { owner, policy: user.name });
  const owned = await ownedObjects(client, [owner]);
  if (owned.length > 0) {
    const objects = owned.map(({ count, database }) => ({ count, database }));
    return fact('owner-kept-for-objects', { owner, objects });
  }
  const { rotator } = await readServer(client);
  const members = standing.members.filter((member) => member !== rotator);
  if (members.length > 0) return fact('owner-kept-for-members', { owner, members });
  const outcome = await dropForGood(client, { observer, role: owner });
  if (outcome.isDropped) return fact('drop-role', role);
  return fact('owner-kept-for-dependents', { owner, dependents: outcome.dependents });
}
