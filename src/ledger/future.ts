import type pg from 'pg';
import { type Fact, fact } from '../facts/fact.ts';
import type { Rotation } from './rotation.ts';
import { ROTATION_COLUMNS, type RotationRow, toRotation } from './rotation-row.ts';

/**
 * An instant in the ledger that lies further in the future was written by a wrong clock, or while
 * one was.
 */
export const TOLERATED_FUTURE_MS = 30_000;

/** The latest instant that the ledger may hold, when it is `now`. */
export function latestTolerated(now: Date): Date {
  return new Date(now.getTime() + TOLERATED_FUTURE_MS);
}

/** Whether an instant lies so far in the future that nobody waits for it. */
export function isFuture(instant: Date | null, now: number): boolean {
  return instant !== null && instant.getTime() - now > TOLERATED_FUTURE_MS;
}

/**
 * Counts an open rotation's instants that lie in the future from now on. Undefined where it has
 * none, or is not open.
 */
export async function recount(pool: pg.Pool, id: string, now: Date): Promise<Rotation | undefined> {
  const { rows } = await pool.query<RotationRow>(
    `UPDATE keyturn.rotation
        SET requested_at = CASE WHEN requested_at > $3 THEN $2 ELSE requested_at END,
            published_at = CASE WHEN published_at > $3 THEN $2 ELSE published_at END
      WHERE id = $1 AND status = 'open' AND (requested_at > $3 OR published_at > $3)
      RETURNING ${ROTATION_COLUMNS}`,
    [id, now, latestTolerated(now)],
  );
  return rows.map(toRotation)[0];
}

/**
 * A policy that was first seen in the future was first seen now: no slot would be due until then.
 */
export async function reseePolicies(pool: pg.Pool, policies: readonly string[], now: Date): Promise<void> {
  await pool.query(
    'UPDATE keyturn.policy SET first_seen_at = $1 WHERE first_seen_at > $2 AND name = ANY ($3::pg_catalog.text[])',
    [now, latestTolerated(now), policies],
  );
}

/** What is told of an instant that lies in the future. */
export function futureFact(at: Date): Fact {
  return fact('instant-in-future', { at: at.toISOString() });
}
