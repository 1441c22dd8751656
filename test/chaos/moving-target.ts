import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { type ReplicaServer, startReplica } from '../support/replica.ts';
import type { ServerAddress } from '../support/scenario.ts';

const CATCH_UP_MS = 30_000;
const LOG = { folder: 'chaos-log', file: 'server.log' };

/**
 * A commit is lost for up to 30 s when the server crashes, unless the session asks for more. Commit times show when
 * exactly a login was altered; the log shows who logged in and who altered what.
 */
const SETTINGS = {
  synchronous_commit: 'off',
  wal_writer_delay: '10s',
  track_commit_timestamp: 'on',
  logging_collector: 'on',
  log_directory: LOG.folder,
  log_filename: LOG.file,
  log_rotation_age: '0',
  log_rotation_size: '0',
  log_connections: 'on',
  log_statement: 'ddl',
  log_timezone: 'UTC',
  log_line_prefix: '%m [%p] ',
};

/** The server whose logins are rotated. It may crash, and a promoted replica may take its place. */
export class MovingTarget implements ServerAddress, AsyncDisposable {
  #server: PostgresServer;
  #spare: ReplicaServer | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #oldLogs = '';
  #admin: { readonly pool: pg.Pool; readonly port: number } | undefined;
  /** How often it was stopped, and how often that was over: odd while it is on its way down or up. */
  outages = 0;
  /** When a replica last took its place; milliseconds since the epoch. */
  failedOverAt: number | undefined;

  private constructor(server: PostgresServer) {
    this.#server = server;
  }

  static async start(): Promise<MovingTarget> {
    return new MovingTarget(await startPostgres({ settings: SETTINGS }));
  }

  get host(): string {
    return this.#server.host;
  }
  get port(): number {
    return this.#server.port;
  }
  get user(): string {
    return this.#server.user;
  }
  get password(): string {
    return this.#server.password;
  }

  /** Where it is now. */
  address(): ServerAddress {
    const { host, port, user, password } = this;
    return { host, port, user, password };
  }

  /** Runs one after the other what stops or replaces the server. */
  #exclusively(act: () => Promise<void>): Promise<void> {
    const result = this.#turn.then(async () => {
      this.outages += 1;
      await act().finally(() => {
        this.outages += 1;
      });
    });
    this.#turn = result.catch(() => {});
    return result;
  }

  /** Whether it is on its way down or up. */
  get isMoving(): boolean {
    return this.outages % 2 === 1;
  }

  /** Crashes it, and starts it again after some milliseconds. */
  crash(down: number): Promise<void> {
    return this.#exclusively(async () => {
      await this.#server.stop('immediate');
      await sleep(down);
      await this.#server.start();
    });
  }

  /** Makes a replica that follows by streaming; the server is stopped for a moment. */
  makeReplica(): Promise<void> {
    return this.#exclusively(async () => {
      await this.insist('DROP ROLE IF EXISTS replica_stream');
      this.#spare = await startReplica(this.#server);
    });
  }

  /** Keeps the replica from hearing anything more, once it knows all that there is to know by now. */
  async cutReplicaOff(): Promise<void> {
    const spare = this.#spare;
    if (!spare) throw new Error('There is no replica to cut off');
    const ask = (sql: string, values: readonly unknown[] = []) => askOnce(spare, sql, values);
    // Only what is flushed is streamed.
    await this.ask('CHECKPOINT');
    const [row] = await this.ask('SELECT pg_catalog.pg_current_wal_flush_lsn()::text AS lsn');
    const hasReplayed = 'SELECT 1 WHERE pg_catalog.pg_last_wal_replay_lsn() >= $1::pg_lsn';
    const deadline = Date.now() + CATCH_UP_MS;
    while ((await ask(hasReplayed, [row?.lsn])).length === 0) {
      if (Date.now() > deadline) throw new Error('The replica does not catch up');
      await sleep(50);
    }
    await ask("ALTER SYSTEM SET primary_conninfo = 'host=127.0.0.1 port=1'");
    await ask('SELECT pg_catalog.pg_reload_conf()');
    while ((await ask('SELECT 1 FROM pg_catalog.pg_stat_wal_receiver')).length > 0) await sleep(20);
  }

  async dropReplica(): Promise<void> {
    await this.#spare?.[Symbol.asyncDispose]();
    this.#spare = undefined;
  }

  /** Kills the server and promotes the replica. `assess` looks at what is lost before anybody reaches the new server. */
  failOver(assess: (promoted: ServerAddress) => Promise<void>): Promise<void> {
    return this.#exclusively(async () => {
      const [old, spare] = [this.#server, this.#spare];
      if (!spare) throw new Error('There is no replica to promote');
      await old.stop('immediate');
      await askOnce(spare, 'SELECT pg_catalog.pg_promote(true, 60)');
      await askOnce(spare, 'ALTER SYSTEM RESET primary_conninfo');
      this.#oldLogs += await readLog(old);
      await assess(spare);
      this.failedOverAt = Date.now();
      this.#server = spare;
      this.#spare = undefined;
      await old[Symbol.asyncDispose]();
    });
  }

  /** Asks as a superuser. Throws while the server is away. */
  async ask(sql: string, values: readonly unknown[] = []): Promise<pg.QueryResultRow[]> {
    if (this.#admin?.port !== this.port) {
      this.#forget();
      const pool = new pg.Pool({ ...optionsOf(this), max: 3 });
      pool.on('error', () => {});
      this.#admin = { pool, port: this.port };
    }
    return (await this.#admin.pool.query(sql, [...values])).rows;
  }

  /** Asks until there is an answer. */
  async insist(sql: string, values: readonly unknown[] = []): Promise<pg.QueryResultRow[]> {
    for (;;) {
      const rows = await this.ask(sql, values).catch(() => undefined);
      if (rows) return rows;
      await sleep(300);
    }
  }

  /** All that the servers logged so far, those that were replaced included. */
  async log(): Promise<string> {
    return this.#oldLogs + (await readLog(this.#server));
  }

  #forget(): void {
    void this.#admin?.pool.end().catch(() => {});
    this.#admin = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#admin?.pool.end();
    await this.#spare?.[Symbol.asyncDispose]();
    await this.#server[Symbol.asyncDispose]();
  }
}

function optionsOf({ host, port, user, password }: ServerAddress): pg.ClientConfig {
  return {
    host,
    port,
    user,
    password,
    database: 'postgres',
    connectionTimeoutMillis: 30_000,
    query_timeout: 60_000,
    // What the harness does is not lost.
    options: '-c synchronous_commit=on',
  };
}

/** Asks a server once, as a superuser. */
export async function askOnce(
  server: ServerAddress,
  sql: string,
  values: readonly unknown[] = [],
): Promise<pg.QueryResultRow[]> {
  const client = new pg.Client(optionsOf(server));
  client.on('error', () => {});
  try {
    await client.connect();
    return (await client.query(sql, [...values])).rows;
  } finally {
    await client.end().catch(() => {});
  }
}

function readLog({ server }: PostgresServer): Promise<string> {
  return readFile(join(server.data, LOG.folder, LOG.file), 'utf8').catch(() => '');
}
