import type pg from 'pg';
import { QUEUE_NAME, type QueueBackend, workerName } from './queue-backend.ts';

/**
 * How many workers of a queue in the state database are up, told by the names that BullMQ gives
 * their sessions. Who asks only that need not load BullMQ.
 */
export async function countWorkers(pool: pg.Pool, backend: QueueBackend): Promise<number> {
  const { rows } = await pool.query<{ readonly workers: number }>(
    `SELECT pg_catalog.count(*)::pg_catalog.int4 AS workers FROM pg_catalog.pg_stat_activity
      WHERE application_name OPERATOR(pg_catalog.=) $1::pg_catalog.text`,
    [`${QUEUE_NAME}:w:${workerName(backend)}`],
  );
  return rows[0]?.workers ?? 0;
}
