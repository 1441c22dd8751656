import type pg from 'pg';
import { withRightsOf } from './borrowed-rights.ts';
import { grantingRoles } from './granting-roles.ts';
import { readStandings } from './role-standing.ts';
import { dropOwned, dropRole } from './role-statements.ts';

/**
 * Takes back what was granted to a role in the connected database and drops it. Returns what still depends on it, line
 * by line, where something does: then it is there as it was. What the role owns here by then is dropped as well: look
 * before and, since it cannot own any more once this has returned nothing, after that with {@link lostObjects}. Needs a
 * transaction, and the right to act for the role.
 * https://www.postgresql.org/docs/current/role-removal.html
 */
export async function tryDropRole(client: pg.ClientBase, role: string): Promise<string[]> {
  const granting = await readStandings(client, await grantingRoles(client, role));
  const lendable = [...granting.values()]
    .filter(({ rights }) => rights === 'borrowable')
    .map(({ name }) => name);
  await client.query('SAVEPOINT drop_role');
  try {
    // Each grant can be taken back as who gave it only: first what the rotator gave itself, then what others did.
    for (const others of [[], lendable]) {
      await withRightsOf(client, [role, ...others], async () => {
        await client.query(dropOwned(role));
      });
    }
    await client.query(dropRole(role));
    return [];
  } catch (error) {
    const { code, detail } = error as { code?: string; detail?: string };
    // dependent_objects_still_exist
    if (code !== '2BP01') throw error;
    await client.query('ROLLBACK TO SAVEPOINT drop_role');
    return (detail ?? 'something that PostgreSQL does not name').split('\n');
  }
}
