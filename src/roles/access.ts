import type { GrantableKind } from '../postgres/roles/grantable.ts';

/** What the logins of a policy may do in its schemas, from nothing to everything. */
export const ACCESS_LEVELS = ['none', 'read', 'read-write', 'owner'] as const;
export type Access = (typeof ACCESS_LEVELS)[number];

const WRITE = ['SELECT', 'INSERT', 'UPDATE', 'DELETE'];
/** From PostgreSQL 17 on, also MAINTAIN. */
const EVERYTHING = [...WRITE, 'TRUNCATE', 'REFERENCES', 'TRIGGER'];
const ADVANCE = ['USAGE', 'SELECT', 'UPDATE'];

/** Only owners may TRUNCATE: it blocks all readers, and older snapshots see an empty table. */
const PRIVILEGES: Readonly<
  Record<Access, Readonly<Record<'schema' | 'tables' | 'sequences', readonly string[]>>>
> = {
  none: { schema: [], tables: [], sequences: [] },
  read: { schema: ['USAGE'], tables: ['SELECT'], sequences: ['SELECT'] },
  'read-write': { schema: ['USAGE'], tables: WRITE, sequences: ADVANCE },
  owner: { schema: ['USAGE', 'CREATE'], tables: EVERYTHING, sequences: ADVANCE },
};

/** What a level grants on an object. `version` is server_version_num. */
export function privilegesOf(access: Access, kind: GrantableKind, version: number): readonly string[] {
  const of = PRIVILEGES[access];
  if (kind === 'schema') return of.schema;
  if (kind === 'sequence' || kind === 'future sequences') return of.sequences;
  return access === 'owner' && version >= 170_000 ? [...of.tables, 'MAINTAIN'] : of.tables;
}
