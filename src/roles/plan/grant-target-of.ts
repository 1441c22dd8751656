import type { GrantTarget } from '../../facts/roles/role-change-facts.ts';
import type { Alike } from '../../postgres/roles/grant-statements.ts';

/** With more objects than this, only their number is told. */
const NAMED = 3;

/** Objects of one kind, schema and owner, for a fact. */
export function grantTargetOf(things: Alike): GrantTarget {
  const [{ kind, schema, owner }] = things;
  const names = things.flatMap(({ name }) => name ?? []).slice(0, NAMED);
  return { kind, schema, owner, count: things.length, names };
}
