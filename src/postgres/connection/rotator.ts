import type pg from 'pg';
import type { MissingRight } from '../../facts/database/missing-right.ts';
import { quoteIdentifier } from '../identifier.ts';
import { allowCreateRole, grantAdmin } from '../roles/role-statements.ts';
import { STARTED } from './identity.ts';
import { processIdOf } from './pg-internals.ts';

export interface Server {
  readonly version: number;
  readonly standby: boolean;
  readonly rotator: string;
  /** Which server it is: when it was started, to the microsecond. */
  readonly started: string;
  /** Whether a pooler stands between: it gives out process ids of its own making. */
  readonly pooled: boolean;
}

/**
 * `version` is server_version_num, such as 160004. `standby`: it replays the WAL of another server.
 */
export async function readServer(client: pg.Client): Promise<Server> {
  const { rows } = await client.query<ServerRow>(SERVER);
  // A SELECT without FROM has one row.
  return serverOf(client, rows[0] as ServerRow);
}

/** A row of SERVER. */
export type ServerRow = Omit<Server, 'pooled'> & { readonly pid: number };

export const SERVER = `
  SELECT pg_catalog.current_setting('server_version_num')::int AS version,
         pg_catalog.pg_is_in_recovery() AS standby,
         current_user AS rotator, ${STARTED} AS started, pg_catalog.pg_backend_pid() AS pid`;

export function serverOf(client: pg.Client, { pid, ...server }: ServerRow): Server {
  // https://www.postgresql.org/docs/current/protocol-flow.html: BackendKeyData names the process.
  return { ...server, pooled: processIdOf(client) !== pid };
}

/** A right that the rotator lacks, and the statement with which an administrator gives it. */
export interface MissingPrivilege {
  readonly remedy: string;
  readonly right: MissingRight;
}

/** What decides which rights a rotator has over some logins. */
export interface Standing {
  /** Quoted. */
  readonly rotator: string;
  readonly superuser: boolean;
  readonly createrole: boolean;
  readonly seesSessions: boolean;
  readonly endsSessions: boolean;
  /** From PostgreSQL 16 on. */
  readonly needsAdmin: boolean;
  readonly unadministered: readonly string[];
  readonly superlogins: readonly string[];
  readonly replicating: readonly string[];
}

/**
 * $1: the logins. The role that asks has a row: current_user fails where it was dropped meanwhile.
 * The logins are found first: PostgreSQL would else ask for the rights on every role there is,
 * which takes long where the rotator administers many.
 */
export const STANDING = `
  WITH login AS MATERIALIZED (
    SELECT role.oid, role.rolname::pg_catalog.text AS name, role.rolsuper, role.rolreplication
      FROM pg_catalog.pg_roles AS role WHERE role.rolname = ANY ($1))
  SELECT pg_catalog.quote_ident(me.rolname) AS rotator, me.rolsuper AS superuser,
         me.rolcreaterole AS createrole,
         pg_catalog.pg_has_role(me.oid, 'pg_read_all_stats', 'USAGE') AS "seesSessions",
         pg_catalog.pg_has_role(me.oid, 'pg_signal_backend', 'USAGE') AS "endsSessions",
         pg_catalog.current_setting('server_version_num')::int >= 160000 AS "needsAdmin",
         ARRAY(SELECT login.name FROM login
                WHERE NOT pg_catalog.pg_has_role(me.oid, login.oid, 'MEMBER WITH ADMIN OPTION')) AS unadministered,
         ARRAY(SELECT login.name FROM login WHERE login.rolsuper) AS superlogins,
         ARRAY(SELECT login.name FROM login WHERE login.rolreplication AND NOT login.rolsuper) AS replicating
    FROM pg_catalog.pg_roles AS me WHERE me.rolname = current_user`;

/**
 * What the rotator lacks to alter these logins, to see their sessions and, if asked, to end them.
 * Altering a login's password takes CREATEROLE, and from PostgreSQL 16 on also ADMIN OPTION on the
 * login. A superuser's takes a superuser, and up to PostgreSQL 15 so does that of a login with
 * REPLICATION. https://www.postgresql.org/docs/current/sql-alterrole.html
 */
export async function missingPrivileges(
  client: pg.ClientBase,
  logins: readonly string[],
  { mayTerminate }: { readonly mayTerminate: boolean },
): Promise<MissingPrivilege[]> {
  const { rows } = await client.query<Standing>(STANDING, [logins]);
  return privilegesMissing(rows[0] as Standing, { mayTerminate });
}

export function privilegesMissing(
  standing: Standing,
  { mayTerminate }: { readonly mayTerminate: boolean },
): MissingPrivilege[] {
  if (standing.superuser) return [];
  return lackingOf(standing, mayTerminate).map(([right, remedy]) => ({ right, remedy }));
}

function lackingOf(
  { rotator, needsAdmin, ...standing }: Standing,
  mayTerminate: boolean,
): (readonly [MissingRight, string])[] {
  return [
    ...standing.superlogins.map(
      (login) =>
        [{ right: 'alter-superuser', login }, `ALTER ROLE ${quoteIdentifier(login)} NOSUPERUSER`] as const,
    ),
    ...(needsAdmin ? [] : standing.replicating).map(
      (login) =>
        [
          { right: 'alter-replication-login', login },
          `ALTER ROLE ${quoteIdentifier(login)} NOREPLICATION`,
        ] as const,
    ),
    ...(standing.createrole ? [] : [[{ right: 'alter-logins' }, allowCreateRole(rotator)] as const]),
    ...(needsAdmin ? standing.unadministered : []).map(
      (login) => [{ right: 'alter-login', login }, grantAdmin(login, rotator)] as const,
    ),
    ...(standing.seesSessions
      ? []
      : [[{ right: 'see-sessions' }, `GRANT pg_read_all_stats TO ${rotator}`] as const]),
    ...(mayTerminate && !standing.endsSessions
      ? [[{ right: 'end-sessions' }, `GRANT pg_signal_backend TO ${rotator}`] as const]
      : []),
  ];
}
