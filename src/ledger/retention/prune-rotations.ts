import type pg from 'pg';
import { latestTolerated } from '../future.ts';
import { type LedgerContext, nowOf } from '../ledger-context.ts';
import { HAS_PUBLISHED } from '../publications/last-published.ts';
import { isGone } from './configured.ts';

/** How many rotations one step looks at, and how many of their lines it removes at most. */
const ROTATIONS = 1_000;
const LINES = 10_000;

/** Where a step has stopped. Rotations are looked at in the order in which they ended. */
export interface Position {
  /** As PostgreSQL writes it, to the microsecond. */
  readonly finishedAt: string;
  readonly number: string;
}

interface Candidate extends Position {
  readonly id: string;
  readonly isKept: boolean;
}

/**
 * Removes rotations that ended before an instant, with their lines: one bounded step, which
 * continues after `from`. Returns where the next one continues; undefined: it was the last.
 *
 * A rotation stays while somebody may ask for it: while it is open, or may have left a version in a
 * store, or is of its policy the newest, the newest that was done, the one that was published last
 * (publications/last-published.ts), or one that slots are counted from (timing.ts). Of a policy
 * that was removed long ago nobody asks.
 */
export async function pruneRotations(
  ledger: LedgerContext,
  before: Date,
  from: Position | undefined,
): Promise<Position | undefined> {
  const { pool } = ledger;
  const { rows } = await pool.query<Candidate>(CANDIDATES, [
    ...[before, latestTolerated(nowOf(ledger))],
    ...[from?.finishedAt ?? '-infinity', from?.number ?? '0'],
  ]);
  const old = rows.flatMap(({ id, isKept }) => (isKept ? [] : [id]));
  if (old.length > 0 && (await removeLines(pool, old)) === LINES) return from ?? START;
  if (old.length > 0) await pool.query(REMOVED, [old]);
  const last = rows.at(-1);
  return last && rows.length === ROTATIONS ? { finishedAt: last.finishedAt, number: last.number } : undefined;
}

const START: Position = { finishedAt: '-infinity', number: '0' };

/** A policy's newest rotation of some kind: by `order`, or in the order of their opening. */
function newest(of: string, order = 'number'): string {
  return `(SELECT id FROM keyturn.rotation WHERE policy = whose.policy AND ${of} ORDER BY ${order} DESC LIMIT 1)`;
}

// What is kept is found once for each policy, not for each of its rotations.
const CANDIDATES = `
  WITH candidate AS MATERIALIZED (
    SELECT id, policy, number, finished_at, left_staged FROM keyturn.rotation
     WHERE status <> 'open' AND finished_at < $1 AND (finished_at, number) > ($3::pg_catalog.timestamptz, $4::pg_catalog.int8)
     ORDER BY finished_at, number LIMIT ${ROTATIONS}),
  whose AS MATERIALIZED (
    SELECT policy FROM (SELECT DISTINCT policy FROM candidate) AS each
     WHERE NOT (${isGone('each.policy', '$1')})),
  kept AS MATERIALIZED (
    SELECT needed.id FROM whose CROSS JOIN LATERAL (
      ${newest('true')}
      UNION ALL ${newest(`status = 'done'`)}
      UNION ALL ${newest(HAS_PUBLISHED)}
      UNION ALL ${newest(`status <> 'failed' AND slot <= $2`, 'slot')}
      UNION ALL ${newest(`status = 'done' AND slot IS NULL AND requested_at <= $2`, 'requested_at')}) AS needed)
  SELECT id, finished_at::pg_catalog.text AS "finishedAt", number::pg_catalog.text AS number,
         EXISTS (SELECT FROM kept WHERE kept.id = candidate.id)
           OR (left_staged AND EXISTS (SELECT FROM whose WHERE whose.policy = candidate.policy)) AS "isKept"
    FROM candidate ORDER BY candidate.finished_at, candidate.number`;

/** Removes lines of these rotations. Returns how many. */
async function removeLines(pool: pg.Pool, rotations: readonly string[]): Promise<number> {
  const { rowCount } = await pool.query(
    `DELETE FROM keyturn.event WHERE id IN (
       SELECT id FROM keyturn.event WHERE rotation = ANY ($1::pg_catalog.uuid[]) LIMIT ${LINES})`,
    [rotations],
  );
  return rowCount ?? 0;
}

const REMOVED = `
  DELETE FROM keyturn.rotation
   WHERE id = ANY ($1::pg_catalog.uuid[]) AND status <> 'open'
     AND NOT EXISTS (SELECT FROM keyturn.event AS line WHERE line.rotation = rotation.id)`;

/**
 * Removes old lines of rotations that are still open: one that nobody could end for months has one
 * for each try. Those that say that a step began or was done stay.
 */
export async function pruneOpenLines({ pool }: LedgerContext, before: Date): Promise<boolean> {
  const { rowCount } = await pool.query(
    `DELETE FROM keyturn.event WHERE id IN (
       SELECT line.id FROM keyturn.rotation JOIN keyturn.event AS line ON line.rotation = rotation.id
        WHERE rotation.status = 'open' AND rotation.requested_at < $1 AND line.at < $1
          AND line.kind IN ('failed', 'waiting') LIMIT ${LINES})`,
    [before],
  );
  return rowCount !== LINES;
}
