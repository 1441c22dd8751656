import { otherOf } from '../../config/other-of.ts';
import type { GrantDifferenceInfo } from '../../facts/database/login-difference.ts';
import { quoteIdentifier } from '../identifier.ts';
import { LOGIN } from './mentioned.ts';

/** A foreign server in this database for which only one of two logins has a user mapping. */
export interface SingleUserMapping {
  readonly info: Extract<GrantDifferenceInfo, { kind: 'user-mapping' }>;
  /**
   * Makes the other one, except for its options: they may be a password, and nobody may read them.
   */
  readonly remedy: string;
}

export type UserMappingRow = Readonly<Record<'login' | 'server', string>>;

/** What rows of USER_MAPPINGS say. */
export function singleUserMappings(
  rows: readonly UserMappingRow[],
  pair: readonly [string, string],
): SingleUserMapping[] {
  return rows.map(({ login, server }) => ({
    info: { kind: 'user-mapping', login, server },
    remedy: `CREATE USER MAPPING FOR ${quoteIdentifier(otherOf(pair, login))} SERVER ${quoteIdentifier(server)} OPTIONS (…)`,
  }));
}

/**
 * $1: the two logins.
 * https://www.postgresql.org/docs/current/view-pg-user-mappings.html
 */
export const USER_MAPPINGS = `
  WITH ${LOGIN}, mapping AS MATERIALIZED (
    SELECT login.name AS login, srvid, srvname AS server
      FROM login JOIN pg_catalog.pg_user_mappings AS mapped ON mapped.umuser = login.oid
  )
  SELECT one.login, one.server FROM mapping AS one
   WHERE NOT EXISTS (SELECT FROM mapping AS other
                      WHERE other.srvid = one.srvid AND other.login <> one.login)
   ORDER BY 1, 2`;
