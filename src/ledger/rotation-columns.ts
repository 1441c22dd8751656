/** What is read of a rotation, under the names that a {@link Rotation} has. */
export const ROTATION_COLUMNS = `id, policy, reason, requested_by AS "requestedBy", requested_at AS "requestedAt", slot, status,
  incoming, outgoing, published_at AS "publishedAt", finished_at AS "finishedAt", rolled_back_by AS "rolledBackBy",
  rolled_back_to AS "rolledBackTo", adopt, replaces, attempts, last_error AS "lastError"`;
