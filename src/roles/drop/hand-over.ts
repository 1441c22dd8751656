import type pg from 'pg';
import { type Fact, fact } from '../../facts/fact.ts';
import { fault } from '../../facts/fault.ts';
import { sql } from '../../facts/remedy.ts';
import { isForbidden } from '../../postgres/connection/database-error.ts';
import { type OwnedObjects, ownedObjects } from '../../postgres/logins/owned-objects.ts';
import { withRightsOf } from '../../postgres/roles/borrowed-rights.ts';
import { reassignOwned } from '../../postgres/roles/role-statements.ts';
import { strangersMessage } from '../../visible.ts';

/**
 * Hands what a login owns to the owner, and returns that as a fact; undefined where there is
 * nothing, or no owner. Throws a fault when that takes more than the rights of both. For a schema
 * it does, and for a function where the owner may not create.
 */
export async function handOver(
  client: pg.ClientBase,
  login: string,
  owner: string | undefined,
): Promise<Fact | undefined> {
  const owned = await ownedHere(client, [login]);
  if (owned.length === 0 || owner === undefined) return undefined;
  const statement = reassignOwned(login, owner);
  try {
    await withRightsOf(client, [login, owner], async () => {
      await client.query(statement);
    });
  } catch (cause) {
    if (!isForbidden(cause)) throw cause;
    const detail = strangersMessage((cause as Error).message);
    const remedies = [sql(statement)];
    throw fault('hand-over-forbidden', { from: login, to: owner, detail }, { cause, remedies });
  }
  const left = await ownedHere(client, [login]);
  if (left.length > 0) {
    throw fault('hand-over-incomplete', {
      role: login,
      examples: left.flatMap(({ examples }) => examples),
    });
  }
  return fact('hand-over-objects', {
    from: login,
    to: owner,
    count: owned.reduce((sum, one) => sum + one.count, 0),
    examples: owned.flatMap(({ examples }) => examples),
  });
}

/** What belongs to the roles in the connected database, and of what all databases share. */
export async function ownedHere(client: pg.ClientBase, roles: readonly string[]): Promise<OwnedObjects[]> {
  return (await ownedObjects(client, roles)).filter(({ ids }) => ids.length > 0);
}
