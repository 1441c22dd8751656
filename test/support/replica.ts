import { execFile } from 'node:child_process';
import { appendFile, chmod, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Server } from '../../src/postgres/embedded/server.ts';
import { adminOf } from './admin.ts';
import { freePort, type PostgresServer, running } from './postgres-server.ts';

const run = promisify(execFile);

/** A hot standby of a test's PostgreSQL, which follows it by streaming. */
export interface ReplicaServer extends PostgresServer {
  /** Stops replay where it is: from then on it lags for certain. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Makes it a primary, which lacks what it has not received by now. */
  promote(): Promise<void>;
  /** Resolves once it has replayed all that the primary has written by now. */
  catchUp(): Promise<void>;
}

/**
 * Makes a standby of a server. It is a copy of the data folder, for which the server is stopped and started again: npm
 * brings no pg_basebackup, and a copy of a server that is shut down needs no backup mode.
 * https://www.postgresql.org/docs/current/backup-file.html, https://www.postgresql.org/docs/current/warm-standby.html
 */
export async function startReplica(primary: PostgresServer): Promise<ReplicaServer> {
  const { server: source } = primary;
  {
    await using admin = await adminOf(primary);
    // With a password that needs no quoting.
    await admin.client.query("CREATE ROLE replica_stream REPLICATION LOGIN PASSWORD 'stream'");
  }
  await primary.stop('fast');
  // A replica that is paused or stopped for a while still finds its WAL.
  await appendFile(join(source.data, 'postgresql.conf'), 'wal_keep_size = 256MB\n');
  const folder = await mkdtemp(join(tmpdir(), 'keyturn-replica-'));
  await chmod(folder, 0o755);
  const server: Server = { ...source, data: join(folder, 'data'), log: join(folder, 'log') };
  // With its owner, which is the server's user.
  await run('cp', ['-a', source.data, server.data]);
  await primary.start();
  await appendFile(
    join(server.data, 'postgresql.conf'),
    `primary_conninfo = 'host=127.0.0.1 port=${primary.port} user=replica_stream password=stream'\n`,
  );
  await writeFile(join(server.data, 'standby.signal'), '', { mode: 0o644 });
  const standby = await running(server, { port: await freePort(), password: primary.password, folder });

  async function ask(question: string): Promise<string> {
    await using admin = await adminOf(standby);
    const { rows } = await admin.client.query({ text: question, rowMode: 'array' });
    return String(rows[0]?.[0]);
  }
  async function until(question: string, answer: string): Promise<void> {
    while ((await ask(question)) !== answer) await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return {
    ...standby,
    async pause() {
      await ask('SELECT pg_wal_replay_pause()');
      await until('SELECT pg_get_wal_replay_pause_state()', 'paused');
    },
    async resume() {
      await ask('SELECT pg_wal_replay_resume()');
    },
    async promote() {
      await ask('SELECT pg_promote()');
      await until('SELECT pg_is_in_recovery()', 'false');
    },
    async catchUp() {
      await using admin = await adminOf(primary);
      const { rows } = await admin.client.query('SELECT pg_current_wal_insert_lsn() AS lsn');
      await until(`SELECT pg_last_wal_replay_lsn() >= '${rows[0].lsn}'`, 'true');
    },
  };
}
