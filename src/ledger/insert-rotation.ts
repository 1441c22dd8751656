import type pg from 'pg';
import { latestTolerated } from './future.ts';
import type { Reason, Rotation } from './rotation.ts';
import { ROTATION_COLUMNS } from './rotation-columns.ts';
import type { Timing } from './timing.ts';

export interface RotationRequest {
  readonly id: string;
  readonly policy: string;
  readonly reason: Reason;
  readonly requestedBy: string;
  readonly slot?: Date;
  readonly adopt?: boolean;
  /** What it was decided on: nothing is opened if that is not so any more. */
  readonly decidedOn?: Timing;
}

/** Undefined when its slot is taken, or what it was decided on is not so any more. */
export async function insertRotation(
  pool: pg.Pool,
  { id, policy, reason, requestedBy, slot, adopt = false, decidedOn }: RotationRequest,
  now: Date,
): Promise<Rotation | undefined> {
  const { rows } = await pool.query(
    `INSERT INTO keyturn.rotation (id, policy, reason, requested_by, requested_at, slot, adopt)
     SELECT $1::pg_catalog.uuid, $2, $3::pg_catalog.text, $4::pg_catalog.text, $5::pg_catalog.timestamptz, $6::pg_catalog.timestamptz, $7::boolean
      WHERE $8 OR NOT EXISTS (
        SELECT FROM keyturn.rotation
         WHERE policy = $2 AND status = 'done' AND slot IS NULL
            AND requested_at > coalesce($9, '-infinity'::pg_catalog.timestamptz) AND requested_at <= $12
        UNION ALL SELECT FROM keyturn.rotation
         WHERE policy = $2 AND status <> 'failed'
            AND slot > coalesce($10, '-infinity'::pg_catalog.timestamptz) AND slot <= $12
        UNION ALL SELECT FROM keyturn.rotation
         WHERE policy = $2 AND status = 'failed'
            AND finished_at > coalesce($11, '-infinity'::pg_catalog.timestamptz) AND finished_at <= $12)
     ON CONFLICT (policy, slot) WHERE status <> 'failed' DO NOTHING
     RETURNING ${ROTATION_COLUMNS}`,
    [
      ...[id, policy, reason, requestedBy, now, slot ?? null, adopt],
      ...[!decidedOn, decidedOn?.lastAskedAt, decidedOn?.lastSlot, decidedOn?.lastFailedAt],
      latestTolerated(now),
    ],
  );
  return rows[0];
}
