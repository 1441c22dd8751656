import { constants } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { endianness } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { fault } from '../../facts/fault.ts';
import { clientOptions } from '../connection/client-options.ts';
import { startupOptions } from '../connection/session-pin.ts';
import { systemIdentifier } from '../connection/system-identifier.ts';
import { HOST } from './port.ts';
import { SUPERUSER } from './server.ts';
import { endStrangers, takeSuperuserLock } from './superuser-lock.ts';

// Any constant does, as long as every keyturn uses the same one.
const KEY = '7305804402551095';
const PATIENCE_MS = 60_000;

/**
 * A session that says that a process uses the server: it holds a shared advisory lock. Who leaves last can have the lock
 * exclusively, and stops the server while holding it. The kernel closes the session of a process that was killed, so
 * there is no lock file to be stale, and a server that was orphaned is adopted by the next start.
 */
export interface Lease {
  readonly client: pg.Client;
  /** Resolves when the session has ended, whoever ended it. */
  readonly ended: Promise<void>;
}

export async function takeLease(
  { data, port }: { readonly data: string; readonly port: number },
  password: string,
): Promise<Lease> {
  const client = new pg.Client({
    // Something else may answer on the port by now.
    ...clientOptions({
      host: HOST,
      port,
      user: SUPERUSER,
      password,
      database: 'postgres',
      tls: { mode: 'disable' },
    }),
    options: startupOptions({}, 'lease', { statementTimeout: 0 }),
    application_name: 'keyturn lease',
    connectionTimeoutMillis: PATIENCE_MS,
    keepAlive: true,
  });
  client.on('error', () => {});
  const ended = new Promise<void>((resolve) => client.once('end', () => resolve()));
  try {
    await client.connect();
    await requireOwnServer(client, data);
    // Waits while another process stops the server, and is then cut off.
    await takeSuperuserLock(client, KEY, { shared: true, patience: PATIENCE_MS });
    return { client, ended };
  } catch (error) {
    await client.end().catch(() => {});
    throw error;
  }
}

/** Whether this was the last lease. If so, none can be taken until the session ends. */
export async function isLast({ client }: Lease): Promise<boolean> {
  try {
    await client.query('SELECT pg_catalog.pg_advisory_unlock_shared($1::pg_catalog.int8)', [KEY]);
    const others = await endStrangers(client, KEY);
    if (others.length > 0) return false;
    // Of two that leave at the same instant one gets it. A stranger who was told to end is gone in a moment.
    await client.query('SET lock_timeout = 2000');
    const { rowCount } = await client.query('SELECT pg_catalog.pg_advisory_lock($1::pg_catalog.int8)', [KEY]);
    return rowCount === 1;
  } catch {
    // The server is gone already.
    return false;
  }
}

/**
 * A port may have come to belong to another server, for instance one that runs in a copy of our data directory and so
 * has its password. Where it works, and which cluster it is, tells them apart.
 */
async function requireOwnServer(client: pg.Client, data: string): Promise<void> {
  const { rows } = await client.query<{ data: string }>(
    `SELECT pg_catalog.current_setting('data_directory') AS data`,
  );
  const path = rows[0]?.data ?? '';
  const [theirs, ours] = await Promise.all(
    [path, data].map((folder) => stat(folder, { bigint: true }).catch(() => undefined)),
  );
  if (theirs === undefined) {
    throw fault('embedded-folder-moved', { data, path });
  }
  const elsewhere = theirs.dev !== ours?.dev || theirs.ino !== ours.ino;
  if (elsewhere || (await systemIdentifier(client)) !== (await systemIdentifierIn(data))) {
    throw fault('embedded-server-elsewhere', { data, path });
  }
}

/** What `pg_control` begins with: https://doxygen.postgresql.org/pg__control_8h_source.html */
async function systemIdentifierIn(data: string): Promise<string> {
  const path = join(data, 'global', 'pg_control');
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const { buffer } = await handle.read(Buffer.alloc(8), 0, 8, 0);
    // In the machine's order of bytes, like everything in a data directory.
    return String(endianness() === 'LE' ? buffer.readBigUInt64LE() : buffer.readBigUInt64BE());
  } finally {
    await handle.close();
  }
}
