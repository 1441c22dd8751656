import pg from 'pg';
import { expect, inject, test } from 'vitest';
import { migrateQueue } from '../../src/queue/migrate-queue.ts';
import { adminOf } from '../support/admin.ts';
import { keyturn } from '../support/keyturn.ts';
import { factNamed, failureOf, runStatements } from '../support/remedies.ts';
import { uniqueName } from '../support/unique-name.ts';
import { filePolicy, openWorkspace } from '../support/workspace.ts';

test('a login that may not make the tables of ledger and queue is told the statement that lets it, and that mends it', async () => {
  await using workspace = await openWorkspace(inject('postgres'));
  await using admin = await adminOf(inject('postgres'));
  const login = uniqueName('state');
  await admin.client.query(`CREATE ROLE ${login} LOGIN PASSWORD 'state'`);
  const url = new URL(workspace.stateUrl);
  [url.username, url.password] = [login, 'state'];
  await workspace.configure(filePolicy(workspace.logins), { state: url.href });
  const run = (...args: string[]) => keyturn(args, { cwd: workspace.folder });
  const pool = new pg.Pool({ connectionString: url.href, max: 1 });

  const grant = `GRANT CREATE ON DATABASE "${workspace.state}" TO "${login}"`;
  const told = (schema: string) =>
    `the tables in schema ${schema} cannot be made or updated: permission denied for database ${workspace.state}; run: ${grant}`;
  // Ledger and queue are opened side by side: either may be first.
  const first = await run('status');
  expect(first.code).toBe(1);
  expect(['keyturn', 'bullmq'].map((schema) => `keyturn: ${told(schema)}\n`)).toContain(first.stderr);
  expect((await run('doctor')).stdout).toContain(`run: ${grant}\n`);
  expect(JSON.parse((await run('doctor', '--json')).stdout)).toContainEqual(
    expect.objectContaining({ code: 'state-database-fails', sql: [grant] }),
  );
  const forbidden = factNamed('state-tables-forbidden', [await failureOf(migrateQueue(pool))]);
  expect(forbidden).toEqual({
    code: 'state-tables-forbidden',
    params: {
      schema: 'bullmq',
      detail: `permission denied for database ${workspace.state}`,
      isForeign: false,
    },
    remedies: [{ kind: 'sql', statements: [grant] }],
  });

  await runStatements(admin.client, forbidden);
  expect(await run('status')).toMatchObject({ code: 0 });
  await migrateQueue(pool);
  await pool.end();

  // Those of a login before this one.
  const next = uniqueName('state');
  await admin.client.query(`CREATE ROLE ${next} LOGIN PASSWORD 'state'`);
  await admin.client.query(grant.replace(login, next));
  url.username = next;
  await workspace.configure(filePolicy(workspace.logins), { state: url.href });
  expect(await run('status')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(
      /; (keyturn|bullmq) there belongs to another role; name that one in state\.database/,
    ),
  });

  await admin.client.query(`DROP DATABASE ${workspace.state} WITH (FORCE)`);
  await admin.client.query(`CREATE DATABASE ${workspace.state}`);
  await admin.client.query(`DROP ROLE ${login}, ${next}`);
});
