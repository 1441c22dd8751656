import type pg from 'pg';
import type { FactParams } from '../facts/fact.ts';
import { fault } from '../facts/fault.ts';
import { command } from '../facts/remedy.ts';
import { type Requester, requesterValues } from './audit/requester.ts';
import { latestTolerated } from './future.ts';
import { type LedgerContext, nowOf } from './ledger-context.ts';
import { openRotations } from './read-rotations.ts';
import type { Reason, Rotation } from './rotation.ts';
import { ROTATION_COLUMNS, type RotationRow, toRotation } from './rotation-row.ts';
import type { Timing } from './timing.ts';

export interface RotationRequest extends Requester {
  readonly id: string;
  readonly policy: string;
  readonly reason: Reason;
  readonly slot?: Date;
  readonly adopt?: boolean;
  /** The timing that it was decided on: nothing is opened if that has changed. */
  readonly decidedOn?: Timing;
}

/**
 * Opens a rotation; undefined when its slot is taken, or `decidedOn` has changed. Throws a fault
 * `rotation-open-already` while another of the policy is open.
 */
export async function requestRotation(
  ledger: LedgerContext,
  request: RotationRequest,
): Promise<Rotation | undefined> {
  try {
    return await insertRotation(ledger.pool, request, nowOf(ledger));
  } catch (cause) {
    // pg gives the name of the constraint that was violated.
    if ((cause as { constraint?: string }).constraint !== 'rotation_one_open') throw cause;
    const [open] = await openRotations(ledger, request.policy);
    throw fault('rotation-open-already', openAlready(request.policy, open), {
      cause,
      remedies: [command('status', request.policy)],
    });
  }
}

/** What is said of the rotation that keeps another one from being opened. */
export function openAlready(policy: string, open: Rotation | undefined): FactParams['rotation-open-already'] {
  if (!open) return { policy, rotation: null };
  const { id, requestedAt, requestedBy, publishedAt } = open;
  return {
    policy,
    rotation: {
      id,
      requestedAt: requestedAt.toISOString(),
      requestedBy,
      publishedAt: publishedAt?.toISOString() ?? null,
    },
  };
}

async function insertRotation(
  pool: pg.Pool,
  { id, policy, reason, slot, adopt = false, decidedOn, ...requester }: RotationRequest,
  now: Date,
): Promise<Rotation | undefined> {
  const [by, host, why] = requesterValues(requester);
  const { rows } = await pool.query<RotationRow>(
    `INSERT INTO keyturn.rotation (id, policy, reason, requested_by, requested_at, slot, adopt,
                                   requested_host, requested_reason)
     SELECT $1::pg_catalog.uuid, $2, $3::pg_catalog.text, $4::pg_catalog.text, $5::pg_catalog.timestamptz, $6::pg_catalog.timestamptz, $7::boolean,
            $13::pg_catalog.text, $14::pg_catalog.text
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
      ...[id, policy, reason, by, now, slot ?? null, adopt],
      ...[!decidedOn, decidedOn?.lastAskedAt, decidedOn?.lastSlot, decidedOn?.lastFailedAt],
      ...[latestTolerated(now), host, why],
    ],
  );
  return rows.map(toRotation)[0];
}
