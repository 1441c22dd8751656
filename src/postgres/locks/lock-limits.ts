import { LOCK_WAIT_MS } from './lock-fault.ts';

/**
 * PostgreSQL ends a session that holds the lock and has been silent for so long, because its
 * process was stopped or its host is lost.
 */
const SILENCE_MS = 30_000;

/**
 * A query that limits the waits of a transaction that takes the policy's lock, and makes its commit
 * wait until it survives a crash of the server, where the default does not (`synchronous_commit =
 * off` or `local`). A default that waits for standby servers stays as it is.
 * https://www.postgresql.org/docs/current/runtime-config-wal.html#GUC-SYNCHRONOUS-COMMIT
 */
export const LIMITS = `
  SELECT pg_catalog.set_config('lock_timeout'::pg_catalog.text, '${LOCK_WAIT_MS}'::pg_catalog.text, true),
         pg_catalog.set_config('idle_in_transaction_session_timeout'::pg_catalog.text,
                               '${SILENCE_MS}'::pg_catalog.text, true),
         CASE WHEN pg_catalog.current_setting('synchronous_commit'::pg_catalog.text)
                   OPERATOR(pg_catalog.=) ANY (ARRAY['off', 'local']::pg_catalog.text[])
              THEN pg_catalog.set_config('synchronous_commit'::pg_catalog.text, 'on'::pg_catalog.text, true)
         END`;
