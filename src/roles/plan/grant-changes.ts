import { fact } from '../../facts/fact.ts';
import type { GrantTarget } from '../../facts/roles/role-change-facts.ts';
import type { Change } from '../../postgres/roles/change.ts';
import { type Alike, grantOn, grantSchemaOption, revokeOn } from '../../postgres/roles/grant-statements.ts';
import type { Intent } from '../intent.ts';
import type { CurrentRoles } from './current-roles.ts';
import { type Difference, type Group, grantDifferences } from './grant-differences.ts';

/** Grants what the level includes, on what exists and on what will be created. */
export function missingGrants(intent: Intent, current: CurrentRoles): Change[] {
  return grantDifferences(intent, current, 'missing').map(grantOf);
}

/** Revokes what the roles have beyond their level. */
export function excessGrants(intent: Intent, current: CurrentRoles): Change[] {
  return grantDifferences(intent, current, 'excess').map(revokeOf);
}

function grantOf(group: Group<Difference>): Change {
  const [{ grantee, privileges, thing }, ...others] = group;
  const things = [thing, ...others.map((other) => other.thing)] as const;
  const grant = {
    does: fact('grant-privileges', { privileges, on: grantTargetOf(things), grantee }),
    sql: grantOn(things, privileges, grantee),
  };
  if (thing.kind !== 'schema') return { ...grant, rights: [thing.owner] };
  return {
    ...grant,
    rights: privileges.every((privilege) => thing.passable.includes(privilege)) ? [] : [thing.owner],
    instead: {
      right: fact('cannot-pass-on-privileges', { privileges, schema: thing.schema }),
      remedy: (to) => grantSchemaOption(thing.schema, privileges, to),
    },
  };
}

function revokeOf(group: Group<Difference>): Change {
  const [{ grantee, privileges, grantor, thing }, ...others] = group;
  const things = [thing, ...others.map((other) => other.thing)] as const;
  return {
    does: fact('revoke-privileges', { privileges, on: grantTargetOf(things), grantee }),
    sql: revokeOn(things, privileges, grantee, grantor),
    rights: [grantor ?? thing.owner],
  };
}

/** With more objects than this, only their number is told. */
const NAMED = 3;

/** Objects of one kind, schema and owner, for a fact. */
export function grantTargetOf(things: Alike): GrantTarget {
  const [{ kind, schema, owner }] = things;
  const names = things.flatMap(({ name }) => name ?? []).slice(0, NAMED);
  return { kind, schema, owner, count: things.length, names };
}
