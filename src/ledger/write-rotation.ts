import type { Fact } from '../facts/fact.ts';
import type { Expected } from './append-history.ts';
import { actionDone } from './audit/actions.ts';
import { type Requester, requesterValues } from './audit/requester.ts';
import { type LedgerContext, nowOf } from './ledger-context.ts';
import type { Rotation } from './rotation.ts';
import { ROTATION_COLUMNS, type RotationRow, toRotation } from './rotation-row.ts';
import { record } from './write-history.ts';

export function finish(
  ledger: LedgerContext,
  rotation: Expected,
  {
    status,
    fact,
    cancelledBy,
  }: {
    readonly status: 'done' | 'failed';
    readonly fact?: Fact | undefined;
    readonly cancelledBy?: Requester | undefined;
  },
): Promise<Rotation> {
  const end = { status, ...(fact && { fact }), ...(cancelledBy && { cancelledBy }) };
  return record(ledger, rotation, { lines: [], changes: { end } });
}

export async function replace(
  ledger: LedgerContext,
  { id, rolledBackBy }: Expected,
  by: string,
): Promise<Rotation | undefined> {
  const { rows } = await ledger.pool.query<RotationRow>(
    `WITH ended AS (
       UPDATE keyturn.rotation SET status = 'failed', finished_at = $3, left_staged = true
        WHERE id = $1 AND status = 'open' AND rolled_back_by IS NOT DISTINCT FROM $4::pg_catalog.text RETURNING *)
     INSERT INTO keyturn.rotation (id, policy, reason, requested_by, requested_host, requested_reason,
                                   requested_at, slot, adopt, replaces)
     SELECT $2, policy, reason, requested_by, requested_host, requested_reason, $3, slot, adopt, id FROM ended
     RETURNING ${ROTATION_COLUMNS}`,
    [id, by, nowOf(ledger), rolledBackBy],
  );
  return rows.map(toRotation)[0];
}

/** The parameters of who does something about a rotation. The first is the rotation. */
const DONE_NOW = { now: '$2', who: ['$3', '$4', '$5'] };

export async function escalate(
  ledger: LedgerContext,
  id: string,
  requester: Requester,
): Promise<Rotation | undefined> {
  const { rows } = await ledger.pool.query<RotationRow>(
    `WITH escalated AS (
       UPDATE keyturn.rotation SET reason = 'emergency'
        WHERE id = $1 AND status = 'open' AND rolled_back_by IS NULL RETURNING *),
     told AS (${actionDone('emergency', 'SELECT policy, id AS rotation FROM escalated', DONE_NOW)})
     SELECT ${ROTATION_COLUMNS} FROM escalated AS rotation`,
    [id, nowOf(ledger), ...requesterValues(requester)],
  );
  return rows.map(toRotation)[0];
}

export async function rollBack(
  ledger: LedgerContext,
  id: string,
  { to, ...requester }: Requester & { readonly to: string },
): Promise<Rotation | undefined> {
  // Its deadline counts from when the old version is published again, and what revoke found out
  // concerns the other login.
  const { rows } = await ledger.pool.query<RotationRow>(
    `WITH turned AS (
       UPDATE keyturn.rotation SET rolled_back_by = $3::pg_catalog.text, rolled_back_to = $6, published_at = NULL,
              replicas_behind_since = NULL, outgoing_shut_at = NULL, last_look_at = NULL
        WHERE id = $1 AND status = 'open' AND rolled_back_by IS NULL RETURNING *),
     told AS (${actionDone('rollback', 'SELECT policy, id AS rotation FROM turned', DONE_NOW)})
     SELECT ${ROTATION_COLUMNS} FROM turned AS rotation`,
    [id, nowOf(ledger), ...requesterValues(requester), to],
  );
  return rows.map(toRotation)[0];
}
