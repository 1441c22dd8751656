/**
 * Makes the commit of the transaction wait until it survives a crash of the server, where the
 * server's default does not (`synchronous_commit = off` or `local`). A default that waits for
 * standby servers stays as it is.
 * https://www.postgresql.org/docs/current/runtime-config-wal.html#GUC-SYNCHRONOUS-COMMIT
 */
export const COMMIT_DURABLY = `
  SELECT pg_catalog.set_config('synchronous_commit'::pg_catalog.text, 'on'::pg_catalog.text, true)
   WHERE pg_catalog.current_setting('synchronous_commit'::pg_catalog.text)
         OPERATOR(pg_catalog.=) ANY (ARRAY['off', 'local']::pg_catalog.text[])`;
