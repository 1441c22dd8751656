import pg from 'pg';
import { expect, inject, test } from 'vitest';
import { keyturn } from '../../support/keyturn.ts';
import { filePolicy, openWorkspace } from '../../support/workspace.ts';

test('url says how to publish a first login, and then prints a URL that logs in as it', async () => {
  await using workspace = await openWorkspace(inject('postgres'));
  await workspace.configure(filePolicy(workspace.logins));
  const run = (...args: string[]) => keyturn(args, { cwd: workspace.folder });
  expect(await run('url', 'app')).toEqual({
    code: 1,
    stdout: '',
    stderr: 'keyturn: app publishes no credential yet; run: keyturn rotate app\n',
  });
  expect(await run('rotate', 'app', '--inline')).toMatchObject({ code: 0 });
  const { code, stdout } = await run('url', 'app');
  expect(code).toBe(0);
  const client = new pg.Client({ connectionString: stdout.trim() });
  await client.connect();
  const { rows } = await client.query('SELECT session_user AS login');
  await client.end();
  expect(workspace.logins).toContain(rows[0].login);
});
