import { counted } from '../counted.ts';
import type { Change } from '../postgres/roles/change.ts';
import {
  type Alike,
  grantOn,
  grantSchemaOption,
  revokeGlobalDefault,
  revokeOn,
} from '../postgres/roles/grant-statements.ts';
import type { Grantable } from '../postgres/roles/grantable.ts';
import { privilegesOf } from './access.ts';
import { type Group, grouped } from './grouped.ts';
import { granteesOf, type Intent, rolesOf } from './intent.ts';
import type { World } from './world.ts';

/** More names than this are counted instead. */
const NAMED = 3;

/** One thing, and what somebody has too little or too much of on it. */
interface Difference {
  readonly thing: Grantable;
  readonly grantee: string;
  readonly verb: 'grants' | 'revokes';
  readonly privileges: readonly string[];
  readonly grantor: string | null;
}

/** Grants what the level says on what is there and what will be. */
export function missingGrants(intent: Intent, world: World): Change[] {
  return differences(intent, world, 'grants').map(grantOf);
}

/** Revokes what the roles have beyond their level. */
export function excessGrants(intent: Intent, world: World): Change[] {
  return differences(intent, world, 'revokes').map(revokeOf);
}

/** What the roles have beyond their level, where that is left. */
export function beyondLevel(intent: Intent, world: World): string[] {
  return differences(intent, world, 'revokes').map((group) => {
    const [{ grantee, privileges }] = group;
    return `${grantee} has ${privileges.join(', ')} on ${nameOf(thingsOf(group))}, beyond the level ${intent.access} of ${intent.policy}; to revoke that, run: keyturn roles repair ${intent.policy}`;
  });
}

function differences(intent: Intent, world: World, verb: Difference['verb']): Group<Difference>[] {
  const all = rolesOf(intent).flatMap((grantee) =>
    world.grantables
      .filter(({ owner }) => !isOwn(owner, grantee, intent))
      .flatMap((thing) => differencesOf(thing, grantee, intent, world)),
  );
  return grouped(
    all.filter((difference) => difference.verb === verb),
    ({ thing, grantee, privileges, grantor }) => [
      ...[thing.kind, thing.schema, thing.owner],
      ...[grantee, privileges, grantor],
    ],
  );
}

/** What the logins may do besides: with what belongs to them nobody needs a grant. */
export function ownAnyway(intent: Intent, { grantables }: World): string[] {
  if (intent.access === 'owner') return [];
  return granteesOf(intent).flatMap((grantee) => {
    const own = grantables.filter(({ owner, name }) => owner === grantee && name !== null);
    if (own.length === 0) return [];
    return `${grantee} owns ${counted(own.length, 'table or sequence', 'tables and sequences')} there, and may do everything with them whatever its level; to end that, run: ALTER TABLE … OWNER TO another role`;
  });
}

/** What the roles will get beyond their level, wherever it is created: to end that concerns other schemas, too. */
export function everywhereBeyond(intent: Intent, { globalDefaults, server }: World): string[] {
  return globalDefaults.flatMap((given) => {
    const wanted = privilegesOf(intent.access ?? 'none', given.kind, server.version);
    const privileges = given.privileges.filter((privilege) => !wanted.includes(privilege));
    if (privileges.length === 0) return [];
    return `${given.grantee} gets ${privileges.join(', ')} on ${given.kind} of ${given.creator} in every schema, so keyturn leaves that; to end it, run as ${given.creator} or a superuser: ${revokeGlobalDefault({ ...given, privileges })}`;
  });
}

/** What belongs to somebody needs no grant, and there is none to revoke. What is a login's own is to be the owner's. */
function isOwn(owner: string, grantee: string, { logins, owner: ofPolicy }: Intent): boolean {
  return owner === grantee || (ofPolicy !== undefined && logins.includes(owner));
}

/** What everybody may do, and so these logins, too, whatever their level is. Nobody else's rights are taken away unasked. */
export function openToAll(intent: Intent, { grantables, server }: World): string[] {
  const open = grantables.flatMap((thing) => {
    const level = intent.schemas.includes(thing.schema) ? (intent.access ?? 'none') : 'none';
    const wanted = [
      ...privilegesOf(level, thing.kind, server.version),
      ...(thing.kind === 'schema' ? ['USAGE'] : []),
    ];
    const held = thing.held.filter(
      ({ grantee, privilege }) => grantee === null && !wanted.includes(privilege),
    );
    const privileges = [...new Set(held.map(({ privilege }) => privilege))];
    return privileges.length === 0 ? [] : [{ thing, privileges }];
  });
  return grouped(open, ({ thing, privileges }) => [thing.kind, thing.schema, thing.owner, privileges]).map(
    (group) => {
      const things = group.map(({ thing }) => thing) as [Grantable, ...Grantable[]];
      const [{ privileges }] = group;
      return `everybody has ${privileges.join(', ')} on ${nameOf(things)}, and so have ${intent.logins.join(' and ')}; to end that, run as ${things[0].owner} or a superuser: ${revokeOn(things, privileges, null)}`;
    },
  );
}

/** Where there is an owner the logins are granted nothing, but may have had something granted before. */
function differencesOf(thing: Grantable, grantee: string, intent: Intent, world: World): Difference[] {
  const level = intent.schemas.includes(thing.schema) ? (intent.access ?? 'none') : 'none';
  const wanted = privilegesOf(level, thing.kind, world.server.version);
  const due = granteesOf(intent).includes(grantee) ? wanted : [];
  const held = thing.held.filter((entry) => entry.grantee === grantee);
  const whole = held.filter(({ columns }) => !columns).map(({ privilege }) => privilege);
  const missing = due.filter((privilege) => !whole.includes(privilege));
  const excess = held.filter(({ privilege }) => !wanted.includes(privilege));
  const grantors = [...new Set(excess.map(({ grantor }) => grantor))];
  return [
    ...(missing.length > 0
      ? [{ thing, grantee, verb: 'grants' as const, privileges: missing, grantor: null }]
      : []),
    ...grantors.map((grantor) => ({
      thing,
      grantee,
      verb: 'revokes' as const,
      privileges: [
        ...new Set(excess.filter((entry) => entry.grantor === grantor).map(({ privilege }) => privilege)),
      ],
      grantor,
    })),
  ];
}

function thingsOf(group: Group<Difference>): Group<Grantable> {
  return group.map(({ thing }) => thing) as [Grantable, ...Grantable[]];
}

function revokeOf(group: Group<Difference>): Change {
  const [{ grantee, privileges, grantor, thing }] = group;
  const things = thingsOf(group);
  return {
    what: `revokes ${privileges.join(', ')} on ${nameOf(things)} from ${grantee}`,
    sql: revokeOn(things, privileges, grantee, grantor),
    rights: [grantor ?? thing.owner],
  };
}

function grantOf(group: Group<Difference>): Change {
  const [{ grantee, privileges, thing }] = group;
  const things = thingsOf(group);
  const list = privileges.join(', ');
  const grant = {
    what: `grants ${list} on ${nameOf(things)} to ${grantee}`,
    sql: grantOn(things, privileges, grantee),
  };
  if (thing.kind !== 'schema') return { ...grant, rights: [thing.owner] };
  return {
    ...grant,
    rights: privileges.every((privilege) => thing.passable.includes(privilege)) ? [] : [thing.owner],
    instead: {
      what: `pass on ${list} on schema ${thing.schema}`,
      remedy: (to) => grantSchemaOption(thing.schema, privileges, to),
    },
  };
}

function nameOf(things: Alike): string {
  const [{ kind, schema, name, owner }] = things;
  if (kind === 'schema') return `schema ${schema}`;
  if (name === null) return `${kind} of ${owner} in schema ${schema}`;
  if (things.length > NAMED) return `${counted(things.length, kind)} of ${owner} in schema ${schema}`;
  return `${kind} ${things.map((thing) => `${schema}.${thing.name}`).join(', ')}`;
}
