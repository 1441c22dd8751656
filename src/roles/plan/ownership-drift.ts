import { type Fact, fact } from '../../facts/fact.ts';
import { sql } from '../../facts/remedy.ts';
import type { OwnedObjects } from '../../postgres/logins/owned-objects.ts';
import type { Change } from '../../postgres/roles/change.ts';
import { reassignOwned } from '../../postgres/roles/role-statements.ts';
import type { Intent } from '../intent.ts';
import type { CurrentRoles } from './current-roles.ts';
import type { Drift } from './drift-changes.ts';

/**
 * Hands what the logins themselves own in this database to the owner, and leaves what is elsewhere.
 */
export function ownership(
  { owner, logins }: Intent,
  { database, logins: found }: CurrentRoles,
  owned: readonly OwnedObjects[],
): Drift {
  if (owner === undefined) {
    return {
      changes: [],
      left: owned.map(({ role, count }): Fact => fact('objects-without-owner', { role, count })),
    };
  }
  const isHere = (objects: OwnedObjects) => objects.database === null || objects.database === database.name;
  return {
    changes: logins
      .filter((login) => found.has(login))
      .flatMap((login) => {
        const objects = owned.filter((each) => isHere(each) && each.role === login);
        return objects.length === 0 ? [] : [handOver(login, owner, objects)];
      }),
    left: owned.flatMap((objects): Fact[] => {
      const { role, count, database: elsewhere } = objects;
      if (isHere(objects) || elsewhere === null) return [];
      const remedy = sql(reassignOwned(role, owner));
      return [fact('objects-in-other-database', { role, count, database: elsewhere }, remedy)];
    }),
  };
}

function handOver(login: string, owner: string, objects: readonly OwnedObjects[]): Change {
  return {
    does: fact('hand-over-objects', {
      from: login,
      to: owner,
      count: objects.reduce((sum, one) => sum + one.count, 0),
      examples: objects.flatMap(({ examples }) => examples),
    }),
    sql: reassignOwned(login, owner),
    rights: [login, owner],
  };
}
