import type { GrantableKind } from '../postgres/roles/grantable.ts';

/** What a policy's logins may do with what is in its schemas, from nothing to everything. */
export const ACCESS_LEVELS = ['none', 'read', 'read-write', 'owner'] as const;
export type Access = (typeof ACCESS_LEVELS)[number];

const WRITE = ['SELECT', 'INSERT', 'UPDATE', 'DELETE'];
/** MAINTAIN came with PostgreSQL 17. */
const EVERYTHING = [...WRITE, 'TRUNCATE', 'REFERENCES', 'TRIGGER'];
const ADVANCE = ['USAGE', 'SELECT', 'UPDATE'];

/** TRUNCATE is left to owners: it locks out every reader, and leaves nothing for an older snapshot to see. */
const PRIVILEGES: Readonly<
  Record<Access, Readonly<Record<'schema' | 'tables' | 'sequences', readonly string[]>>>
> = {
  none: { schema: [], tables: [], sequences: [] },
  read: { schema: ['USAGE'], tables: ['SELECT'], sequences: ['SELECT'] },
  'read-write': { schema: ['USAGE'], tables: WRITE, sequences: ADVANCE },
  owner: { schema: ['USAGE', 'CREATE'], tables: EVERYTHING, sequences: ADVANCE },
};

/** What a level grants on a thing; `version` is server_version_num. */
export function privilegesOf(access: Access, kind: GrantableKind, version: number): readonly string[] {
  const of = PRIVILEGES[access];
  if (kind === 'schema') return of.schema;
  if (kind === 'sequence' || kind === 'future sequences') return of.sequences;
  return access === 'owner' && version >= 170_000 ? [...of.tables, 'MAINTAIN'] : of.tables;
}
