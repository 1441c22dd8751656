import type { LedgerContext } from '../ledger-context.ts';
import { isGone } from './configured.ts';

/** How many rows of a table one step removes at most. */
const ROWS = 10_000;
const POLICIES = 1_000;

/** Removes old actions. Returns whether none is left. */
export async function pruneActions({ pool }: LedgerContext, before: Date): Promise<boolean> {
  const { rowCount } = await pool.query(
    `DELETE FROM keyturn.action WHERE id IN (
       SELECT id FROM keyturn.action WHERE at < $1 ORDER BY at LIMIT ${ROWS})`,
    [before],
  );
  return rowCount !== ROWS;
}

const TOLD = 'pg_catalog.unnest(old.made OPERATOR(pg_catalog.||) old.dropped) AS role';
const TELLS = 'told.connection = old.connection AND (role = ANY (told.made) OR role = ANY (told.dropped))';

/** Newer rows say what the policy's roles are meant to be, and who made or dropped each of them. */
const SUPERSEDED = `
  EXISTS (SELECT FROM keyturn.provision AS newer WHERE newer.policy = old.policy AND newer.id > old.id)
  AND NOT EXISTS (
    SELECT FROM ${TOLD}
     WHERE NOT EXISTS (SELECT FROM keyturn.provision AS told WHERE told.id > old.id AND ${TELLS}))`;

/** All roles of a policy that is gone were dropped, and no older row says that keyturn made one. */
const DROPPED = `
  kind = 'drop' AND pg_catalog.cardinality(deactivated) = 0 AND ${isGone('old.policy', '$1')}
  AND NOT EXISTS (
    SELECT FROM ${TOLD}
     WHERE EXISTS (SELECT FROM keyturn.provision AS told WHERE told.id < old.id AND ${TELLS}))`;

/** Removes what was done to roles, where that says nothing any more. */
export async function pruneProvisions({ pool }: LedgerContext, before: Date): Promise<boolean> {
  let isDone = true;
  for (const condition of [SUPERSEDED, DROPPED]) {
    const { rowCount } = await pool.query(
      `DELETE FROM keyturn.provision WHERE id IN (
         SELECT id FROM keyturn.provision AS old WHERE at < $1 AND ${condition} ORDER BY id LIMIT ${ROWS})`,
      [before],
    );
    if (rowCount === ROWS) isDone = false;
  }
  return isDone;
}

/**
 * Forgets policies that were removed long ago, once none of their rotations is left. Their roles
 * stay known until they are dropped.
 */
export async function prunePolicies({ pool }: LedgerContext, before: Date): Promise<boolean> {
  const { rows } = await pool.query<{ readonly policy: string }>(
    `SELECT policy FROM keyturn.configured AS each
      WHERE seen_at < $1 AND ${isGone('each.policy', '$1')}
        AND NOT EXISTS (SELECT FROM keyturn.rotation WHERE rotation.policy = each.policy)
      ORDER BY seen_at LIMIT ${POLICIES}`,
    [before],
  );
  const gone = rows.map(({ policy }) => policy);
  if (gone.length === 0) return true;
  await pool.query(
    `WITH probes AS (DELETE FROM keyturn.probe WHERE policy = ANY ($1)),
          dues AS (DELETE FROM keyturn.due WHERE policy = ANY ($1)),
          policies AS (DELETE FROM keyturn.policy WHERE name = ANY ($1))
     DELETE FROM keyturn.configured WHERE policy = ANY ($1) AND seen_at < $2`,
    [gone, before],
  );
  return gone.length < POLICIES;
}
