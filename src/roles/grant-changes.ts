import { counted } from '../counted.ts';
import type { Change } from '../postgres/roles/change.ts';
import { type Alike, grantOn, grantSchemaOption, revokeOn } from '../postgres/roles/grant-statements.ts';
import type { Grantable } from '../postgres/roles/grantable.ts';
import { privilegesOf } from './access.ts';
import { type Group, grouped } from './grouped.ts';
import { granteesOf, type Intent } from './intent.ts';
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

/** Grants what the level says on what is there and what will be, and revokes what it does not. */
export function grantChanges(intent: Intent, world: World): Change[] {
  const differences = granteesOf(intent).flatMap((grantee) =>
    world.grantables
      .filter(({ owner }) => !isOwn(owner, grantee, intent))
      .flatMap((thing) => differencesOf(thing, grantee, intent, world)),
  );
  return grouped(differences, ({ thing, grantee, verb, privileges, grantor }) => [
    ...[verb, thing.kind, thing.schema, thing.owner],
    ...[grantee, privileges, grantor],
  ]).map(changeOf);
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

function differencesOf(thing: Grantable, grantee: string, intent: Intent, world: World): Difference[] {
  const level = intent.schemas.includes(thing.schema) ? (intent.access ?? 'none') : 'none';
  const wanted = privilegesOf(level, thing.kind, world.server.version);
  const held = thing.held.filter((entry) => entry.grantee === grantee);
  const whole = held.filter(({ columns }) => !columns).map(({ privilege }) => privilege);
  const missing = wanted.filter((privilege) => !whole.includes(privilege));
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

function changeOf(group: Group<Difference>): Change {
  const [{ grantee, verb, privileges, grantor, thing }] = group;
  const things = group.map((difference) => difference.thing) as [Grantable, ...Grantable[]];
  const list = privileges.join(', ');
  if (verb === 'revokes') {
    return {
      what: `revokes ${list} on ${nameOf(things)} from ${grantee}`,
      sql: revokeOn(things, privileges, grantee, grantor),
      rights: [grantor ?? thing.owner],
    };
  }
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
