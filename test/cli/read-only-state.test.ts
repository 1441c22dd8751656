import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { adminOf } from '../support/admin.ts';
import { cli } from '../support/cli.ts';
import { keyturn } from '../support/keyturn.ts';
import { type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { filePolicy, openWorkspace, type Workspace } from '../support/workspace.ts';

/** Keeps the state, and becomes a standby. */
let state: PostgresServer;
let workspace: Workspace;
let database: string;
const run = (...args: string[]) => keyturn(args, { cwd: workspace.folder });

async function configure(name: string): Promise<void> {
  database = `${state.user}@127.0.0.1:${state.port}/${name}`;
  const url = `postgresql://${state.user}:${encodeURIComponent(state.password)}@127.0.0.1:${state.port}/${name}`;
  await workspace.configure(filePolicy(workspace.logins, '    schedule: { every: 30d }\n'), { state: url });
}

beforeAll(async () => {
  state = await startPostgres();
  workspace = await openWorkspace(inject('postgres'));
  {
    await using admin = await adminOf(state);
    for (const name of ['with_ledger', 'without_ledger']) await admin.client.query(`CREATE DATABASE ${name}`);
  }
  await configure('with_ledger');
  expect(await run('rotate', 'app', '--inline')).toMatchObject({ code: 0 });
  await state.demote();
});
afterAll(async () => {
  await workspace[Symbol.asyncDispose]();
  await state[Symbol.asyncDispose]();
});

const READ_ONLY =
  'it is a standby server, or default_transaction_read_only is on there; point state.database at the primary';

test('with a state database that only reads, the commands that only read work, and say so (G6)', async () => {
  const status = await run('status', '--json');
  expect(status).toMatchObject({
    code: 0,
    stderr: `keyturn: the state database is read-only; ${READ_ONLY}\n`,
  });
  expect(JSON.parse(status.stdout)).toMatchObject([{ policy: 'app', state: 'active' }]);
  expect(JSON.parse((await run('history', '--json')).stdout)).toMatchObject([{ status: 'done' }]);
  for (const command of [
    ['schedule', 'app'],
    ['plan', 'app'],
    ['url', 'app'],
  ]) {
    expect(await run(...command), command[0]).toMatchObject({ code: 0 });
  }
  const doctor = await run('doctor');
  expect(doctor.stdout).toMatch(/\n {2}fail {2}state +the state database is read-only\n/);
  expect(doctor.stdout).toContain(READ_ONLY);
});

test('with a state database that only reads, what writes says which server it is and what to do', async () => {
  for (const command of [
    ['rotate', 'app', '--inline'],
    ['rotate', 'app'],
    ['pause', 'app'],
  ]) {
    const { code, stderr } = await run(...command);
    expect(code).toBe(1);
    expect(stderr).toContain(`keyturn: ${database} is read-only: `);
    expect(stderr).toContain(READ_ONLY);
  }
  const started = await cli(['start'], { cwd: workspace.folder });
  expect(started).toMatchObject({ code: 1, stderr: expect.stringContaining(`${database} is read-only: `) });
});

test('with a state database that only reads and has no ledger, status names the server and not only a statement', async () => {
  await configure('without_ledger');
  const { code, stderr } = await run('status');
  expect(code).toBe(1);
  expect(stderr).toContain(`keyturn: ${database} is read-only: `);
  expect(stderr).toContain(READ_ONLY);
});
