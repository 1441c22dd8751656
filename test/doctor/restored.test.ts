import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { quoteIdentifier, quoteLiteral } from '../../src/postgres/identifier.ts';
import { adminOf } from '../support/admin.ts';
import { keyturn } from '../support/keyturn.ts';
import { filePolicy, openWorkspace, type Workspace } from '../support/workspace.ts';

let workspace: Workspace;
beforeEach(async () => {
  workspace = await openWorkspace(inject('postgres'));
  await workspace.configure(filePolicy(workspace.logins));
});
afterEach(() => workspace[Symbol.asyncDispose]());

const run = (...args: string[]) => keyturn(args, { cwd: workspace.folder });

async function rotate(): Promise<string> {
  const { stdout, code } = await run('rotate', 'app', '--inline', '--json');
  expect(code).toBe(0);
  return JSON.parse(stdout)[0].rotation;
}

async function verifierOf(login: string): Promise<string> {
  await using admin = await adminOf(inject('postgres'));
  const { rows } = await admin.client.query('SELECT rolpassword FROM pg_authid WHERE rolname = $1', [login]);
  return rows[0].rolpassword;
}

async function restore(login: string, verifier: string | undefined): Promise<void> {
  await using admin = await adminOf(inject('postgres'));
  const how = verifier === undefined ? 'NOLOGIN PASSWORD NULL' : `LOGIN PASSWORD ${quoteLiteral(verifier)}`;
  await admin.client.query(`ALTER ROLE ${quoteIdentifier(login)} ${how}`);
}

/** Has the ledger say again that a rotation is open, and nothing of the one after it. */
async function restoreLedger(open: string, later: string, assignments: string): Promise<void> {
  await using admin = await adminOf(inject('postgres'), workspace.state);
  await admin.client.query('DELETE FROM keyturn.event WHERE rotation = $1', [later]);
  await admin.client.query('DELETE FROM keyturn.rotation WHERE id = $1', [later]);
  await admin.client.query(
    `UPDATE keyturn.rotation SET status = 'open', finished_at = NULL, ${assignments} WHERE id = $1`,
    [open],
  );
}

test.each([
  ['draining', 'attempts = 0', true, 'keyturn rotate app --emergency'],
  ['staging', 'published_at = NULL', false, 'keyturn cancel app'],
] as const)(
  'After a restore from when a rotation was %s, doctor names what ends that and --adopt, and what it names gives back a login that works (G1)',
  async (_state, assignments, isSet, end) => {
    await rotate();
    const first = (await workspace.published()).user;
    const before = await verifierOf(first);
    const open = await rotate();
    const second = (await workspace.published()).user;
    const set = await verifierOf(second);
    const later = await rotate();
    await restoreLedger(open, later, assignments);
    await restore(first, before);
    await restore(second, isSet ? set : undefined);
    await expect(workspace.logIn()).rejects.toThrow();

    const { stdout, code } = await run('doctor', 'app');
    expect(code).toBe(1);
    const [, ...named] =
      /end rotation (\S+), which is open, and then take over what is published\s+run: (.*)\s+run: (.*)/.exec(
        stdout,
      ) ?? [];
    expect(named).toEqual([open, end, 'keyturn rotate app --adopt']);
    await run(...end.split(' ').slice(1), ...(end.includes('rotate') ? ['--inline', '--yes'] : []));
    const adopted = await run('rotate', 'app', '--adopt', '--inline', '--yes');
    expect(adopted).toMatchObject({ code: 0 });
    await workspace.logIn();
    expect((await run('doctor', 'app')).code).toBe(0);
  },
);

test('After a restore from before a rotation, doctor names rotate --adopt and not what would be refused (G1)', async () => {
  await rotate();
  const { user } = await workspace.published();
  const before = await verifierOf(user);
  const open = await rotate();
  const other = (await workspace.published()).user;
  await restoreLedger(open, open, 'attempts = 0');
  await restore(user, before);
  await restore(other, undefined);
  const { stdout } = await run('doctor', 'app');
  expect(stdout).toContain('keyturn rotate app --adopt');
  expect(stdout).not.toMatch(/keyturn rotate app(?! --adopt)/);
  expect(await run('rotate', 'app', '--adopt', '--inline', '--yes')).toMatchObject({ code: 0 });
  await workspace.logIn();
});
