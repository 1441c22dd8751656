import type { RotatorScriptPart } from '../../facts/roles/rotator-script-facts.ts';
import { quoteIdentifier, quoteLiteral } from '../identifier.ts';
import { anonymousBlock } from './anonymous-block.ts';
import { grantConnect, grantConnectOption, grantSchemaOption } from './grant-statements.ts';
import { grantPasswords, grantSight } from './managed-grants.ts';
import { grantReservedConnections } from './reserved-connections.ts';

/** What the rotator of one connection has to be able to do. */
export interface RotatorNeeds {
  readonly rotator: string;
  readonly database: string;
  /** SCRAM verifier of its password. Left out: it has none, or somebody else sets it. */
  readonly verifier?: string;
  /** The policies' logins and owners. The rotator may alter those that exist already. */
  readonly roles: readonly string[];
  /** Where `roles create` grants privileges; none if it is not used. */
  readonly schemas: readonly string[];
  readonly mayCreate: boolean;
  /** For a service that keeps the superuser to itself. Left out: a superuser runs the script. */
  readonly managed?: { readonly restrictsPasswords?: true };
}

/** Statements with one purpose. */
export interface ScriptPart {
  readonly part: RotatorScriptPart;
  /** Complete with semicolons. */
  readonly sql: string;
}

/**
 * The smallest role that can rotate, and with `mayCreate` create and repair roles, for PostgreSQL
 * 14 and newer. Plain SQL that can be run again, in the connection's database, by a superuser or
 * the administrator of a `managed` service.
 * https://www.postgresql.org/docs/current/role-attributes.html
 */
export function rotatorScript({
  rotator,
  database,
  verifier,
  roles,
  schemas,
  mayCreate,
  managed,
}: RotatorNeeds): readonly ScriptPart[] {
  const me = quoteIdentifier(rotator);
  return [
    { part: 'role', sql: makeRotator(rotator) },
    {
      part: 'login',
      sql: `ALTER ROLE ${me} LOGIN CREATEROLE${verifier === undefined ? '' : ` PASSWORD ${quoteLiteral(verifier)}`};`,
    },
    {
      part: 'sessions',
      sql: managed ? grantSight(rotator) : `GRANT pg_read_all_stats, pg_signal_backend TO ${me};`,
    },
    { part: 'reserved-connections', sql: grantReservedConnections(rotator) },
    ...part('passwords', managed?.restrictsPasswords ? grantPasswords(rotator) : undefined),
    ...part('admin-option', roles.length > 0 ? administer(rotator, roles) : undefined),
    mayCreate
      ? { part: 'pass-on', sql: passOn(me, database, schemas) }
      : { part: 'connect', sql: `${grantConnect(database, [rotator])};` },
  ];
}

function part(name: RotatorScriptPart, sql: string | undefined): ScriptPart[] {
  return sql === undefined ? [] : [{ part: name, sql }];
}

/** `me` is quoted already. */
function passOn(me: string, database: string, schemas: readonly string[]): string {
  return [
    grantConnectOption(database, me),
    ...schemas.map((schema) => grantSchemaOption(schema, ['USAGE', 'CREATE'], me)),
  ]
    .map((sql) => `${sql};`)
    .join('\n');
}

function makeRotator(rotator: string): string {
  const name = quoteLiteral(rotator);
  return anonymousBlock(`BEGIN
  IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = ${name} AND rolsuper) THEN
    RAISE EXCEPTION '% is a superuser; give the connection a user of its own', ${name};
  ELSIF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = ${name}) THEN
    CREATE ROLE ${quoteIdentifier(rotator)};
  END IF;
END`);
}

function administer(rotator: string, roles: readonly string[]): string {
  const names = roles.map(quoteLiteral).join(', ');
  return anonymousBlock(`DECLARE role pg_catalog.text; BEGIN
  IF pg_catalog.current_setting('server_version_num')::int >= 160000 THEN
    FOR role IN SELECT rolname FROM pg_catalog.pg_roles WHERE rolname IN (${names}) LOOP
      EXECUTE pg_catalog.format('GRANT %I TO %I WITH ADMIN OPTION, INHERIT FALSE, SET FALSE', role, ${quoteLiteral(rotator)});
    END LOOP;
  END IF;
END`);
}
