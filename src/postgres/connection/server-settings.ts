import type pg from 'pg';

export interface ServerSettings {
  /** As people write it, for instance `16.4`. */
  readonly version: string;
  /** `scram-sha-256` or `md5`: how the server stores a password that it is given in the clear. */
  readonly passwordEncryption: string;
  /** Milliseconds since the epoch. */
  readonly clock: number;
}

export async function readServerSettings(client: pg.ClientBase): Promise<ServerSettings> {
  const { rows } = await client.query<ServerSettings>(
    `SELECT pg_catalog.split_part(pg_catalog.current_setting('server_version'), ' ', 1) AS version,
            pg_catalog.current_setting('password_encryption') AS "passwordEncryption",
            (extract(epoch FROM pg_catalog.clock_timestamp()) * 1000::numeric)::pg_catalog.float8 AS clock`,
  );
  // A SELECT without FROM has one row.
  return rows[0] as ServerSettings;
}
