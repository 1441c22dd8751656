import pg from 'pg';
import { expect, inject, test } from 'vitest';
import { quoteIdentifier } from '../../src/postgres/identifier.ts';
import { adminOf } from '../support/admin.ts';
import { cli } from '../support/cli.ts';
import { uniqueName } from '../support/unique-name.ts';
import { filePolicy, openWorkspace } from '../support/workspace.ts';

const server = inject('postgres');
const suffix = uniqueName('');
const LONGEST = `${'é'.repeat(25)}${suffix}`.padEnd(63 - 25, 'x');

// Files run side by side on one cluster, and so would these names if two runs shared it.
test.each([
  ['svc.app', 'with-dash'],
  ['a as b', 'with space'],
  ['App-User', '100% real'],
  ['we"ird', 'a/b'],
  ['select', "quote'd"],
  [LONGEST, 'plain'],
])(
  'the login %j and the database %j rotate, and the URL that is printed logs in',
  async (login, database) => {
    await using workspace = await openWorkspace(server, {
      logins: [login, uniqueName('other')],
      target: `${database}${suffix}`,
    });
    await workspace.configure(filePolicy(workspace.logins));
    const options = { cwd: workspace.folder };
    expect(await cli(['rotate', 'app', '--inline'], options)).toMatchObject({ code: 0 });
    const { stdout } = await cli(['url', 'app'], options);
    const client = new pg.Client({ connectionString: stdout.trim() });
    await client.connect();
    const { rows } = await client.query('SELECT current_user AS login, current_database() AS database');
    await client.end();
    expect(rows).toEqual([{ login, database: `${database}${suffix}` }]);
  },
);

test("a rotator's password may hold every punctuation mark", async () => {
  const password = `? ' " ; \\ & % @ / : # $ \${X}`;
  const rotator = uniqueName('rotator');
  await using admin = await adminOf(server);
  const literal = `'${password.replaceAll("'", "''")}'`;
  await admin.client.query(`CREATE ROLE ${quoteIdentifier(rotator)} SUPERUSER LOGIN PASSWORD ${literal}`);
  {
    await using workspace = await openWorkspace({ ...server, user: rotator, password });
    await workspace.configure(filePolicy(workspace.logins));
    expect(await cli(['rotate', 'app', '--inline'], { cwd: workspace.folder })).toMatchObject({ code: 0 });
  }
  await admin.client.query(`DROP ROLE ${quoteIdentifier(rotator)}`);
});
