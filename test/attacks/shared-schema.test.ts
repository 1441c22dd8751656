import pg from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { fact } from '../../src/facts/fact.ts';
import { sql } from '../../src/facts/remedy.ts';
import { openLedger } from '../../src/ledger/ledger.ts';
import { migrateQueue } from '../../src/queue/migrate-queue.ts';
import { adminOf } from '../support/admin.ts';
import { uniqueName } from '../support/unique-name.ts';

const server = inject('postgres');
const database = uniqueName('shared');
const [state, stranger] = [uniqueName('state'), uniqueName('stranger')];
let pool: pg.Pool;

const opening = {
  keyturn: () => openLedger(pool, systemClock),
  bullmq: () => migrateQueue(pool),
} as const;

async function asAdmin(sql: string): Promise<void> {
  await using admin = await adminOf(server, database);
  await admin.client.query(sql);
}

beforeAll(async () => {
  await using admin = await adminOf(server);
  await admin.client.query(`CREATE DATABASE ${database}`);
  await admin.client.query(
    `CREATE ROLE ${stranger}; CREATE ROLE ${state} LOGIN PASSWORD 'state';
     GRANT CREATE ON DATABASE ${database} TO ${state}`,
  );
  const { host, port } = server;
  pool = new pg.Pool({ host, port, database, user: state, password: 'state', max: 2 });
  pool.on('error', () => {});
});

afterAll(async () => {
  await pool.end();
  await using admin = await adminOf(server);
  await admin.client.query(`DROP DATABASE ${database} WITH (FORCE)`);
  await admin.client.query(`DROP ROLE ${state}, ${stranger}`);
});

test.each(['keyturn', 'bullmq'] as const)(
  'in schema %s of the state database nobody else may create, nor own what our sessions would find',
  async (schema) => {
    await asAdmin(`CREATE SCHEMA ${schema} AUTHORIZATION ${state}`);
    await opening[schema]();

    for (const [role, named] of [
      [stranger, `"${stranger}"`],
      ['PUBLIC', 'PUBLIC'],
    ]) {
      await asAdmin(`GRANT CREATE, USAGE ON SCHEMA ${schema} TO ${role}`);
      const revoke = `REVOKE CREATE ON SCHEMA "${schema}" FROM ${named}`;
      await expect(opening[schema]()).rejects.toMatchObject({
        fact: {
          code: 'state-schema-shared',
          params: { schema, role: role === 'PUBLIC' ? null : role },
          remedies: [sql(revoke)],
        },
      });
      await asAdmin(revoke);
      await opening[schema]();
    }

    await asAdmin(`GRANT CREATE ON SCHEMA ${schema} TO ${stranger}; SET ROLE ${stranger};
      CREATE FUNCTION ${schema}.abs(text) RETURNS text LANGUAGE sql AS 'SELECT $1'; RESET ROLE;
      REVOKE CREATE ON SCHEMA ${schema} FROM ${stranger}`);
    await expect(opening[schema]()).rejects.toMatchObject({
      fact: fact('state-schema-intruded', {
        schema,
        role: stranger,
        object: `function ${schema}.abs(text)`,
      }),
    });
    await asAdmin(`DROP FUNCTION ${schema}.abs(text)`);
    await opening[schema]();
  },
);
