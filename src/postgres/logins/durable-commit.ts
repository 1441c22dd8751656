/**
 * Has the transaction wait at its commit until a crash of the server cannot take it back, where the server's default
 * does not say so (`synchronous_commit = off` or `local`). A default that waits for standby servers stays.
 * https://www.postgresql.org/docs/current/runtime-config-wal.html#GUC-SYNCHRONOUS-COMMIT
 */
export const COMMIT_DURABLY = `
  SELECT pg_catalog.set_config('synchronous_commit'::pg_catalog.text, 'on'::pg_catalog.text, true)
   WHERE pg_catalog.current_setting('synchronous_commit'::pg_catalog.text)
         OPERATOR(pg_catalog.=) ANY (ARRAY['off', 'local']::pg_catalog.text[])`;
