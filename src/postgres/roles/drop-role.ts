import type pg from 'pg';
import { withRightsOf } from './borrowed-rights.ts';
import { grantingRoles } from './granting-roles.ts';
import { readStandings } from './role-standing.ts';
import { dropOwned, dropRole } from './role-statements.ts';

/**
 * `dependents`: what still needs the role, in PostgreSQL's words; empty where PostgreSQL does not
 * say.
 */
export type DropOutcome =
  | { readonly isDropped: true }
  | { readonly isDropped: false; readonly dependents: readonly string[] };

/**
 * Revokes what was granted to a role in the connected database and drops the role. Where something
 * still depends on it, the role stays as it was. What the role owns here at that instant is dropped
 * as well, so the caller has to look before and after. Needs a transaction, and the right to act
 * for the role.
 * https://www.postgresql.org/docs/current/role-removal.html
 */
export async function tryDropRole(client: pg.ClientBase, role: string): Promise<DropOutcome> {
  const granting = await readStandings(client, await grantingRoles(client, role));
  const borrowable = [...granting.values()]
    .filter(({ rights }) => rights === 'borrowable')
    .map(({ name }) => name);
  await client.query('SAVEPOINT drop_role');
  try {
    // Only who gave a grant can revoke it: first what the rotator gave itself, then what others
    // gave.
    for (const others of [[], borrowable]) {
      await withRightsOf(client, [role, ...others], async () => {
        await client.query(dropOwned(role));
      });
    }
    await client.query(dropRole(role));
    return { isDropped: true };
  } catch (error) {
    const { code, detail } = error as { code?: string; detail?: string };
    // dependent_objects_still_exist
    if (code !== '2BP01') throw error;
    await client.query('ROLLBACK TO SAVEPOINT drop_role');
    return { isDropped: false, dependents: detail ? detail.split('\n') : [] };
  }
}
