import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Embedded, openEmbedded } from '../../src/postgres/embedded/cluster.ts';
import { ensureStateDatabase, ensureTarget } from '../../src/postgres/embedded/databases.ts';
import { runningServer } from '../../src/postgres/embedded/pid-file.ts';
import { adminOf } from '../support/admin.ts';
import { policyWith } from '../support/policy.ts';

let base: string;
let cluster: Embedded;
const folder = () => join(base, '.keyturn', 'postgres');
const EVERY_DAY = { every: { count: 1, unit: 'd' } } as never;

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'keyturn-embedded-'));
  await chmod(base, 0o755);
  cluster = await openEmbedded({ folder: folder() });
  await using admin = await adminOf(cluster);
  await admin.client.query("CREATE ROLE stranger LOGIN PASSWORD 'secret'");
});
afterAll(async () => {
  await cluster.destroy();
  await rm(base, { recursive: true, force: true });
});

async function stranger(database: string): Promise<pg.Client> {
  const { host, port } = cluster;
  const client = new pg.Client({ host, port, database, user: 'stranger', password: 'secret' });
  client.on('error', () => {});
  await client.connect();
  return client;
}

test('attack: a login of the embedded server holds the lock of its processes, and another one starts all the same', async () => {
  const attacker = await stranger('postgres');
  // Shared with those that are up, so that nobody can be the last one; and then alone, so that
  // nobody can start.
  await attacker.query('SELECT pg_advisory_lock_shared(7305804402551095)');
  await cluster.close();
  expect(await runningServer({ data: join(folder(), 'cluster', 'data') })).toBeUndefined();
  await expect(attacker.query('SELECT 1')).rejects.toThrow();

  cluster = await openEmbedded({ folder: folder() });
  const queued = await stranger('postgres');
  // It waits until the lease is free for a moment, and nobody new gets in before it.
  const waiting = queued.query('SELECT pg_advisory_lock(7305804402551095)').catch((error: unknown) => error);
  await using admin = await adminOf(cluster);
  await expect
    .poll(async () => {
      const { rows } = await admin.client.query(
        "SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted",
      );
      return rows.length;
    })
    .toBe(1);
  const second = await openEmbedded({ folder: folder() });
  await second.close();
  expect(await waiting).toBeInstanceOf(Error);
});

test('attack: a login holds the lock under which roles are made on the embedded server, and they are made', async () => {
  const policy = { ...policyWith(EVERY_DAY), logins: ['embedded_a', 'embedded_b'] as [string, string] };
  const target = { name: 'local', embedded: true, database: 'shop' } as never;
  await using admin = await adminOf(cluster);
  await admin.client.query('CREATE DATABASE shop');
  const attacker = await stranger('shop');
  await attacker.query('SELECT pg_advisory_lock(7305804402551094)');
  await ensureTarget(cluster, target, policy);
  await expect(attacker.query('SELECT 1')).rejects.toThrow();
  const { rowCount } = await admin.client.query("SELECT FROM pg_roles WHERE rolname LIKE 'embedded_%'");
  expect(rowCount).toBe(2);
});

test('nobody but keyturn connects to the embedded state database', async () => {
  const { database } = await ensureStateDatabase(cluster);
  await expect(stranger(database)).rejects.toMatchObject({ code: '42501' });
});
