import { execFile } from 'node:child_process';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { fact } from '../../src/facts/fact.ts';
import { tell } from '../../src/messages/tell.ts';
import { adminOf } from '../support/admin.ts';
import { cli, MAIN, startCli } from '../support/cli.ts';
import { keyturn } from '../support/keyturn.ts';
import { uniqueName } from '../support/unique-name.ts';
import { filePolicy, openWorkspace, type Workspace } from '../support/workspace.ts';

let workspace: Workspace;
beforeEach(async () => {
  workspace = await openWorkspace(inject('postgres'));
});
afterEach(() => workspace[Symbol.asyncDispose]());

const run = (...args: string[]) => keyturn(args, { cwd: workspace.folder });

describe('what newcomers meet first is said in words that help', () => {
  test.each([
    [['plan', 'app'], 'stdout'],
    [['doctor', 'app'], 'stdout'],
    [['rotate', 'app', '--inline'], 'stdout'],
    [['roles', 'create', 'app'], 'stderr'],
    [['roles', 'list', '--all'], 'stderr'],
    [['restore', 'app'], 'stderr'],
  ] as const)('that the rotator was never made, with the command that makes it: %j', async (args, stream) => {
    const user = uniqueName('keyturn');
    await workspace.configure(filePolicy(workspace.logins), { connection: { user, password: 'of it' } });
    const said = await run(...args);
    expect(said.code).toBe(1);
    const text = said[stream].replaceAll(/\s+/g, ' ');
    expect(text).toContain(`PostgreSQL refused keyturn's own user "${user}"`);
    expect(text).toContain(
      'if nobody has created it yet, have an administrator run what this prints: keyturn roles rotator db --sql.',
    );
  });

  test('that a login was shut out: what lets it in, and not its password or pg_hba.conf', async () => {
    await workspace.configure(filePolicy(workspace.logins));
    await run('rotate', 'app', '--inline');
    const { user } = await workspace.published();
    await using admin = await adminOf(inject('postgres'));
    await admin.client.query(`ALTER ROLE ${user} NOLOGIN`);
    const { stdout } = await run('restore', 'app', '--json');
    const [{ error }] = JSON.parse(stdout);
    expect(error).toContain(
      'not permitted to log in; create the role, or let it log in (ALTER ROLE … LOGIN)',
    );
    expect(error).not.toContain('pg_hba.conf');
    const doctor = (await run('doctor', 'app')).stdout.replaceAll(/\s+/g, ' ');
    expect(doctor).toContain('run: keyturn restore app run: keyturn rotate app');
  });

  test('that events can be told to nobody yet', async () => {
    await workspace.configure(filePolicy(workspace.logins));
    expect(await run('events', 'test', 'ops')).toMatchObject({
      code: 2,
      stderr:
        'keyturn: no sink is configured, so events are delivered nowhere; add one to events.sinks in the configuration\n',
    });
  });

  test('that the published username is an empty secret', () => {
    const empty = fact('published-username-unknown', { username: null, logins: workspace.logins });
    expect(tell(empty)).toMatch(/^The secret of the published username is empty; /);
  });

  test('that a bracket is never closed, at its line', async () => {
    await workspace.configure(`policies:\n  app:\n    logins: [a, b\n    connection: db\n`);
    expect(await run('validate')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^config\/keyturn\.yaml:5:13: "\[" is never closed; add "\]"\n$/),
    });
  });

  test('how often a schedule may be', async () => {
    await workspace.configure(filePolicy(workspace.logins, '    schedule: { every: monthly }\n'));
    expect(await run('validate')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(
        'policies.app.schedule.every: "monthly" is not valid; must be a number and a unit, for example 30d, 2w or 12h\n',
      ),
    });
  });

  test('that it is too late to cancel, and how to undo instead', async () => {
    await workspace.configure(
      filePolicy(workspace.logins).replace('grace: 0s, timeout: 5s', 'grace: 1m, timeout: 2m'),
    );
    await run('rotate', 'app', '--inline');
    await using rotating = startCli(['rotate', 'app', '--inline'], { cwd: workspace.folder });
    await rotating.says('app: publish done');
    expect(await run('cancel', 'app')).toMatchObject({
      code: 1,
      stderr:
        'keyturn: Too late to cancel: the new login is published; undo it instead; run: keyturn rollback app\n',
    });
  });

  test('which numbers an option takes', async () => {
    expect(await run('schedule', 'app', '--next', 'x')).toMatchObject({
      code: 2,
      stderr: 'keyturn: --next must be a whole number from 1 to 10000, not "x"\n',
    });
  });

  test('what a duration is by default, with its unit', async () => {
    const { stdout } = await cli(['demo', '--help'], { cwd: workspace.folder });
    expect(stdout).toContain('(default: 40s)');
    const { stdout: rotate } = await cli(['rotate', '--help'], { cwd: workspace.folder });
    expect(rotate).not.toMatch(/default: \d+\)/);
  });

  test('once who asked, and one policy in the singular', async () => {
    await workspace.configure(filePolicy(workspace.logins, '    schedule: { every: 2s }\n'));
    expect(await run('validate')).toMatchObject({ stdout: '1 policy, 1 connection, 1 store: valid\n' });
    await using worker = startCli(['start'], { cwd: workspace.folder });
    await worker.says('keyturn is ready: 1 policy,');
    const history = async () => (await run('history')).stdout;
    await expect.poll(history, { timeout: 15_000 }).toMatch(/ done +schedule /);
    expect(await history()).not.toMatch(/schedule, schedule/);
  });
});

test('roles create names a command that an administrator can run as it is, wherever the configuration is', async () => {
  const [a, b] = ['a', 'b'].map((end) => uniqueName(`made_${end}`)) as [string, string];
  const [owner, rotator] = [uniqueName('made_owner'), uniqueName('made_rotator')];
  const server = inject('postgres');
  await using admin = await adminOf(server, workspace.target);
  await workspace.configure(filePolicy([a, b], `    owner: ${owner}\n`), {
    connection: { user: rotator, password: 'of the rotator' },
  });
  await rename(join(workspace.folder, 'config'), join(workspace.folder, 'the config'));
  const given = ['--config', 'the config'];
  await admin.client.query((await run('roles', 'rotator', 'db', '--sql', ...given)).stdout);
  await admin.client.query('CREATE TABLE orders (id int)');
  const { code, stdout, stderr } = await run('roles', 'create', 'app', '--access', 'read', ...given);
  expect(code).toBe(1);
  expect(stdout).toMatch(/app: done, but for what is left\n$/);
  const command = /run: (keyturn roles create .*) \| (psql .*)\n/.exec(stderr);
  expect(command?.slice(1)).toEqual([
    "keyturn roles create app --access read --schema public --config 'the config' --sql",
    `psql -v ON_ERROR_STOP=1 -h ${server.host} -p ${server.port} -d ${workspace.target}`,
  ]);
  const printed = await promisify(execFile)(
    'sh',
    ['-c', command?.[1]?.replace('keyturn', `"$0" "$1"`) ?? '', process.execPath, MAIN],
    {
      cwd: workspace.folder,
    },
  );
  await admin.client.query(printed.stdout);
  expect(await run('roles', 'create', 'app', ...given)).toMatchObject({
    code: 0,
    stdout: 'app: nothing to do\n',
  });
  await admin.client.query(
    `DROP OWNED BY ${owner}, ${a}, ${b}, ${rotator}; DROP ROLE ${a}, ${b}, ${owner}, ${rotator}`,
  );
});
