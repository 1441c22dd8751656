import type { Grantable } from '../../postgres/roles/grantable.ts';
import { privilegesOf } from '../access.ts';
import { granteesOf, type Intent, rolesOf } from '../intent.ts';
import type { CurrentRoles } from './current-roles.ts';

export type Group<Item> = readonly [Item, ...Item[]];

/** One object, and the privileges on it that a role lacks or has beyond its level. */
export interface Difference {
  readonly thing: Grantable;
  readonly grantee: string;
  readonly kind: 'missing' | 'excess';
  readonly privileges: readonly string[];
  /** Who granted them, if that was not the owner; null for what is missing. */
  readonly grantor: string | null;
}

/** Differences of one kind. Each group can be granted or revoked in one statement. */
export function grantDifferences(
  intent: Intent,
  current: CurrentRoles,
  kind: Difference['kind'],
): Group<Difference>[] {
  const all = rolesOf(intent).flatMap((grantee) =>
    current.grantables
      .filter(({ owner }) => !isOwn(owner, grantee, intent))
      .flatMap((thing) => differencesOf(thing, grantee, intent, current)),
  );
  return grouped(
    all.filter((difference) => difference.kind === kind),
    ({ thing, grantee, privileges, grantor }) => [
      ...[thing.kind, thing.schema, thing.owner],
      ...[grantee, privileges, grantor],
    ],
  );
}

/** The privileges of the level where it applies, and none in other schemas. */
export function wantedOn(thing: Grantable, intent: Intent, { server }: CurrentRoles): readonly string[] {
  const level = intent.schemas.includes(thing.schema) ? (intent.access ?? 'none') : 'none';
  return privilegesOf(level, thing.kind, server.version);
}

/** Owners need no grant, and have none to revoke. What is a login's own is to be the owner's. */
function isOwn(owner: string, grantee: string, { logins, owner: ofPolicy }: Intent): boolean {
  return owner === grantee || (ofPolicy !== undefined && logins.includes(owner));
}

/**
 * Where there is an owner, the logins are granted nothing, but may have been granted something
 * before.
 */
function differencesOf(
  thing: Grantable,
  grantee: string,
  intent: Intent,
  current: CurrentRoles,
): Difference[] {
  const wanted = wantedOn(thing, intent, current);
  const due = granteesOf(intent).includes(grantee) ? wanted : [];
  const held = thing.held.filter((entry) => entry.grantee === grantee);
  const whole = held.filter(({ columns }) => !columns).map(({ privilege }) => privilege);
  const missing = due.filter((privilege) => !whole.includes(privilege));
  const excess = held.filter(({ privilege }) => !wanted.includes(privilege));
  const grantors = [...new Set(excess.map(({ grantor }) => grantor))];
  return [
    ...(missing.length > 0
      ? [{ thing, grantee, kind: 'missing' as const, privileges: missing, grantor: null }]
      : []),
    ...grantors.map((grantor) => {
      const given = excess.filter((entry) => entry.grantor === grantor);
      const privileges = [...new Set(given.map(({ privilege }) => privilege))];
      return { thing, grantee, kind: 'excess' as const, privileges, grantor };
    }),
  ];
}

/** Groups items that have the same key, in the order in which each key comes first. */
export function grouped<Item>(items: readonly Item[], keyOf: (item: Item) => unknown): Group<Item>[] {
  const groups = new Map<string, [Item, ...Item[]]>();
  for (const item of items) {
    const key = JSON.stringify(keyOf(item));
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return [...groups.values()];
}
