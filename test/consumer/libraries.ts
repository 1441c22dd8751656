import { PrismaPg } from '@prisma/adapter-pg';
import { sql as drizzleSql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import knex from 'knex';
import { Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import type { Credentials } from '../../src/consumer/credentials.ts';
import { rotatingClient } from '../../src/consumer/rotating-client.ts';
import { createRotatingPool } from '../../src/consumer/rotating-pool.ts';
import { openPrisma } from '../support/prisma-client.ts';

/** An application's way to a database, through one library. */
export interface Application {
  /** A query. */
  ask(): Promise<unknown>;
  /** A transaction of several queries. */
  transact(): Promise<unknown>;
  close(): Promise<unknown>;
}

export const LIBRARIES = ['pg', 'Client in pg.Pool', 'Kysely', 'Drizzle', 'Knex', 'Prisma'] as const;
export type Library = (typeof LIBRARIES)[number];

const ASK = 'SELECT name FROM things WHERE id = 1';
const WAIT = 'SELECT pg_catalog.pg_sleep(0.005)';

/** Opens a library over a rotating pool, which `onPool` gets, or `rotatingClient` over a plain one. */
export function openLibrary(
  library: Library,
  credentials: Credentials,
  options: pg.PoolConfig,
  onPool: (pool: pg.Pool) => void = () => {},
): Application {
  const pool =
    library === 'Client in pg.Pool'
      ? new pg.Pool({ ...options, Client: rotatingClient(credentials) } as pg.PoolConfig)
      : createRotatingPool(credentials, options);
  onPool(pool);
  return OPEN[library](pool);
}

const OPEN: Readonly<Record<Library, (pool: pg.Pool) => Application>> = {
  pg: openPg,
  'Client in pg.Pool': openPg,
  Kysely(pool) {
    const db = new Kysely<{ things: { id: number; name: string } }>({
      dialect: new PostgresDialect({ pool }),
    });
    return {
      ask: () => db.selectFrom('things').select('name').where('id', '=', 1).executeTakeFirstOrThrow(),
      transact: () =>
        db.transaction().execute(async (transaction) => {
          await sql.raw(WAIT).execute(transaction);
          await transaction.selectFrom('things').select('name').execute();
        }),
      close: () => db.destroy(),
    };
  },
  Drizzle(pool) {
    const db = drizzle({ client: pool });
    return {
      ask: () => db.execute(drizzleSql.raw(ASK)),
      transact: () =>
        db.transaction(async (transaction) => {
          await transaction.execute(drizzleSql.raw(WAIT));
          await transaction.execute(drizzleSql.raw(ASK));
        }),
      close: () => pool.end(),
    };
  },
  Knex(pool) {
    // `connectionPool` takes a pool of pg since Knex 3.3; its types do not have it yet.
    const db = knex({ client: 'pg', connectionPool: pool } as knex.Knex.Config);
    return {
      ask: () => db('things').select('name').where('id', 1).first(),
      transact: () =>
        db.transaction(async (transaction) => {
          await transaction.raw(WAIT);
          await transaction('things').select('name');
        }),
      close: () => db.destroy().then(() => pool.end()),
    };
  },
  Prisma(pool) {
    const prisma = openPrisma(new PrismaPg(pool));
    return {
      ask: () => prisma.thing.findUnique({ where: { id: 1 } }),
      transact: () =>
        prisma.$transaction(async (transaction) => {
          await transaction.thing.count();
          await transaction.thing.findUnique({ where: { id: 1 } });
        }),
      close: () => prisma.$disconnect().then(() => pool.end()),
    };
  },
};

function openPg(pool: pg.Pool): Application {
  return {
    // A prepared statement, which a connection has under this name once it was used there.
    ask: () => pool.query({ name: 'ask', text: 'SELECT name FROM things WHERE id = $1', values: [1] }),
    async transact() {
      const client = await pool.connect();
      try {
        await client.query('BEGIN');
        await client.query(WAIT);
        await client.query(ASK);
        await client.query('COMMIT');
      } finally {
        client.release();
      }
    },
    close: () => pool.end(),
  };
}
