import type pg from 'pg';
import { isForbidden } from './database-error.ts';

/** A line of pg_hba.conf that is about one of the logins in this database. */
export interface HbaRule {
  readonly login: string;
  readonly file: string;
  readonly line: number;
  /** `host 10.0.0.0/8`, `local` */
  readonly from: string;
  readonly method: string;
}

/** A line of pg_hba.conf that the server cannot read. */
export interface BrokenHbaLine {
  readonly file: string;
  readonly line: number;
  readonly detail: string;
}

export interface HbaRules {
  /**
   * In the order of the file. Those of which a line before takes every origin are left out, because
   * the first that matches counts.
   */
  readonly rules: readonly HbaRule[];
  readonly broken: readonly BrokenHbaLine[];
}

/**
 * What pg_hba.conf, as the file is now, says of logins that exist. Undefined where the rotator may
 * not read it: by default only a superuser may.
 * https://www.postgresql.org/docs/current/view-pg-hba-file-rules.html
 */
export async function hbaRules(
  client: pg.ClientBase,
  logins: readonly string[],
): Promise<HbaRules | undefined> {
  const answer = await client
    .query<HbaRule & { readonly error: string | null }>(RULES, [logins])
    .catch((error: unknown) => (isForbidden(error) ? undefined : Promise.reject(error)));
  if (!answer) return undefined;
  return {
    broken: answer.rows.flatMap(({ file, line, error }) =>
      error === null ? [] : [{ file, line, detail: error }],
    ),
    rules: answer.rows.filter(({ error }) => error === null),
  };
}

/**
 * A name that begins with a plus means the members of a role, and from PostgreSQL 16 on one that
 * begins with a slash is a regular expression. From 16 on a file may include others, and
 * rule_number counts through all of them.
 */
const RULES = `
  WITH matching AS (
    SELECT login, rule.line_number, rule.type, rule.address, rule.netmask, rule.auth_method,
           CASE WHEN rule.auth_method IS NULL THEN rule.error END AS error,
           coalesce((pg_catalog.to_jsonb(rule) ->> 'rule_number'::pg_catalog.text)::int, rule.line_number) AS place,
           coalesce(pg_catalog.to_jsonb(rule) ->> 'file_name'::pg_catalog.text,
                    (SELECT setting FROM pg_catalog.pg_settings WHERE name = 'hba_file'), 'pg_hba.conf') AS file
      FROM pg_catalog.pg_hba_file_rules AS rule
     CROSS JOIN (SELECT pg_catalog.current_setting('server_version_num')::int >= 160000 AS expressions) AS knows
      LEFT JOIN pg_catalog.unnest($1::pg_catalog.text[]) AS login
        ON EXISTS (SELECT FROM pg_catalog.unnest(rule.database) AS entry
                    WHERE entry IN ('all', pg_catalog.current_database()::pg_catalog.text)
                       OR (entry = 'sameuser' AND login = pg_catalog.current_database())
                       OR (entry IN ('samerole', 'samegroup')
                           AND EXISTS (SELECT FROM pg_catalog.pg_roles AS named WHERE named.rolname = pg_catalog.current_database()
                                          AND pg_catalog.pg_has_role(login, named.oid, 'MEMBER')))
                       OR CASE WHEN expressions AND entry LIKE '/%' THEN pg_catalog.current_database()::pg_catalog.text ~ pg_catalog.substr(entry, 2) END)
       AND EXISTS (SELECT FROM pg_catalog.unnest(rule.user_name) AS entry
                    WHERE entry IN ('all', login)
                       OR CASE WHEN expressions AND entry LIKE '/%' THEN login ~ pg_catalog.substr(entry, 2) END
                       OR EXISTS (SELECT FROM pg_catalog.pg_roles AS named WHERE entry = '+' || named.rolname::pg_catalog.text
                                     AND pg_catalog.pg_has_role(login, named.oid, 'MEMBER')))
     -- A line that was read and has an error can never match, such as hostssl on a server without TLS.
     WHERE (login IS NOT NULL AND rule.error IS NULL) OR rule.auth_method IS NULL
  )
  SELECT login, line_number AS line, error, auth_method AS method, file,
         pg_catalog.concat_ws(' ', type, address, netmask) AS "from"
    FROM matching AS rule
   WHERE NOT EXISTS (
     SELECT FROM matching AS before
      WHERE before.login = rule.login AND before.place < rule.place
        AND (before.type = rule.type OR (before.type = 'host' AND rule.type LIKE 'host%'))
        AND CASE WHEN before.address = 'all' THEN true
                 WHEN before.address IS NOT DISTINCT FROM rule.address
                      AND before.netmask IS NOT DISTINCT FROM rule.netmask THEN true
                 -- A name or a keyword has no mask.
                 WHEN before.netmask IS NULL OR rule.netmask IS NULL
                      OR pg_catalog.family(before.address::pg_catalog.inet) <> pg_catalog.family(rule.address::pg_catalog.inet) THEN false
                 ELSE before.netmask::pg_catalog.inet & rule.netmask::pg_catalog.inet = before.netmask::pg_catalog.inet
                      AND before.netmask::pg_catalog.inet & rule.address::pg_catalog.inet = before.netmask::pg_catalog.inet & before.address::pg_catalog.inet
            END)
   ORDER BY place, login`;
