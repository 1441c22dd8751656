import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { adminOf } from '../../support/admin.ts';
import { cli } from '../../support/cli.ts';
import { CTRL_C, CTRL_D, inTerminal } from '../../support/terminal.ts';
import { filePolicy, openWorkspace, type Workspace } from '../../support/workspace.ts';

const server = inject('postgres');

describe.each([
  {
    command: ['rotate', '--all', '--inline'],
    answer: 'yes',
    option: '--yes',
    after: { rotations: 1, logins: 2 },
  },
  {
    command: ['roles', 'drop', 'app'],
    answer: 'app',
    option: '--confirm app',
    after: { rotations: 0, logins: 0 },
  },
])('keyturn $command', ({ command, answer, option, after }) => {
  let workspace: Workspace;
  beforeAll(async () => {
    workspace = await openWorkspace(server);
    await workspace.configure(filePolicy(workspace.logins));
  });
  afterAll(() => workspace[Symbol.asyncDispose]());

  /** How many rotations and logins there are. */
  async function world(): Promise<{ rotations: number; logins: number }> {
    await using state = await adminOf(server, workspace.state);
    // Before the first command asks the ledger there is none.
    const { rows } = await state.client.query(
      "SELECT to_regclass('keyturn.rotation') IS NOT NULL AS is_there",
    );
    const rotations = rows[0].is_there ? await state.client.query('SELECT FROM keyturn.rotation') : undefined;
    const logins = await state.client.query('SELECT FROM pg_roles WHERE rolname = ANY ($1)', [
      workspace.logins,
    ]);
    return { rotations: rotations?.rowCount ?? 0, logins: logins.rowCount ?? 0 };
  }

  test.concurrent.each([
    ['the answer with a space behind it', `${answer} \n`, 2, 'Nothing was done'],
    ['Ctrl-D', CTRL_D, 2, 'Nothing was done'],
    ['Ctrl-C', CTRL_C, 130, 'Interrupted; nothing was done'],
  ])('does nothing at %s', async (_name, typed, code, told) => {
    const result = await inTerminal(command, typed, { cwd: workspace.folder });
    expect(result).toEqual({ code, shown: expect.stringContaining(`keyturn: ${told}`) });
  });

  test('does nothing where nobody can be asked, and names the option', async () => {
    const { code, stdout, stderr } = await cli(command, { cwd: workspace.folder });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(`Nobody is here to be asked; add ${option}`);
    expect(await world()).toEqual({ rotations: 0, logins: 2 });
  });

  test('goes on at the answer itself', async () => {
    const { code, shown } = await inTerminal(command, `${answer}\n`, { cwd: workspace.folder });
    expect({ code, shown }).toEqual({ code: 0, shown: expect.stringContaining('app: ') });
    expect(await world()).toEqual(after);
  });
});
