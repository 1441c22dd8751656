import { quoteIdentifier, quoteLiteral } from '../identifier.ts';
import { anonymousBlock } from './anonymous-block.ts';
import { grantConnect, grantConnectOption, grantSchemaOption } from './grant-statements.ts';
import { grantPasswords, grantSight } from './managed-grants.ts';
import { grantReservedConnections } from './reserved-connections.ts';

/** What a rotator of one connection has to be able to do. */
export interface RotatorNeeds {
  readonly rotator: string;
  readonly database: string;
  /** SCRAM verifier of its password; left out: it has none, or somebody else sets it. */
  readonly verifier?: string;
  /** The policies' logins and owners, of which it is given those that exist already. */
  readonly roles: readonly string[];
  /** Where `roles create` grants; none if it is not to be used. */
  readonly schemas: readonly string[];
  readonly mayCreate: boolean;
  /** Of a service that keeps the superuser to itself; left out: a superuser runs it. */
  readonly managed?: { readonly restrictsPasswords?: true };
}

/** Statements with one purpose. */
export interface ScriptPart {
  /** What they are for; one line. */
  readonly purpose: string;
  /** Complete with semicolons. */
  readonly sql: string;
}

/**
 * The smallest role that can rotate, and with `mayCreate` make and mend roles, for PostgreSQL 14 and newer. Plain SQL
 * that can be run again, by a superuser or, where that is `managed`, by the administrator, in the connection's database.
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
    { purpose: `The role. A superuser would need nothing, and is left alone.`, sql: makeRotator(rotator) },
    {
      purpose: 'It logs in, and alters logins. The password is a SCRAM verifier, which logs nobody in.',
      sql: `ALTER ROLE ${me} LOGIN CREATEROLE${verifier === undefined ? '' : ` PASSWORD ${quoteLiteral(verifier)}`};`,
    },
    {
      purpose: 'It sees the sessions of the logins, and ends those that outstay the drain.',
      sql: managed ? grantSight(rotator) : `GRANT pg_read_all_stats, pg_signal_backend TO ${me};`,
    },
    {
      purpose:
        'From PostgreSQL 16 on it gets in by a reserved connection where a leaked login has taken all others.',
      sql: grantReservedConnections(rotator),
    },
    ...(managed?.restrictsPasswords
      ? [{ purpose: 'It sets passwords, where that is restricted.', sql: grantPasswords(rotator) }]
      : []),
    ...(roles.length === 0
      ? []
      : [
          {
            purpose:
              'From PostgreSQL 16 on it alters only roles that it was given; those that it makes it has. Neither their rights come with it, nor may it act as them.',
            sql: administer(rotator, roles),
          },
        ]),
    mayCreate
      ? {
          purpose: 'It connects, and passes on what roles create grants there.',
          sql: [
            grantConnectOption(database, me),
            ...schemas.map((schema) => grantSchemaOption(schema, ['USAGE', 'CREATE'], me)),
          ]
            .map((sql) => `${sql};`)
            .join('\n'),
        }
      : { purpose: 'It connects.', sql: `${grantConnect(database, [rotator])};` },
  ];
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
