import type pg from 'pg';
import { counted } from '../../counted.ts';
import { readServer } from '../../postgres/connection/rotator.ts';
import { ownedObjects } from '../../postgres/logins/owned-objects.ts';
import { readStandings } from '../../postgres/roles/role-standing.ts';
import { dropForGood } from './drop-for-good.ts';
import type { DropTarget } from './drop-target.ts';
import type { DropWitnesses } from './refuse-drop.ts';

/** Returns why the owner is kept; undefined where it was dropped. */
export async function dropOwner(
  client: pg.Client,
  { owner, connection, logins, isEmbedded }: DropTarget & { readonly owner: string },
  { ledger, others, witness }: DropWitnesses & { readonly witness: pg.ClientBase },
): Promise<string | undefined> {
  const standing = (await readStandings(client, [owner])).get(owner);
  if (!standing) return `the owner ${owner} does not exist`;
  if (!isEmbedded && !(await ledger.provisions.made(connection)).includes(owner)) {
    return `keeps the owner ${owner}, which keyturn did not make`;
  }
  const user = others.find((policy) => policy.type === 'logins' && policy.owner === owner);
  if (user) return `keeps the owner ${owner}, which is the owner of the policy ${user.name} too`;
  const owned = await ownedObjects(client, [owner]);
  if (owned.length > 0) {
    const places = owned.map(
      ({ count, database }) =>
        counted(count, 'object') + (database === null ? '' : ` in database ${database}`),
    );
    return `keeps the owner ${owner}, which owns ${places.join(' and ')}`;
  }
  const { rotator } = await readServer(client);
  const members = standing.members.filter((member) => member !== rotator);
  if (members.length > 0) {
    const deactivated = members.every((member) => logins.includes(member));
    return `keeps the owner ${owner}, of which ${members.join(' and ')} ${members.length === 1 ? 'is a member' : 'are members'}${deactivated ? ' still' : ''}`;
  }
  const dependents = await dropForGood(client, { witness, role: owner });
  return dependents.length === 0
    ? undefined
    : `keeps the owner ${owner}, which is needed still: ${dependents.join(', ')}`;
}
