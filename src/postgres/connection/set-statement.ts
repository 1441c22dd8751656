import { quoteIdentifier, quoteLiteral } from '../identifier.ts';
import type { RoleSetting } from '../logins/login.ts';

/**
 * Settings that are lists of names. PostgreSQL stores the names quoted, and would take a quoted
 * list for one name. https://www.postgresql.org/docs/current/sql-set.html
 */
const LISTS = [
  'local_preload_libraries',
  'search_path',
  'session_preload_libraries',
  'shared_preload_libraries',
  'temp_tablespaces',
];

/** The statement that gives a role the setting of another. */
export function setStatement(role: string, { database, name, value }: RoleSetting): string {
  const where = database === null ? '' : ` IN DATABASE ${quoteIdentifier(database)}`;
  // A setting of an extension has a dot in its name: both parts are names.
  const setting = name.split('.').map(quoteIdentifier).join('.');
  return `ALTER ROLE ${quoteIdentifier(role)}${where} SET ${setting} TO ${LISTS.includes(name) ? listOf(value) : quoteLiteral(value)}`;
}

function listOf(value: string): string {
  const names = [...value.matchAll(/"((?:[^"]|"")*)"|[^\s,"]+/g)].map(([whole, quoted]) =>
    quoteLiteral(quoted === undefined ? whole : quoted.replaceAll('""', '"')),
  );
  return names.length > 0 ? names.join(', ') : "''";
}
