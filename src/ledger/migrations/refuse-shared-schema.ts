import type pg from 'pg';
import { fault } from '../../facts/fault.ts';
import { sql } from '../../facts/remedy.ts';
import { quoteIdentifier } from '../../postgres/identifier.ts';

interface Intrusion {
  /** Null: PUBLIC. */
  readonly role: string | null;
  /** What it owns in the schema; null where it may create there. */
  readonly object: string | null;
}

/**
 * Throws a fault where somebody else may create in a schema that keyturn's sessions search, or owns
 * something there: a function that fits better than pg_catalog's would run with keyturn's rights.
 * The schema's owner, superusers and roles that this login is a member of are no strangers. Returns
 * where there is no such schema yet.
 */
export async function refuseSharedSchema(client: pg.ClientBase, schema: string): Promise<void> {
  const { rows } = await client.query<Intrusion>(INTRUSIONS, [schema]);
  const [first] = rows;
  if (!first) return;
  const name = quoteIdentifier(schema);
  const who = first.role === null ? 'PUBLIC' : quoteIdentifier(first.role);
  if (first.object !== null) {
    throw fault('state-schema-intruded', { schema, role: first.role, object: first.object });
  }
  const revoke = sql(`REVOKE CREATE ON SCHEMA ${name} FROM ${who}`);
  throw fault('state-schema-shared', { schema, role: first.role }, { remedies: [revoke] });
}

const INTRUSIONS = `
  WITH space AS (
    SELECT oid, nspowner, nspacl FROM pg_catalog.pg_namespace WHERE nspname = $1
  ), owned AS (
    SELECT 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid AS class, relation.oid, relowner AS owner
      FROM pg_catalog.pg_class AS relation JOIN space ON space.oid = relnamespace
    UNION ALL
    SELECT 'pg_catalog.pg_proc'::pg_catalog.regclass::pg_catalog.oid, routine.oid, proowner
      FROM pg_catalog.pg_proc AS routine JOIN space ON space.oid = pronamespace
    UNION ALL
    SELECT 'pg_catalog.pg_operator'::pg_catalog.regclass::pg_catalog.oid, operator.oid, oprowner
      FROM pg_catalog.pg_operator AS operator JOIN space ON space.oid = oprnamespace
    UNION ALL
    SELECT 'pg_catalog.pg_type'::pg_catalog.regclass::pg_catalog.oid, type.oid, typowner
      FROM pg_catalog.pg_type AS type JOIN space ON space.oid = typnamespace
  ), stranger AS (
    SELECT role.oid, role.rolname AS name FROM pg_catalog.pg_roles AS role
     WHERE NOT role.rolsuper AND NOT pg_catalog.pg_has_role(current_user, role.oid, 'MEMBER')
       AND role.oid <> ALL (SELECT nspowner FROM space)
  )
  SELECT stranger.name AS role, NULL AS object
    FROM space CROSS JOIN pg_catalog.aclexplode(space.nspacl) AS entry
    LEFT JOIN stranger ON stranger.oid = entry.grantee
   WHERE entry.privilege_type = 'CREATE' AND (entry.grantee = '0' OR stranger.oid IS NOT NULL)
  UNION ALL
  SELECT stranger.name, pg_catalog.pg_describe_object(owned.class, owned.oid, 0)
    FROM owned JOIN stranger ON stranger.oid = owned.owner`;
