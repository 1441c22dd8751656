import { MIGRATION_ADVISORY_LOCK_KEY } from 'bullmq';
import pg from 'pg';
import { expect, inject, test } from 'vitest';
import { migrateLedger } from '../../src/ledger/migrations/migrate-ledger.ts';
import { migrateQueue } from '../../src/queue/migrate-queue.ts';
import { adminOf } from '../support/admin.ts';
import { keyturn } from '../support/keyturn.ts';
import { openTestLedger } from '../support/ledger.ts';
import { failureOf, runStatements } from '../support/remedies.ts';
import { uniqueName } from '../support/unique-name.ts';
import { filePolicy, openWorkspace } from '../support/workspace.ts';

/**
 * What the migrations of the ledger and of BullMQ took for a lock until now: constants that
 * everybody can read.
 */
const LOCKS = [
  ['7305804402551093::bigint', ''],
  [String(MIGRATION_ADVISORY_LOCK_KEY), ", hashtext('bullmq')"],
];

async function openStranger(url: string): Promise<AsyncDisposable & { readonly client: pg.Client }> {
  const login = uniqueName('stranger');
  const admin = await adminOf(inject('postgres'));
  await admin.client.query(`CREATE ROLE ${login} LOGIN PASSWORD 'secret'`);
  const client = new pg.Client({
    connectionString: Object.assign(new URL(url), { username: login, password: 'secret' }).href,
  });
  client.on('error', () => {});
  await client.connect();
  return {
    client,
    async [Symbol.asyncDispose]() {
      await client.end();
      await admin.client.query(`DROP ROLE ${login}`);
      await admin[Symbol.asyncDispose]();
    },
  };
}

test('attack: whoever can connect to the state database holds the locks of migrations, and no command waits for it', async () => {
  await using workspace = await openWorkspace(inject('postgres'));
  await workspace.configure(filePolicy(workspace.logins), { state: workspace.stateUrl });
  const run = (...args: string[]) => keyturn(args, { cwd: workspace.folder });
  // Before there are any tables: BullMQ has its lock only while it makes its own.
  await using stranger = await openStranger(workspace.stateUrl);
  const [first] = LOCKS;
  await stranger.client.query(`SELECT pg_advisory_lock(${first?.join('')})`);
  expect(await run('status')).toMatchObject({ code: 0 });
  await stranger.client.query('SELECT pg_advisory_unlock_all()');
  expect(await run('rotate', '--all', '--yes', '--inline')).toMatchObject({ code: 0 });

  for (const lock of LOCKS) await stranger.client.query(`SELECT pg_advisory_lock(${lock.join('')})`);
  expect(await run('status')).toMatchObject({ code: 0 });
  expect(await run('rotate', '--all', '--emergency', '--yes', '--inline')).toMatchObject({ code: 0 });
});

test('attack: a stranger holds the lock of the queue before there is one, and is named instead of waited for', async () => {
  await using state = await openTestLedger(inject('postgres'), { now: () => 0 });
  await using stranger = await openStranger(state.url);
  await stranger.client.query(`SELECT pg_advisory_lock(${LOCKS[1]?.join('')})`);
  const { rows } = await stranger.client.query('SELECT pg_backend_pid() AS pid');
  const locked = await failureOf(migrateQueue(state.pool));
  expect(locked).toMatchObject({
    code: 'queue-tables-locked',
    params: { holders: [{ pid: rows[0].pid, login: expect.stringMatching(/^stranger_/) }] },
  });
  await using admin = await adminOf(inject('postgres'), new URL(state.url).pathname.slice(1));
  const ended = new Promise((lost) => stranger.client.on('error', lost));
  await runStatements(admin.client, locked);
  await ended;
  await migrateQueue(state.pool);
});

test('a lock on the ledger’s table of versions is not waited for without end, and who holds it is named', async () => {
  await using state = await openTestLedger(inject('postgres'), { now: () => 0 });
  await using admin = await adminOf(inject('postgres'), new URL(state.url).pathname.slice(1));
  // As in the middle of a first start, so that there is something to do.
  await state.pool.query('DROP SCHEMA keyturn CASCADE; CREATE SCHEMA keyturn');
  await state.pool.query(
    'CREATE TABLE keyturn.migration (version int PRIMARY KEY, applied_at timestamptz NOT NULL)',
  );
  await using holder = await adminOf(inject('postgres'), new URL(state.url).pathname.slice(1));
  await holder.client.query('BEGIN; LOCK TABLE keyturn.migration IN SHARE ROW EXCLUSIVE MODE');
  const { rows } = await holder.client.query('SELECT pg_backend_pid() AS pid');
  const locked = await failureOf(migrateLedger(state.pool));
  const { user: login } = inject('postgres');
  expect(locked).toMatchObject({
    code: 'ledger-tables-locked',
    params: { holders: [{ pid: rows[0].pid, login, state: 'idle in transaction' }] },
  });
  const ended = new Promise((resolve) => holder.client.once('end', resolve));
  await runStatements(admin.client, locked);
  await ended;
  await migrateLedger(state.pool);
});

test('processes that start at once make the tables once', async () => {
  await using state = await openTestLedger(inject('postgres'), { now: () => 0 });
  await state.pool.query('DROP SCHEMA keyturn CASCADE');
  await Promise.all([1, 2, 3, 4].map(() => migrateLedger(state.pool)));
  const { rows } = await state.pool.query(
    'SELECT count(*)::int AS tables FROM pg_tables WHERE schemaname = $1',
    ['keyturn'],
  );
  expect(rows[0].tables).toBeGreaterThan(3);
});

test('a queue whose schema another process makes while the lock is waited for is made once (G5)', async () => {
  await using state = await openTestLedger(inject('postgres'), { now: () => 0 });
  await using other = await adminOf(inject('postgres'), new URL(state.url).pathname.slice(1));
  await other.client.query(`BEGIN; SELECT pg_advisory_xact_lock(${LOCKS[1]?.join('')})`);
  const migrated = migrateQueue(state.pool);
  await expect
    .poll(async () => (await other.client.query('SELECT FROM pg_locks WHERE NOT granted')).rowCount)
    .toBe(1);
  await other.client.query('CREATE SCHEMA bullmq; COMMIT');
  await migrated;
});
