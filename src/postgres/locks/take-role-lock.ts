import type pg from 'pg';
import { prepared } from '../connection/prepared.ts';
import { quoteIdentifier, quoteLiteral } from '../identifier.ts';

/** A role that is to be locked. */
export interface LockedRole {
  readonly name: string;
  readonly comment: string | null;
  /** A hash of the comment as the server has it. */
  readonly digest: string | null;
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
  SELECT role.rolname::pg_catalog.text AS name, described.comment,
         pg_catalog.hashtextextended(described.comment, 0::pg_catalog.int8)::pg_catalog.text AS digest,
         me.rolsuper OR (me.rolcreaterole AND NOT role.rolsuper AND (
           pg_catalog.current_setting('server_version_num'::pg_catalog.text)::pg_catalog.int4 < 160000::pg_catalog.int4
           OR pg_catalog.pg_has_role(me.oid, role.oid, 'MEMBER WITH ADMIN OPTION'::pg_catalog.text))) AS mine
    FROM pg_catalog.pg_roles AS role
   CROSS JOIN LATERAL pg_catalog.shobj_description(role.oid, 'pg_authid'::pg_catalog.name) AS described(comment)
    LEFT JOIN pg_catalog.pg_roles AS me ON me.rolname = (CURRENT_USER)::pg_catalog.name
   WHERE role.rolname = ANY ($1::pg_catalog.name[])`;

/** Those of the roles that exist, in the same order for everybody who locks them. */
export async function readRoles(client: pg.ClientBase, names: readonly string[]): Promise<LockedRole[]> {
  const { rows } = await client.query<LockedRole>(prepared(ROLES, [names]));
  return rows.toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

/**
 * Begins a transaction, and locks those of the roles that this session may alter until its end. A
 * role that it may not alter need not be locked: all who can rotate the logins may alter both.
 *
 * `COMMENT ON ROLE` takes a lock on the role that excludes itself, and only those who may alter the
 * role get it. A login that tries is refused, and its lock ends with the refusal. Reading,
 * connecting, and what a login may alter of itself do not wait for it.
 * https://www.postgresql.org/docs/current/sql-comment.html
 *
 * The comments stay as they are. If one is not, or no longer, what `found` says, this throws a
 * CommentRace, and the rollback brings it back. It notices in two ways: where there was no comment,
 * the transaction has written something; where there was one, the row has another text, or another
 * transaction than this replaced it.
 */
export async function takeRoleLock(client: pg.ClientBase, found: readonly LockedRole[]): Promise<void> {
  const mine = found.filter((role) => role.mine);
  // If there is none, PostgreSQL says what is missing.
  const roles = mine.length > 0 ? mine : found;
  const bare = roles.filter(({ comment }) => comment === null);
  const described = roles.filter(({ comment }) => comment !== null);
  // In one message: each of its own would take as long as all of them.
  const statements = ['BEGIN', ...lockingBare(bare), ...lockingDescribed(described)];
  try {
    const results = await client.query(statements.join('; '));
    refuseWritten(rowsAfter(results, 1 + bare.length));
    if (described.length > 0) refuseReplaced(rowsAfter(results, -2), described);
  } catch (error) {
    // undefined_object: the role was dropped or renamed since it was read.
    if ((error as { code?: unknown }).code !== '42704') throw error;
    throw new CommentRace('A role is gone', { cause: error });
  }
}

/**
 * An expression that makes the commit of its transaction wait until it survives a crash of the
 * server, where the default does not, which may have changed since the session began. A default
 * that waits for standby servers stays as it is.
 * https://www.postgresql.org/docs/current/runtime-config-wal.html#GUC-SYNCHRONOUS-COMMIT
 */
export const LASTING = `
  CASE WHEN pg_catalog.current_setting('synchronous_commit'::pg_catalog.text)
            OPERATOR(pg_catalog.=) ANY (ARRAY['off', 'local']::pg_catalog.text[])
       THEN pg_catalog.set_config('synchronous_commit'::pg_catalog.text, 'on'::pg_catalog.text, true) END`;

const OWN_ID = 'pg_catalog.pg_current_xact_id_if_assigned()::pg_catalog.xid::pg_catalog.text';

function lockingBare(roles: readonly LockedRole[]): string[] {
  const comments = roles.map(({ name }) => `COMMENT ON ROLE ${quoteIdentifier(name)} IS NULL`);
  return [...comments, `SELECT ${OWN_ID} AS own, ${LASTING} AS lasting`];
}

function refuseWritten([row]: readonly { readonly own: string | null }[]): void {
  if (row?.own !== null) throw new CommentRace('A comment was added');
}

function lockingDescribed(roles: readonly LockedRole[]): string[] {
  if (roles.length === 0) return [];
  const expected = roles.map(
    ({ name, digest }) => `(${quoteLiteral(name)}::pg_catalog.name, ${digest}::pg_catalog.int8)`,
  );
  return [
    // It sees the rows as they were before the following statements, and which transaction replaced
    // them.
    `DECLARE keyturn_comments NO SCROLL CURSOR FOR
       SELECT shared.xmax::pg_catalog.text AS "replacedBy", ${OWN_ID} AS own
         FROM pg_catalog.pg_shdescription AS shared
         JOIN pg_catalog.pg_roles AS role ON role.oid = shared.objoid
        WHERE shared.classoid = 'pg_catalog.pg_authid'::pg_catalog.regclass::pg_catalog.oid
          AND (role.rolname, pg_catalog.hashtextextended(shared.description, 0::pg_catalog.int8)) IN (${expected.join(', ')})`,
    ...roles.map(commentingAgain),
    'FETCH ALL FROM keyturn_comments',
    'CLOSE keyturn_comments',
  ];
}

/**
 * Writes the comment that is there. Roles are the cluster's, and their comments have the encoding
 * of the database in which they were written, so a comment may be no text in this one. Only the
 * server has what it really is.
 */
function commentingAgain({ name, comment }: LockedRole): string {
  const role = quoteIdentifier(name);
  const isText = comment !== null && !comment.includes('\ufffd');
  if (isText) return `COMMENT ON ROLE ${role} IS ${quoteLiteral(comment)}`;
  const found = `pg_catalog.shobj_description(${quoteLiteral(role)}::pg_catalog.regrole, 'pg_authid'::pg_catalog.name)`;
  const statement = `pg_catalog.format('COMMENT ON ROLE %s IS %L', ${quoteLiteral(role)}, ${found})`;
  return `DO ${quoteLiteral(`BEGIN EXECUTE ${statement}; END`)}`;
}

function refuseReplaced(
  before: readonly { readonly replacedBy: string; readonly own: string | null }[],
  roles: readonly LockedRole[],
): void {
  if (before.length === roles.length && before.every(({ replacedBy, own }) => replacedBy === own)) return;
  throw new CommentRace('A comment was changed');
}

/** The rows of one statement of several, by its place; from -1 downwards it counts from the end. */
function rowsAfter<Row extends pg.QueryResultRow>(results: unknown, place: number): readonly Row[] {
  // For several statements pg gives an array of results, which its types do not know.
  return (results as readonly pg.QueryResult<Row>[]).at(place)?.rows ?? [];
}
