import type pg from 'pg';
import { quoteIdentifier } from '../identifier.ts';
import { allowCreateRole, grantAdmin } from '../roles/role-statements.ts';
import { processIdOf } from './pg-internals.ts';

export interface Server {
  readonly version: number;
  readonly standby: boolean;
  readonly rotator: string;
  /** Whether a pooler stands between: it gives out process ids of its own making. */
  readonly pooled: boolean;
}

/** `version` is server_version_num, for instance 160004; `standby` tells whether it replays another server's WAL. */
export async function readServer(client: pg.Client): Promise<Server> {
  const { rows } = await client.query(
    `SELECT pg_catalog.current_setting('server_version_num')::int AS version, pg_catalog.pg_is_in_recovery() AS standby,
            current_user AS rotator, pg_catalog.pg_backend_pid() AS pid`,
  );
  const { pid, ...server } = rows[0];
  // https://www.postgresql.org/docs/current/protocol-flow.html: BackendKeyData names the process.
  return { ...server, pooled: processIdOf(client) !== pid };
}

/** A right that the rotator lacks, and the statement with which an administrator gives it. */
export interface MissingPrivilege {
  readonly what: string;
  readonly remedy: string;
}

/**
 * What the rotator lacks to alter these logins, to see their sessions and, if asked, to end them. Altering a login's
 * password takes CREATEROLE, and from PostgreSQL 16 on also ADMIN OPTION on the login; a superuser's takes a superuser, and
 * up to PostgreSQL 15 so does that of a login with REPLICATION.
 * https://www.postgresql.org/docs/current/sql-alterrole.html
 */
export async function missingPrivileges(
  client: pg.ClientBase,
  logins: readonly string[],
  { mayTerminate }: { readonly mayTerminate: boolean },
): Promise<MissingPrivilege[]> {
  const { rows } = await client.query(
    `SELECT pg_catalog.quote_ident(me.rolname) AS rotator, me.rolsuper AS superuser, me.rolcreaterole AS createrole,
            pg_catalog.pg_has_role(me.oid, 'pg_read_all_stats', 'USAGE') AS "seesSessions",
            pg_catalog.pg_has_role(me.oid, 'pg_signal_backend', 'USAGE') AS "endsSessions",
            pg_catalog.current_setting('server_version_num')::int >= 160000 AS "needsAdmin",
            ARRAY(SELECT login.rolname::pg_catalog.text FROM pg_catalog.pg_roles AS login
                   WHERE login.rolname = ANY ($1)
                     AND NOT pg_catalog.pg_has_role(me.oid, login.oid, 'MEMBER WITH ADMIN OPTION')) AS unadministered,
            ARRAY(SELECT login.rolname::pg_catalog.text FROM pg_catalog.pg_roles AS login
                   WHERE login.rolname = ANY ($1) AND login.rolsuper) AS superlogins,
            ARRAY(SELECT login.rolname::pg_catalog.text FROM pg_catalog.pg_roles AS login
                   WHERE login.rolname = ANY ($1) AND login.rolreplication AND NOT login.rolsuper) AS replicating
       FROM pg_catalog.pg_roles AS me WHERE me.rolname = current_user`,
    [logins],
  );
  const facts = rows[0];
  if (facts.superuser) return [];
  const missing: MissingPrivilege[] = [];
  for (const login of facts.superlogins) {
    missing.push({
      what: `alter ${login}, which is a superuser`,
      remedy: `ALTER ROLE ${quoteIdentifier(login)} NOSUPERUSER`,
    });
  }
  for (const login of facts.needsAdmin ? [] : facts.replicating) {
    missing.push({
      what: `alter ${login}, whose REPLICATION takes a superuser as the rotator up to PostgreSQL 15`,
      remedy: `ALTER ROLE ${quoteIdentifier(login)} NOREPLICATION`,
    });
  }
  if (!facts.createrole) {
    missing.push({ what: 'alter logins', remedy: allowCreateRole(facts.rotator) });
  }
  if (facts.needsAdmin) {
    for (const login of facts.unadministered) {
      missing.push({ what: `alter ${login}`, remedy: grantAdmin(login, facts.rotator) });
    }
  }
  if (!facts.seesSessions) {
    missing.push({ what: 'see sessions', remedy: `GRANT pg_read_all_stats TO ${facts.rotator}` });
  }
  if (mayTerminate && !facts.endsSessions) {
    missing.push({ what: 'end sessions', remedy: `GRANT pg_signal_backend TO ${facts.rotator}` });
  }
  return missing;
}
