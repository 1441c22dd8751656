import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { adminOf } from '../support/admin.ts';
import { startCli } from '../support/cli.ts';
import { keyturn } from '../support/keyturn.ts';
import { uniqueName } from '../support/unique-name.ts';
import { filePolicy, openWorkspace, type Workspace } from '../support/workspace.ts';

let workspace: Workspace;
beforeEach(async () => {
  workspace = await openWorkspace(inject('postgres'));
  await workspace.configure(filePolicy(workspace.logins));
});
afterEach(() => workspace[Symbol.asyncDispose]());

const run = (...args: string[]) => keyturn(args, { cwd: workspace.folder });

/** The words after `keyturn` of the command that an output says to run. */
function namedIn(output: string): string[] {
  const [, command] = /run: keyturn (\S[^;\n]*)$/m.exec(output) ?? [];
  if (command === undefined) throw new Error(`No command is in ${output}`);
  return command.split(' ');
}

/** What doctor finds of this code, as JSON. */
async function found(code: string): Promise<readonly { readonly sql: readonly string[] }[]> {
  const findings: { code: string; sql: string[] }[] = JSON.parse((await run('doctor', '--json')).stdout);
  return findings.filter((finding) => finding.code === code);
}

test('nothing-published, no-worker, nothing-rotates-by-itself: what each names is run, and the login is published', async () => {
  const nothing = await run('url', 'app');
  expect(nothing).toMatchObject({ code: 1, stdout: '' });
  const rotate = namedIn(nothing.stderr);
  expect(rotate).toEqual(['rotate', 'app']);
  const requested = await run(...rotate);
  const start = namedIn(requested.stderr);
  expect(start).toEqual(['start']);
  expect(namedIn((await run('status')).stderr)).toEqual(start);
  expect(await found('nothing-rotates-by-itself')).toHaveLength(1);
  await using worker = startCli(start, { cwd: workspace.folder });
  await expect.poll(async () => (await run('url', 'app')).code).toBe(0);
  expect(await found('nothing-rotates-by-itself')).toEqual([]);
  await workspace.logIn();
  expect(worker.process.exitCode).toBe(null);
});

test('no-open-rotation: history shows what became of the last one', async () => {
  expect(await run('rotate', 'app', '--inline')).toMatchObject({ code: 0 });
  const nothing = await run('cancel', 'app');
  expect(nothing).toMatchObject({ code: 1 });
  const history = namedIn(nothing.stderr);
  expect(history).toEqual(['history', 'app']);
  expect(await run(...history)).toMatchObject({ code: 0, stdout: expect.stringContaining('done') });
});

test('state-database-open-to-public: once the statement has run, doctor does not find it', async () => {
  const [open, ...others] = await found('state-database-open-to-public');
  expect(others).toEqual([]);
  await using admin = await adminOf(inject('postgres'), workspace.state);
  expect(open?.sql).toHaveLength(1);
  for (const statement of open?.sql ?? []) await admin.client.query(statement);
  expect(await found('state-database-open-to-public')).toEqual([]);
});

test('rotator-policy-without-roles: the script that is printed instead makes the rotator', async () => {
  const rotator = uniqueName('rotator');
  await workspace.configure(
    `${filePolicy(workspace.logins)}  itself:
    type: rotator
    connection: db
    publish: [{ store: files, create: true, secrets: { username: own/username, password: own/password } }]
`,
    { connection: { user: rotator, password: 'of-the-rotator' } },
  );
  const refused = await run('roles', 'create', 'itself');
  expect(refused).toMatchObject({ code: 2, stdout: '' });
  const command = namedIn(refused.stderr);
  expect(command).toEqual(['roles', 'rotator', 'db']);
  const printed = await run(...command);
  expect(printed).toMatchObject({ code: 0 });
  await using admin = await adminOf(inject('postgres'), workspace.target);
  await admin.client.query(printed.stdout);
  expect(await run('rotate', 'itself', '--inline', '--yes')).toMatchObject({ code: 0 });
  await admin.client.query(`DROP OWNED BY ${rotator}; DROP ROLE ${rotator}`);
});
