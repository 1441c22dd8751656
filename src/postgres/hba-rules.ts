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

export interface HbaRules {
  /** In the order of the file; of those for the same origin, only the first, which is the one that counts. */
  readonly rules: readonly HbaRule[];
  /** Lines that the server cannot read: `line 7 of /etc/…/pg_hba.conf: …`. */
  readonly errors: readonly string[];
}

/**
 * What pg_hba.conf, as the file is now, says of logins that exist; undefined where the rotator may not read it, which by
 * default only a superuser may. https://www.postgresql.org/docs/current/view-pg-hba-file-rules.html
 */
export async function hbaRules(
  client: pg.ClientBase,
  logins: readonly string[],
): Promise<HbaRules | undefined> {
  const answer = await client
    .query(RULES, [logins])
    .catch((error: unknown) => (isForbidden(error) ? undefined : Promise.reject(error)));
  if (!answer) return undefined;
  const seen = new Set<string>();
  return {
    errors: answer.rows.flatMap(({ file, line, error }) =>
      error === null ? [] : [`line ${line} of ${file}: ${error}`],
    ),
    rules: answer.rows.filter(({ login, from, error }) => {
      if (error !== null || login === null || seen.has(`${login} ${from}`)) return false;
      seen.add(`${login} ${from}`);
      return true;
    }),
  };
}

/** A name that begins with a slash is a regular expression, with a plus the members of a role. */
const RULES = `
  SELECT login, rule.line_number AS line, CASE WHEN rule.auth_method IS NULL THEN rule.error END AS error,
         rule.auth_method AS method,
         -- From PostgreSQL 16 on a file may include others.
         coalesce(to_jsonb(rule) ->> 'file_name',
                  (SELECT setting FROM pg_catalog.pg_settings WHERE name = 'hba_file'), 'pg_hba.conf') AS file,
         concat_ws(' ', rule.type, rule.address, rule.netmask) AS "from"
    FROM pg_catalog.pg_hba_file_rules AS rule
    LEFT JOIN unnest($1::text[]) AS login
      ON EXISTS (SELECT FROM unnest(rule.database) AS entry
                  WHERE entry IN ('all', current_database())
                     OR (entry = 'sameuser' AND login = current_database())
                     OR (entry IN ('samerole', 'samegroup')
                         AND EXISTS (SELECT FROM pg_catalog.pg_roles AS named WHERE named.rolname = current_database()
                                        AND pg_catalog.pg_has_role(login, named.oid, 'MEMBER')))
                     OR (entry LIKE '/%' AND current_database() ~ substr(entry, 2)))
     AND EXISTS (SELECT FROM unnest(rule.user_name) AS entry
                  WHERE entry IN ('all', login)
                     OR (entry LIKE '/%' AND login ~ substr(entry, 2))
                     OR EXISTS (SELECT FROM pg_catalog.pg_roles AS named WHERE entry = '+' || named.rolname
                                   AND pg_catalog.pg_has_role(login, named.oid, 'MEMBER')))
   -- One that was read and has an error can never match: a hostssl on a server without TLS.
   WHERE (login IS NOT NULL AND rule.error IS NULL) OR rule.auth_method IS NULL
   ORDER BY rule.line_number, login`;
