import { setImmediate as turn } from 'node:timers/promises';
import type pg from 'pg';
import type { Connection } from '../../src/config/config.ts';
import { connect } from '../../src/postgres/connection/connect.ts';
import type { SessionPool } from '../../src/postgres/connection/session-pool.ts';
import { adminOf } from './admin.ts';
import { startPostgres } from './postgres-server.ts';

const PASSWORD = 'hunter2';

export interface SeenSessions {
  readonly rotators: number;
  readonly proofs: number;
}

/** A server of its own, with a rotator, and a login that the rotations on it would prove. */
export interface PooledServer extends AsyncDisposable {
  readonly connection: Connection;
  readonly admin: pg.Client;
  /** What a rotation does with sessions: it proves a login while the rotator is in a transaction. */
  run(pool: SessionPool): Promise<void>;
  /** Watches until it is stopped, and tells the most sessions of each use that it saw at once. */
  watch(): { stop(): Promise<SeenSessions> };
}

export async function openPooledServer(
  settings: Readonly<Record<string, string>> = {},
): Promise<PooledServer> {
  const server = await startPostgres({ settings });
  const admin = await adminOf(server);
  for (const role of ['rotator', 'app_login', 'stranger']) {
    await admin.client.query(`CREATE ROLE ${role} LOGIN PASSWORD '${PASSWORD}'`);
  }
  const { host, port } = server;
  const connection: Connection = {
    ...{ name: 'db', host, port, database: 'postgres', user: 'rotator', password: PASSWORD },
    tls: { mode: 'disable' },
  };

  async function mostSessions(watching: { readonly on: boolean }): Promise<SeenSessions> {
    let seen = { rotators: 0, proofs: 0 };
    while (watching.on) {
      const { rows } = await admin.client.query<SeenSessions>(
        `SELECT count(*) FILTER (WHERE usename = 'rotator')::int AS rotators,
                count(*) FILTER (WHERE usename = 'app_login')::int AS proofs FROM pg_stat_activity`,
      );
      const { rotators = 0, proofs = 0 } = rows[0] ?? {};
      seen = { rotators: Math.max(seen.rotators, rotators), proofs: Math.max(seen.proofs, proofs) };
      await turn();
    }
    return seen;
  }

  return {
    connection,
    admin: admin.client,
    async run(pool) {
      await using rotator = await pool.rotator();
      await rotator.client.query('BEGIN');
      await using proof = await pool.beside(() => connect({ ...connection, user: 'app_login' }));
      await proof.client.query('SELECT pg_catalog.pg_sleep(0.02)');
      await rotator.client.query('COMMIT');
    },
    watch() {
      const watching = { on: true };
      const most = mostSessions(watching);
      return {
        stop() {
          watching.on = false;
          return most;
        },
      };
    },
    async [Symbol.asyncDispose]() {
      await admin[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}
