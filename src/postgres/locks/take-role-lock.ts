import type pg from 'pg';
import { prepared } from '../connection/prepared.ts';
import { quoteIdentifier, quoteLiteral } from '../identifier.ts';
import { LIMITS } from './lock-limits.ts';

/** A role that is to be locked. */
export interface LockedRole {
  readonly name: string;
  readonly comment: string | null;
  /** Whether this session may comment on it. That takes the same rights as altering it. */
  readonly mine: boolean;
}

/**
 * Somebody changed the comment or the name of a role at the same time, so the transaction must be
 * rolled back.
 */
export class CommentRace extends Error {
  override readonly name = 'CommentRace';
}

const ROLES = `
  WITH limits AS MATERIALIZED (${LIMITS})
  SELECT role.rolname::pg_catalog.text AS name,
         pg_catalog.shobj_description(role.oid, 'pg_authid'::pg_catalog.name) AS comment,
         me.rolsuper OR (me.rolcreaterole AND NOT role.rolsuper AND (
           pg_catalog.current_setting('server_version_num'::pg_catalog.text)::pg_catalog.int4 < 160000::pg_catalog.int4
           OR pg_catalog.pg_has_role(me.oid, role.oid, 'MEMBER WITH ADMIN OPTION'::pg_catalog.text))) AS mine
    FROM limits
    LEFT JOIN pg_catalog.pg_roles AS role ON role.rolname = ANY ($1::pg_catalog.name[])
    LEFT JOIN pg_catalog.pg_roles AS me ON me.rolname = (CURRENT_USER)::pg_catalog.name`;

/**
 * Those of the roles that exist, in the same order for everybody who locks them. The statement also
 * limits the waits of the transaction.
 */
export async function readRoles(client: pg.ClientBase, names: readonly string[]): Promise<LockedRole[]> {
  const { rows } = await client.query<LockedRole | { readonly name: null }>(prepared(ROLES, [names]));
  const found = rows.filter((row): row is LockedRole => row.name !== null);
  return found.toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

/**
 * Locks those of the roles that this session may alter, until the end of the transaction. The
 * transaction must not have written anything yet. A role that it may not alter need not be locked:
 * all who can rotate the logins may alter both.
 *
 * `COMMENT ON ROLE` takes a lock on the role that excludes itself, and only those who may alter the
 * role get it. A login that tries is refused, and its lock ends with the refusal. Reading,
 * connecting, and what a login may alter of itself do not wait for it.
 * https://www.postgresql.org/docs/current/sql-comment.html
 *
 * The comments stay as they are. If somebody changed a comment after it was read, this throws a
 * CommentRace, and the rollback brings the change back. It notices in two ways: where there was no
 * comment, the transaction has written something; where there was one, another transaction than
 * this replaced the row.
 */
export async function takeRoleLock(client: pg.ClientBase, found: readonly LockedRole[]): Promise<void> {
  const mine = found.filter((role) => role.mine);
  // If there is none, PostgreSQL says what is missing.
  const roles = mine.length > 0 ? mine : found;
  const bare = roles.filter(({ comment }) => comment === null);
  const described = roles.filter(({ comment }) => comment !== null);
  try {
    if (bare.length > 0) await lockBare(client, bare);
    if (described.length > 0) await lockDescribed(client, described);
  } catch (error) {
    // undefined_object: the role was dropped or renamed since it was read.
    if ((error as { code?: unknown }).code !== '42704') throw error;
    throw new CommentRace('A role is gone', { cause: error });
  }
}

async function lockBare(client: pg.ClientBase, roles: readonly LockedRole[]): Promise<void> {
  const statements = roles.map(({ name }) => `COMMENT ON ROLE ${quoteIdentifier(name)} IS NULL`);
  const results = await client.query([...statements, `SELECT ${OWN_ID} AS own`].join('; '));
  if (lastRows<{ own: string | null }>(results)[0]?.own !== null)
    throw new CommentRace('A comment was added');
}

async function lockDescribed(client: pg.ClientBase, roles: readonly LockedRole[]): Promise<void> {
  const names = roles.map(({ name }) => quoteLiteral(name)).join(', ');
  const statements = roles.map(
    ({ name, comment }) => `COMMENT ON ROLE ${quoteIdentifier(name)} IS ${quoteLiteral(comment ?? '')}`,
  );
  const results = await client.query(
    [
      // It sees the rows as they were before the following statements, and which transaction
      // replaced them.
      `DECLARE keyturn_comments NO SCROLL CURSOR FOR
         SELECT shared.xmax::pg_catalog.text AS "replacedBy", ${OWN_ID} AS own
           FROM pg_catalog.pg_shdescription AS shared
           JOIN pg_catalog.pg_roles AS role ON role.oid = shared.objoid
          WHERE shared.classoid = 'pg_catalog.pg_authid'::pg_catalog.regclass::pg_catalog.oid
            AND role.rolname = ANY (ARRAY[${names}]::pg_catalog.name[])`,
      ...statements,
      'FETCH ALL FROM keyturn_comments',
      'CLOSE keyturn_comments',
    ].join('; '),
  );
  const before = lastRows<{ replacedBy: string; own: string | null }>(results, -2);
  if (before.length === roles.length && before.every(({ replacedBy, own }) => replacedBy === own)) return;
  throw new CommentRace('A comment was changed');
}

const OWN_ID = 'pg_catalog.pg_current_xact_id_if_assigned()::pg_catalog.xid::pg_catalog.text';

function lastRows<Row extends pg.QueryResultRow>(results: unknown, index = -1): Row[] {
  // For several statements pg gives an array of results, which its types do not know.
  return (results as pg.QueryResult<Row>[]).at(index)?.rows ?? [];
}
