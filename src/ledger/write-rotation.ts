import type { Fact } from '../facts/fact.ts';
import type { Expected } from './append-history.ts';
import { type LedgerContext, nowOf } from './ledger-context.ts';
import type { Rotation } from './rotation.ts';
import { ROTATION_COLUMNS, type RotationRow, toRotation } from './rotation-row.ts';
import { record } from './write-history.ts';

export function finish(
  ledger: LedgerContext,
  rotation: Expected,
  { status, fact }: { readonly status: 'done' | 'failed'; readonly fact?: Fact | undefined },
): Promise<Rotation> {
  return record(ledger, rotation, { lines: [], changes: { end: { status, ...(fact && { fact }) } } });
}

export async function replace(
  ledger: LedgerContext,
  { id, rolledBackBy }: Expected,
  by: string,
): Promise<Rotation | undefined> {
  const { rows } = await ledger.pool.query<RotationRow>(
    `WITH ended AS (
       UPDATE keyturn.rotation SET status = 'failed', finished_at = $3
        WHERE id = $1 AND status = 'open' AND rolled_back_by IS NOT DISTINCT FROM $4::pg_catalog.text RETURNING *)
     INSERT INTO keyturn.rotation (id, policy, reason, requested_by, requested_at, slot, adopt, replaces)
     SELECT $2, policy, reason, requested_by, $3, slot, adopt, id FROM ended
     RETURNING ${ROTATION_COLUMNS}`,
    [id, by, nowOf(ledger), rolledBackBy],
  );
  return rows.map(toRotation)[0];
}

export async function escalate({ pool }: LedgerContext, id: string): Promise<Rotation | undefined> {
  const { rows } = await pool.query<RotationRow>(
    `UPDATE keyturn.rotation SET reason = 'emergency' WHERE id = $1 AND status = 'open' AND rolled_back_by IS NULL
      RETURNING ${ROTATION_COLUMNS}`,
    [id],
  );
  return rows.map(toRotation)[0];
}

export async function rollBack(
  { pool }: LedgerContext,
  id: string,
  { by, to }: { readonly by: string; readonly to: string },
): Promise<Rotation | undefined> {
  // Its deadline counts from when the old version is published again, and what revoke found out
  // concerns the other login.
  const { rows } = await pool.query<RotationRow>(
    `UPDATE keyturn.rotation SET rolled_back_by = $2, rolled_back_to = $3, published_at = NULL,
            replicas_behind_since = NULL, outgoing_shut_at = NULL, last_look_at = NULL
      WHERE id = $1 AND status = 'open' AND rolled_back_by IS NULL RETURNING ${ROTATION_COLUMNS}`,
    [id, by, to],
  );
  return rows.map(toRotation)[0];
}
