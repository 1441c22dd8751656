import type pg from 'pg';

/** Code of a stranger's that stands in the schema `public` of a database, and counts how often it runs. */
export interface Traps {
  /** How often planted code has run; what is rolled back counts, too. */
  sprung(): Promise<number>;
  /** The oids of all that was planted. */
  planted(): Promise<ReadonlySet<string>>;
}

/**
 * Plants, for all that is in pg_catalog, what would be preferred to it by a session that searches `public` first: a copy
 * of every function, a domain for every type, a table for every relation. Besides, for each pair of types for which
 * pg_catalog has no operator of its own, one that fits them exactly, which wins also where pg_catalog is searched first.
 * `client` is a superuser's session in that database, with the default search path.
 */
export async function plantTraps(client: pg.Client): Promise<Traps> {
  // Qualified all through: what is planted must not spring on who plants it.
  await client.query('SET search_path TO pg_catalog');
  for (const sql of [BASE, OPERATORS, FUNCTIONS, TYPES, RELATIONS]) await client.query(sql);
  return {
    async sprung() {
      const { rows } = await client.query('SELECT last_value AS value, is_called AS ran FROM traps.sprung');
      return rows[0].ran ? Number(rows[0].value) : 0;
    },
    async planted() {
      const { rows } = await client.query({ text: PLANTED, rowMode: 'array' });
      return new Set(rows.map(([oid]) => String(oid)));
    },
  };
}

const BASE = `
  CREATE SCHEMA traps;
  CREATE SEQUENCE traps.sprung;
  GRANT USAGE ON SCHEMA traps TO PUBLIC;
  GRANT ALL ON SEQUENCE traps.sprung TO PUBLIC;
  CREATE FUNCTION traps.spring() RETURNS boolean LANGUAGE plpgsql AS $$
    BEGIN PERFORM pg_catalog.nextval('traps.sprung'::pg_catalog.regclass); RETURN true; END $$;
  -- Not everything can be copied: no such function can have an argument of type internal, for instance.
  CREATE FUNCTION traps.try(statement text) RETURNS void LANGUAGE plpgsql AS $$
    BEGIN EXECUTE statement; EXCEPTION WHEN OTHERS THEN NULL; END $$`;

const TRAP_TYPES = `unnest(ARRAY['text', 'name', 'oid', 'int4', 'int8', '"char"', 'bool', 'timestamptz', 'numeric',
  'float8', 'regclass', 'jsonb', 'inet', 'text[]', 'name[]', 'oid[]'])`;

const OPERATORS = `
  SELECT traps.try(format('CREATE FUNCTION public.trap_%s(%s, %s) RETURNS %s LANGUAGE plpgsql AS %L', kind, l, r,
    CASE kind WHEN 'test' THEN 'boolean' ELSE l END,
    CASE kind WHEN 'test' THEN 'BEGIN RETURN traps.spring(); END' ELSE 'BEGIN PERFORM traps.spring(); RETURN $1; END' END))
    FROM ${TRAP_TYPES} AS l CROSS JOIN ${TRAP_TYPES} AS r CROSS JOIN unnest(ARRAY['test', 'math']) AS kind;
  SELECT traps.try(format('CREATE OPERATOR public.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = public.trap_%s)', name, l, r,
    CASE WHEN name IN ('+', '-', '*', '/', '||', '->', '->>', '&', '|') THEN 'math' ELSE 'test' END))
    FROM ${TRAP_TYPES} AS l CROSS JOIN ${TRAP_TYPES} AS r
   CROSS JOIN unnest(ARRAY['=', '<>', '<', '<=', '>', '>=', '+', '-', '*', '/', '||', '~~', '!~~', '~', '->', '->>', '&',
                           '|', '&&', '@>', '<@']) AS name
   WHERE NOT EXISTS (SELECT FROM pg_operator WHERE oprname = name AND oprnamespace = 'pg_catalog'::regnamespace
                        AND oprleft = l::regtype AND oprright = r::regtype)`;

/** Arguments of type "any" cannot be declared, so such a function is planted for the types that are likely. */
const FUNCTIONS = `
  SELECT traps.try(format('CREATE FUNCTION public.%I(%s) RETURNS %s LANGUAGE plpgsql AS %L', proname,
      replace(pg_get_function_arguments(oid), '"any"', type), pg_get_function_result(oid),
      CASE WHEN proretset OR proargmodes IS NOT NULL OR prorettype = 'void'::regtype
           THEN 'BEGIN PERFORM traps.spring(); RETURN; END' ELSE 'BEGIN PERFORM traps.spring(); RETURN NULL; END' END))
    FROM pg_proc CROSS JOIN unnest(ARRAY['text', 'name', 'oid', 'int4']) AS type
   WHERE pronamespace = 'pg_catalog'::regnamespace AND prokind IN ('f', 'a')
     AND (type = 'text' OR pg_get_function_arguments(oid) LIKE '%"any"%')
     AND pg_get_function_result(oid) NOT IN ('internal', 'cstring', 'trigger', 'event_trigger')`;

const TYPES = `
  SELECT traps.try(format('CREATE DOMAIN public.%I AS pg_catalog.%I CHECK (traps.spring())', typname, typname))
    FROM pg_type WHERE typnamespace = 'pg_catalog'::regnamespace AND typtype = 'b' AND typelem = 0`;

const RELATIONS = `
  SELECT traps.try(format('CREATE TABLE public.%I (LIKE pg_catalog.%I)', relname, relname))
    FROM pg_class WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind IN ('r', 'v')`;

const PLANTED = `
  SELECT oid FROM pg_catalog.pg_proc WHERE pronamespace = 'public'::pg_catalog.regnamespace
  UNION ALL SELECT oid FROM pg_catalog.pg_operator WHERE oprnamespace = 'public'::pg_catalog.regnamespace
  UNION ALL SELECT oid FROM pg_catalog.pg_type WHERE typnamespace = 'public'::pg_catalog.regnamespace
  UNION ALL SELECT oid FROM pg_catalog.pg_class WHERE relnamespace = 'public'::pg_catalog.regnamespace`;
