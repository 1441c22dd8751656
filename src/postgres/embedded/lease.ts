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

// Any constant will do, as long as every keyturn uses the same one.
const KEY = '7305804402551095';
const PATIENCE_MS = 60_000;

/**
 * A session that holds a shared advisory lock for as long as a process uses the server. The last
 * process can take the lock exclusively, and stops the server while it holds it. The kernel closes
 * the session of a process that is killed, so no lock file can be stale, and the next start adopts
 * a server that was left running.
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
    // Another program may answer on the port by now.
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
    // If another process is stopping the server, this waits until the server ends the session.
    await takeSuperuserLock(client, KEY, { shared: true, patience: PATIENCE_MS });
    return { client, ended };
  } catch (error) {
    await client.end().catch(() => {});
    throw error;
  }
}

/** Whether this was the last lease. If so, nobody can take one until the session ends. */
export async function isLast({ client }: Lease): Promise<boolean> {
  try {
    await client.query('SELECT pg_catalog.pg_advisory_unlock_shared($1::pg_catalog.int8)', [KEY]);
    const others = await endStrangers(client, KEY);
    if (others.length > 0) return false;
    // Of two that leave at the same instant one gets it. A stranger's session that was told to end
    // takes a moment.
    await client.query('SET lock_timeout = 2000');
    const { rowCount } = await client.query('SELECT pg_catalog.pg_advisory_lock($1::pg_catalog.int8)', [KEY]);
    return rowCount === 1;
  } catch {
    // The server is gone already.
    return false;
  }
}

/**
 * Another server may have the port by now, for instance one in a copy of the data directory, which
 * has the same password. Its data directory and its cluster tell them apart.
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
    // In the byte order of the machine, like everything in a data directory.
    return String(endianness() === 'LE' ? buffer.readBigUInt64LE() : buffer.readBigUInt64BE());
  } finally {
    await handle.close();
  }
}
