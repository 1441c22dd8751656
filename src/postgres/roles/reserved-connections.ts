import type pg from 'pg';
import { quoteIdentifier } from '../identifier.ts';
import { anonymousBlock } from './anonymous-block.ts';

/**
 * The statement with which an administrator lets a rotator use `reserved_connections`, from
 * PostgreSQL 16 on.
 */
export function allowReservedConnections(rotator: string): string {
  return `GRANT pg_use_reserved_connections TO ${quoteIdentifier(rotator)}`;
}

/**
 * The same for a script. It skips older servers, and goes on where the administrator may not grant
 * it.
 * https://www.postgresql.org/docs/current/predefined-roles.html
 */
export function grantReservedConnections(rotator: string): string {
  return anonymousBlock(`BEGIN
  IF pg_catalog.current_setting('server_version_num')::pg_catalog.int4 >= 160000 THEN
    ${allowReservedConnections(rotator)};
  END IF;
EXCEPTION WHEN insufficient_privilege THEN
  RAISE NOTICE 'only a superuser may grant pg_use_reserved_connections here';
END`);
}

/**
 * The connections that a server reserves for roles that are not superusers, and whether the rotator
 * may use them.
 */
export interface Reserve {
  readonly rotator: string;
  readonly isSuperuser: boolean;
  readonly mayUse: boolean;
  /** Undefined up to PostgreSQL 15. */
  readonly count: number | undefined;
}

export async function readReserve(client: pg.ClientBase): Promise<Reserve> {
  const { rows } = await client.query<Omit<Reserve, 'count'> & { readonly count: string | null }>(
    `SELECT me.rolname AS rotator, me.rolsuper AS "isSuperuser",
            pg_catalog.current_setting('reserved_connections', true) AS count,
            EXISTS (SELECT FROM pg_catalog.pg_roles AS reserve
                     WHERE reserve.rolname = 'pg_use_reserved_connections'::pg_catalog.name
                       AND pg_catalog.pg_has_role(me.oid, reserve.oid, 'USAGE')) AS "mayUse"
       FROM pg_catalog.pg_roles AS me WHERE me.rolname = current_user`,
  );
  // The role that asks has a row.
  const { count, ...reserve } = rows[0] as (typeof rows)[number];
  return { ...reserve, count: count === null ? undefined : Number(count) };
}
