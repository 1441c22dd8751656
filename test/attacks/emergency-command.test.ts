import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { adminOf } from '../support/admin.ts';
import { keyturn } from '../support/keyturn.ts';
import { type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { filePolicy, openWorkspace } from '../support/workspace.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres({ settings: { max_prepared_transactions: '10' } });
});
afterAll(() => server[Symbol.asyncDispose]());

test('attack: a prepared transaction keeps a login from being revoked, and the emergency ends with 1 and says what ends it', async () => {
  await using workspace = await openWorkspace(server);
  await workspace.configure(filePolicy(workspace.logins));
  const run = (...args: string[]) => keyturn(args, { cwd: workspace.folder });
  expect(await run('rotate', 'app', '--inline')).toMatchObject({ code: 0 });
  const leaked = await workspace.published();
  const attacker = await workspace.connect(leaked);
  await attacker.query(
    `BEGIN; ALTER ROLE ${leaked.user} PASSWORD ${pg.escapeLiteral(leaked.password)}; PREPARE TRANSACTION 'half'`,
  );
  await attacker.end();

  const { code, stdout, stderr } = await run('rotate', 'app', '--emergency', '--yes', '--inline');
  expect(code).toBe(1);
  expect(stdout).toContain(`${leaked.user} is NOT revoked yet`);
  expect(stdout).toContain("ROLLBACK PREPARED 'half'");
  expect(stderr).toContain('keyturn status app');
  expect((await run('status', '--json')).stdout).toContain(`${leaked.user} is NOT revoked yet`);

  // Another one does not wait for ever for the first, either.
  const second = await run('rotate', 'app', '--emergency', '--yes', '--inline');
  expect(second.code).toBe(1);
  expect(second.stderr).toContain("ROLLBACK PREPARED 'half'");

  await using admin = await adminOf(server, workspace.target);
  await admin.client.query("ROLLBACK PREPARED 'half'");
  expect(await run('rotate', 'app', '--emergency', '--yes', '--inline')).toMatchObject({ code: 0 });
  await expect(workspace.logIn(leaked)).rejects.toThrow();
  await workspace.logIn();
});
