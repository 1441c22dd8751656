import type pg from 'pg';
import { counted } from '../../counted.ts';
import { isForbidden } from '../../postgres/connection/database-error.ts';
import { type OwnedObjects, ownedObjects } from '../../postgres/logins/owned-objects.ts';
import { withRightsOf } from '../../postgres/roles/borrowed-rights.ts';
import { reassignOwned } from '../../postgres/roles/role-statements.ts';
import { Refusal } from '../../rotation/refusal.ts';

/**
 * Makes what a login owns the owner's, and says so in a line; none where there is nothing, or no owner. Throws a Refusal
 * when that takes more than the rights of both, as it does for a schema, or a function where the owner may not create.
 */
export async function handOver(
  client: pg.ClientBase,
  login: string,
  owner: string | undefined,
): Promise<string[]> {
  const owned = await ownedHere(client, [login]);
  if (owned.length === 0 || owner === undefined) return [];
  const sql = reassignOwned(login, owner);
  try {
    await withRightsOf(client, [login, owner], async () => {
      await client.query(sql);
    });
  } catch (cause) {
    if (!isForbidden(cause)) throw cause;
    throw new Refusal(
      `The rotator may not hand what ${login} owns to ${owner} (${(cause as Error).message}); have an administrator run it in this database: ${sql}`,
      { cause },
    );
  }
  const left = await ownedHere(client, [login]);
  if (left.length > 0) {
    throw new Refusal(
      `${login} still owns ${left.flatMap(({ examples }) => examples).join(', ')}, which PostgreSQL does not hand over; hand it over by hand`,
    );
  }
  const count = owned.reduce((sum, one) => sum + one.count, 0);
  return [
    `hands ${counted(count, 'object')} of ${login} to ${owner}: ${owned.flatMap(({ examples }) => examples).join(', ')}`,
  ];
}

/** What belongs to the roles in the connected database, and of what all databases share. */
export async function ownedHere(client: pg.ClientBase, roles: readonly string[]): Promise<OwnedObjects[]> {
  return (await ownedObjects(client, roles)).filter(({ ids }) => ids.length > 0);
}
