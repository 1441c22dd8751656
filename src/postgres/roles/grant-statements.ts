import { quoteIdentifier } from '../identifier.ts';
import type { GlobalDefault } from './global-defaults.ts';
import type { Grantable, GrantableKind } from './grantable.ts';

// Statements that grant and revoke privileges, each without its semicolon.

const WORD: Readonly<Record<GrantableKind, string>> = {
  schema: 'SCHEMA',
  table: 'TABLE',
  sequence: 'SEQUENCE',
  'future tables': 'TABLES',
  'future sequences': 'SEQUENCES',
};

/** Objects of one kind, schema and owner, which one statement can name together. */
export type Alike = readonly [Grantable, ...Grantable[]];

export function grantOn(things: Alike, privileges: readonly string[], grantee: string): string {
  return `${prefixOf(things[0])}GRANT ${privileges.join(', ')} ON ${targetOf(things)} TO ${quoteIdentifier(grantee)}`;
}

/**
 * `grantee` null: PUBLIC. A `grantor` other than the owner must be named, because only who granted
 * can revoke.
 */
export function revokeOn(
  things: Alike,
  privileges: readonly string[],
  grantee: string | null,
  grantor: string | null = null,
): string {
  const from = grantee === null ? 'PUBLIC' : quoteIdentifier(grantee);
  const revoke = `${prefixOf(things[0])}REVOKE ${privileges.join(', ')} ON ${targetOf(things)} FROM ${from}`;
  return grantor === null
    ? revoke
    : `SET LOCAL ROLE ${quoteIdentifier(grantor)}; ${revoke}; SET LOCAL ROLE NONE`;
}

export function revokeGlobalDefault({ creator, kind, grantee, privileges }: GlobalDefault): string {
  return `ALTER DEFAULT PRIVILEGES FOR ROLE ${quoteIdentifier(creator)} REVOKE ${privileges.join(', ')} ON ${WORD[kind]} FROM ${quoteIdentifier(grantee)}`;
}

/** `to` is quoted already. */
export function grantSchemaOption(schema: string, privileges: readonly string[], to: string): string {
  return `GRANT ${privileges.join(', ')} ON SCHEMA ${quoteIdentifier(schema)} TO ${to} WITH GRANT OPTION`;
}

export function grantConnect(database: string, logins: readonly string[]): string {
  return `GRANT CONNECT ON DATABASE ${quoteIdentifier(database)} TO ${logins.map(quoteIdentifier).join(', ')}`;
}

/** `to` is quoted already. */
export function grantConnectOption(database: string, to: string): string {
  return `GRANT CONNECT ON DATABASE ${quoteIdentifier(database)} TO ${to} WITH GRANT OPTION`;
}

function prefixOf({ kind, schema, owner }: Grantable): string {
  if (!kind.startsWith('future')) return '';
  return `ALTER DEFAULT PRIVILEGES FOR ROLE ${quoteIdentifier(owner)} IN SCHEMA ${quoteIdentifier(schema)} `;
}

function targetOf(things: Alike): string {
  const { kind, schema, name } = things[0];
  if (kind === 'schema') return `SCHEMA ${quoteIdentifier(schema)}`;
  if (name === null) return WORD[kind];
  const names = things.map((thing) => `${quoteIdentifier(schema)}.${quoteIdentifier(thing.name ?? '')}`);
  return `${WORD[kind]} ${names.join(', ')}`;
}
